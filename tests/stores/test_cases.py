"""Cases in PostgreSQL: concurrent reports, assignments and steps, and what waiting costs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from kernel.contracts import Actor, ReportedPost
from kernel.data.database import Database
from kernel.errors import Conflict, Policy
from services.cases.model import Case, Choice, NewReport, Step
from services.cases.service import ReportWrite
from services.cases.settings import CaseSettings
from services.cases.store import CaseStore
from services.cases.task_store import TaskStore
from services.cases.wiring import open_cases
from services.cases.workflow import Outcome
from tests.databases import Databases
from tests.eventually import eventually
from tests.own_databases import new_database
from tests.unit.cases.fakes import ADMIN, AUTHOR, MODERATOR, FakeModeration, FakeWorkflow
from tests.unit.fakes import NOON, FakeUsers

NO_LIMIT = Policy("report", 0, 60)
RESOLVED, UNRESOLVED = Choice(True, "none", None), Choice(False, "none", None)
WAITING = 200
POOL = 5


@dataclass(frozen=True)
class Stores:
    """The stores on one database."""

    cases: CaseStore
    tasks: TaskStore

    async def report(self, post: int, reporter: int = 1) -> tuple[Case, bool]:
        """Report a post."""
        new = NewReport(post, AUTHOR, 30, reporter, "spam", None)
        write = ReportWrite.without_key()
        return await self.cases.report(new, NOON, NO_LIMIT, write, FakeWorkflow())

    async def decide(self, case: int, choice: Choice, workflow: FakeWorkflow) -> Case | None:
        """Decide a case."""
        return await self.cases.decide(case, MODERATOR, choice, NOON, lambda _: None, workflow)


@pytest_asyncio.fixture
async def stores(databases: Databases) -> AsyncIterator[Stores]:
    """The stores on an empty database."""
    async with Database.open(await new_database(databases, "cases")) as database:
        yield Stores(CaseStore(database), TaskStore(database))


async def test_concurrent_reports_of_a_post_share_its_case(stores: Stores) -> None:
    reported = await asyncio.gather(*(stores.report(20, who) for who in range(1, 13)))
    assert len({case.id for case, _ in reported}) == 1
    assert sorted(is_new for _, is_new in reported) == [False] * 11 + [True]
    found = await stores.cases.find(reported[0][0].id, None)
    assert found is not None
    assert sorted(found.reporters) == [*range(1, 13)]


async def test_only_the_first_hundred_reporters_are_shown_and_all_of_them_see_it(
    stores: Stores,
) -> None:
    case, _ = await stores.report(20, 1)
    for who in range(2, 103):
        await stores.report(20, who)
    found = await stores.cases.find(case.id, 102)
    assert found is not None
    assert found.reporters == [*range(1, 101)]
    assert await stores.cases.find(case.id, 103) is None


async def test_concurrent_assignments_are_spread_evenly(stores: Stores) -> None:
    cases = [(await stores.report(post))[0].id for post in range(1, 13)]
    step = Step("assign", "assigned", "assigned...")
    assigned = await asyncio.gather(
        *(stores.tasks.assign(case, step, [4, 5, 6], NOON) for case in cases)
    )
    loads = [sum(case.assignee == who for case in assigned) for who in (4, 5, 6)]
    assert loads == [4, 4, 4]


async def test_case_without_candidates_is_nobodys(stores: Stores) -> None:
    case, _ = await stores.report(20)
    assigned = await stores.tasks.assign(case.id, Step("assign", "assigned", ""), [], NOON)
    assert (assigned.state, assigned.assignee) == ("assigned", None)


async def test_concurrent_repetitions_of_a_step_are_written_once(stores: Stores) -> None:
    case, _ = await stores.report(20)
    step = Step("open", "opened", "Case 001: opened...")
    done = await asyncio.gather(*(stores.tasks.enter(case.id, step, NOON) for _ in range(6)))
    assert {one.message for one in done} == {"Case 001: opened..."}
    assert all(len(one.history) == 1 for one in done)


async def test_escalation_begins_a_round_with_a_decision_of_its_own(stores: Stores) -> None:
    case, _ = await stores.report(20)
    workflow = FakeWorkflow()
    await stores.decide(case.id, UNRESOLVED, workflow)
    step = Step("escalate 1", "escalated", "escalating.")
    for _ in range(2):
        escalated = await stores.tasks.escalate(case.id, step, [ADMIN], NOON)
        assert (escalated.tier, escalated.round, escalated.assignee) == (2, 2, ADMIN)
        assert escalated.answer is None
    decided = await stores.decide(case.id, RESOLVED, workflow)
    assert decided is not None
    assert decided.answer is not None
    message = "unresolved...escalating.resolved..."
    assert workflow.answers == [
        (case.id, Outcome(False, "unresolved...")),
        (case.id, Outcome(True, message)),
    ]


async def test_resolution_that_comes_before_the_time_limit_stands(stores: Stores) -> None:
    case, _ = await stores.report(20)
    await stores.decide(case.id, RESOLVED, FakeWorkflow())
    late = await stores.tasks.escalate(case.id, Step("late", "escalated", "x"), [ADMIN], NOON)
    assert (late.tier, late.round, late.message) == (1, 1, "resolved...")
    assert late.answer is not None


async def test_nothing_happens_to_a_case_that_has_ended(stores: Stores) -> None:
    case, _ = await stores.report(20)
    closed = await stores.tasks.enter(case.id, Step("close", "closed", "closed."), NOON)
    assert closed.closed_at == NOON
    step = Step("later", "working", "x")
    assert await stores.tasks.enter(case.id, step, NOON) == closed
    assert await stores.tasks.escalate(case.id, step, [ADMIN], NOON) == closed


async def test_step_of_an_unknown_case_is_an_error(stores: Stores) -> None:
    with pytest.raises(LookupError):
        await stores.tasks.enter(9, Step("open", "opened", ""), NOON)


@dataclass
class HandClock:
    """A clock that a test moves."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


async def test_step_that_always_fails_shows_on_the_case_with_its_reason(
    databases: Databases,
) -> None:
    post = ReportedPost(20, 30, AUTHOR, "", removed=False, removed_by_author=False)
    board = FakeModeration(post, **{f"u{MODERATOR}": "moderator"})  # type: ignore[arg-type]  # roles
    users = FakeUsers(reporter=Actor(1, "member"), moderator=Actor(MODERATOR, "moderator"))
    url, clock = await new_database(databases, "cases"), HandClock()
    settings = CaseSettings(cases_database_url=url)
    async with open_cases(settings, users, board, board, board, clock) as cases:
        write = ReportWrite.without_key()
        case, _ = await cases.service.report("reporter", post.id, "spam", None, write)

        async def in_state(state: str) -> Case | None:
            clock.now += timedelta(seconds=1)  # for the pauses between the attempts
            found = (await cases.service.show("moderator", case.id))[1]
            return found if found.state == state else None

        await eventually(lambda: in_state("working"), what="the case waits for somebody")
        board.failure = Conflict("They have a higher role by now.")
        choice = Choice(True, "ban-author", None)
        await cases.service.decide("moderator", case.id, choice, lambda _: None)
        failed = await eventually(lambda: in_state("failed"), within=40, what="the case fails")
        assert "They have a higher role by now." in (failed.history[-1].note or "")
        assert board.acts == []
        board.failure = None
        again, is_new = await cases.service.report(
            "reporter", post.id, "spam", None, ReportWrite.without_key()
        )
        assert (is_new, again.id != case.id) == (True, True)


@asynccontextmanager
async def watching(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that looks at the others of a database."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_two_hundred_waiting_cases_hold_no_connection_each(databases: Databases) -> None:
    url = await new_database(databases, "cases")
    posts = [
        ReportedPost(post, 30, AUTHOR, "", removed=False, removed_by_author=False)
        for post in range(1, WAITING + 1)
    ]
    board = FakeModeration(*posts, **{f"u{MODERATOR}": "moderator"})  # type: ignore[arg-type]  # roles
    users = FakeUsers(reporter=Actor(1, "member"), moderator=Actor(MODERATOR, "moderator"))
    settings = CaseSettings(cases_database_url=url, report_limit=0)
    async with (
        open_cases(settings, users, board, board, board) as cases,
        watching(url) as connection,
    ):
        for post in posts:
            write = ReportWrite.without_key()
            await cases.service.report("reporter", post.id, "spam", None, write)

        async def all_wait() -> bool:
            return (await cases.service.count("moderator"))["working"] == WAITING

        await eventually(all_wait, within=50, what="every case waits for somebody")

        async def without_transactions() -> list[str] | None:
            # A short transaction may be seen between two of its statements, but not each time.
            rows = await connection.fetch(
                """
                SELECT state FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """
            )
            states = [row["state"] for row in rows]
            return None if "idle in transaction" in states else states

        states = await eventually(without_transactions, what="no transaction is open")
        assert len(states) <= POOL + 1  # and the listener's
