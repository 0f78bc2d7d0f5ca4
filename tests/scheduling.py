"""Which tests stay in one process when several processes run them."""

import re
from typing import Final

from xdist.scheduler.loadscope import LoadScopeScheduling

_LONG: Final = ("tests/acceptance/test_fuzzing.py", "tests/acceptance/test_generated_bodies.py")
"""Files that take so long that starting another board for them pays."""


class ByWhatIsDearToStart(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests that share what is dear to start, or look back on each other, stay together: those of
    one deployment of the board, and otherwise those of a file.

    pytest-xdist's own way to say so, the mark `xdist_group`, does nothing under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """The name of the group that the test of this id belongs to."""
    path, _, name = nodeid.partition("::")
    deployment = re.search(r"\[(monolith|services)(_run)?\b", name)
    if path.startswith("tests/acceptance/") and path not in _LONG and deployment:
        return deployment[0]
    return path
