"""The reasons why a template cannot be run, and warnings."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.template.syntax.nodes import Cause


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a template is refused. ``subject`` is the resource, parameter or section
    concerned; empty for the whole template."""

    path: str
    line: int
    subject: str
    text: str
    cause: Cause = Cause.AWS

    def __str__(self) -> str:
        about = f"{self.subject}: {self.text}" if self.subject else self.text
        return f"{self.path}:{self.line}: {about}"


class RefusedTemplateError(Exception):
    """The templates cannot be run. ``problems`` has all reasons, ``lines`` the same as text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        self.lines = [str(problem) for problem in self.problems]
        super().__init__("\n".join(self.lines))


class Problems:
    """The problems of one template file, and the warnings about it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: dict[Problem, None] = {}
        self._warnings: dict[str, None] = {}

    def add(self, line: int, subject: str, text: str, cause: Cause = Cause.AWS) -> None:
        """Adds a problem of the resource, parameter or section ``subject``."""
        self._found[Problem(self._path, line, subject, text, cause)] = None

    def warn(self, line: int, subject: str, text: str) -> None:
        """Adds a warning: something that is allowed, but may be surprising."""
        self._warnings[str(Problem(self._path, line, subject, text))] = None

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def found(self) -> list[Problem]:
        """The problems in the template's order."""
        return sorted(self._found, key=lambda problem: problem.line)

    @property
    def warnings(self) -> list[str]:
        """The warnings as lines, in the order in which they were added."""
        return list(self._warnings)
