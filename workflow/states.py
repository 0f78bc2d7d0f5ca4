"""The states of a machine, as `definition.load` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from workflow.choices import Rule
from workflow.intrinsics import Expression
from workflow.paths import Path
from workflow.templates import Template
from workflow.values import Json


@dataclass(frozen=True, slots=True)
class Retrier:
    """Try again after `interval` seconds, each time `backoff` times as long, but at most `longest`
    seconds; `attempts` times."""

    errors: tuple[str, ...]
    interval: int
    attempts: int
    backoff: float
    longest: int | None


@dataclass(frozen=True, slots=True)
class Catcher:
    """Go on in the state `next` with the error at `result_path`; None drops the error."""

    errors: tuple[str, ...]
    next: str
    result_path: Path | None


@dataclass(frozen=True, slots=True)
class Pass:
    """Pass the input on, or the constant `result`, which is None if there is none."""

    parameters: Template | None
    result: Template | None
    result_path: Path | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """Call a resource. With `waits_for_token`, somebody completes the task with its token later.
    `timeout` and `heartbeat` are in seconds. `next` is None at the end."""

    resource: str
    waits_for_token: bool
    parameters: Template | None
    result_selector: Template | None
    result_path: Path | None
    timeout: int | None
    heartbeat: int | None
    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Go on in the state of the first rule that is met, else in `default`."""

    rules: tuple[tuple[Rule, str], ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait some seconds or until a time; either may be at a path of the input."""

    until: int | datetime | Path
    by_seconds: bool
    next: str | None


@dataclass(frozen=True, slots=True)
class Succeed:
    """End, successfully."""


@dataclass(frozen=True, slots=True)
class Fail:
    """End with an error."""

    error: Expression | None
    cause: Expression | None


Kind: TypeAlias = Pass | Task | Choice | Wait | Succeed | Fail


@dataclass(frozen=True, slots=True)
class State:
    """A state. A path of None stands for `null` in the definition: an empty object."""

    name: str
    input_path: Path | None
    output_path: Path | None
    kind: Kind

    @property
    def type(self) -> str:
        """The name of its type in the language."""
        return type(self.kind).__name__

    @property
    def targets(self) -> tuple[str, ...]:
        """The states that may follow, each once, in the order of the definition."""
        kind = self.kind
        found: list[str | None] = []
        if isinstance(kind, Choice):
            found = [*(name for _, name in kind.rules), kind.default]
        elif isinstance(kind, Task):
            found = [kind.next, *(catcher.next for catcher in kind.catchers)]
        elif isinstance(kind, Pass | Wait):
            found = [kind.next]
        return tuple(dict.fromkeys(name for name in found if name is not None))


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine whose states are all reachable. `document` is what it was read from."""

    start_at: str
    states: Mapping[str, State]
    document: Mapping[str, Json]
