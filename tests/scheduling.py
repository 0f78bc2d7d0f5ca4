"""Which tests run in the same process when pytest uses several."""

import re
from typing import Final

from xdist.scheduler.loadscope import LoadScopeScheduling

_LONG: Final = ("tests/acceptance/test_fuzzing.py", "tests/acceptance/test_generated_bodies.py")
"""Files that take so long that it is worth starting another board for them."""

_ON_THE_SERVICES: Final = ("tests/acceptance/test_observing.py", "tests/acceptance/test_traces.py")
"""Files whose tests use `services_run` without saying so in their names."""

_SERVICES: Final = "[services_run"
_EMULATOR: Final = "the emulator"

_BUSY: Final = ("[monolith", "[services")
WAITING: Final = (
    _EMULATOR,
    _SERVICES,
    "tests/unit/gateway/clients/test_any_bytes.py",
    "tests/unit/gateway/clients/test_http2_windows.py",
    "tests/unit/gateway/clients/test_damaged_http2.py",
    "tests/stores/test_cases.py",
    "tests/acceptance/test_database_faults.py",
    "tests/acceptance/test_sign_in_limits.py",
)
"""Groups that wait most of the time. They run beside the two that need the most processor time:
next to each other, they would leave the processors idle."""


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
        return _EMULATOR
    return path


def turn(nodeid: str) -> int:
    """Where the group of this test stands: groups of a lower turn begin first."""
    found = group(nodeid)
    if found in _BUSY:
        return 0
    return 1 if found in WAITING else 2
