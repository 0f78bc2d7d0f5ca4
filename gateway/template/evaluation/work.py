"""A bound on the work that a template may cause, whatever it says."""

from typing import Final

from gateway.template.syntax.nodes import TemplateError

_MOST_STEPS: Final = 500_000
_CHARACTERS_A_STEP: Final = 64
MOST_CHARACTERS: Final = 1_048_576
"""That one text may have."""


class Work:
    """Counts what the evaluation of all templates together has done.

    Texts and loops of a few kilobytes can stand for more than fits into any memory.
    """

    def __init__(self) -> None:
        self._steps = 0

    def step(self, line: int, characters: int = 0) -> None:
        """Counts one step that made so many characters. Raises TemplateError over the bound."""
        self._steps += 1 + characters // _CHARACTERS_A_STEP
        if self._steps > _MOST_STEPS or characters > MOST_CHARACTERS:
            raise TemplateError(line, "the template grows beyond all bounds when it is evaluated")
