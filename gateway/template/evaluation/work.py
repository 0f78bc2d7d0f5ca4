"""Bounds the work that evaluating any template may cause."""

from typing import Final

from gateway.template.syntax.nodes import TemplateError

_MOST_STEPS: Final = 500_000
_CHARACTERS_A_STEP: Final = 64
MOST_CHARACTERS: Final = 1_048_576
"""The most characters of one text."""


class Work:
    """Counts the steps of evaluating all templates together.

    Texts and loops of a few kilobytes could expand beyond any memory.
    """

    def __init__(self) -> None:
        self._steps = 0

    def step(self, line: int, characters: int = 0) -> None:
        """Counts one step that produced that many characters. Raises TemplateError over the
        bound."""
        self._steps += 1 + characters // _CHARACTERS_A_STEP
        if self._steps > _MOST_STEPS or characters > MOST_CHARACTERS:
            raise TemplateError(line, "the template grows beyond all bounds when it is evaluated")
