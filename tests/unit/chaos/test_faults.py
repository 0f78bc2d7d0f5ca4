"""Which requests need what a fault breaks, and which faults there are."""

import re

import pytest

from chaos.board import POSTGRESQL, PROCESSES
from chaos.faults import everything
from strangle.history import Sample
from tests.repository import ROOT
from topology.deployments import SERVICES

FAULTS = {fault.name: fault for fault in everything()}


def request(service: str, what: str) -> Sample:
    """A request to a service."""
    return Sample(0, 0, 1, service, "", what, 200, None)


LIST = request("threads", "GET /api/threads")
LIST_WITH_A_SESSION = request("threads", "GET threads")
POST = request("posts", "POST /api/posts")
PROFILE = request("users", "GET /api/users/{id}")
PAGE = request("web", "GET /")


@pytest.mark.parametrize(
    ("name", "needing", "others"),
    [
        ("kill -9 of users", [PROFILE, POST, LIST_WITH_A_SESSION, PAGE], [LIST]),
        ("kill -9 of threads", [LIST, LIST_WITH_A_SESSION, POST, PAGE], [PROFILE]),
        ("kill -9 of posts", [POST, PAGE], [LIST, PROFILE]),
        ("kill -9 of web", [PAGE], [LIST, PROFILE, POST]),
        ("kill -9 of gateway", [PAGE, LIST, PROFILE, POST], []),
        ("kill -9 of web and PostgreSQL", [PAGE, LIST, PROFILE, POST], []),
        ("PostgreSQL paused", [LIST, PROFILE, POST, PAGE], []),
        ("PostgreSQL's disk full", [POST], [LIST, PROFILE, PAGE]),
        ("users does not answer calls", [POST, LIST_WITH_A_SESSION, PAGE], [LIST, PROFILE]),
    ],
)
def test_fault_concerns_the_requests_that_need_its_part(
    name: str, needing: list[Sample], others: list[Sample]
) -> None:
    fault = FAULTS[name]
    assert [one.what for one in needing if not fault.concerns(one)] == []
    assert [one.what for one in others if fault.concerns(one)] == []


def test_every_process_is_killed_alone_and_with_each_other() -> None:
    parts = (*PROCESSES, POSTGRESQL)
    killed = [fault.broken for fault in FAULTS.values() if fault.name.startswith("kill")]
    assert {*killed} == {frozenset({one, other}) for one in parts for other in parts}
    assert len(killed) == len({*killed})


def test_nobody_may_notice_a_rolling_restart_of_copies() -> None:
    restarts = [fault for fault in FAULTS.values() if fault.harmless and not fault.clocks]
    assert [fault.copies for fault in restarts] == [2]
    assert all(fault.broken == frozenset(SERVICES) for fault in restarts)


def test_clock_of_each_service_and_of_all_is_put_forward_and_back() -> None:
    stepped = [fault for fault in FAULTS.values() if fault.clocks]
    for hours in ("+1 h", "-1 h"):
        broken = {fault.broken for fault in stepped if hours in fault.name}
        assert broken == {*(frozenset([name]) for name in SERVICES), frozenset(SERVICES)}


def test_page_of_figures_has_the_number_of_faults() -> None:
    [said] = re.findall(r"all (\d+) faults", (ROOT / "docs" / "reliability.md").read_text())
    assert int(said) == len(FAULTS)


def test_short_run_has_few_faults_of_each_kind() -> None:
    short = [fault.name for fault in FAULTS.values() if fault.short]
    assert 5 <= len(short) <= 8
    for kind in ("kill", "SIGTERM", "PostgreSQL", "calls"):
        assert any(kind in name for name in short)
