"""Which tests run in the same process when pytest uses several."""

import re
from typing import Final

from xdist.scheduler.loadscope import LoadScopeScheduling

_LONG: Final = ("tests/acceptance/test_fuzzing.py", "tests/acceptance/test_generated_bodies.py")
"""Files that take so long that it is worth starting another board for them."""

_ON_THE_SERVICES: Final = ("tests/acceptance/test_observing.py", "tests/acceptance/test_traces.py")
"""Files whose tests use `services_run` without saying so in their names."""

_SERVICES: Final = "[services_run"


class GroupedByDeployment(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Runs the acceptance tests of one deployment in one process, those of the emulator in one, and
    all tests of a file in one.

    They share what is slow to start, and some check what earlier tests did. The mark
    `xdist_group` of pytest-xdist has no effect under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """The name of the group of the test with this id."""
    path, _, name = nodeid.partition("::")
    deployment = re.search(r"\[(monolith|services)(_run)?\b", name)
    if path in _ON_THE_SERVICES:
        return _SERVICES
    if path.startswith("tests/acceptance/") and path not in _LONG and deployment:
        return deployment[0]
    if path.startswith("tests/step_functions/"):
        return "the emulator"
    return path
