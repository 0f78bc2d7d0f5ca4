"""An outage is logged when it begins and when it ends, however long it lasts."""

import logging

import pytest

from kernel.errors import Unavailable
from kernel.process.outage_log import OutageLog

log = logging.getLogger("board.tests")


def test_outage_is_logged_once_when_it_begins_and_once_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, log.name)
    outage = OutageLog(log, "delivering activity")
    outage.succeeded()
    for _ in range(3):
        outage.failed(Unavailable("Threads is down."))
    outage.succeeded()
    outage.succeeded()
    outage.failed(Unavailable("Threads is down again."))
    assert caplog.messages == [
        "delivering activity waits: Threads is down.",
        "delivering activity goes on",
        "delivering activity waits: Threads is down again.",
    ]
