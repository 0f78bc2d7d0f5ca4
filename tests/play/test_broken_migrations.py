"""A migration that is carried out well passes the audit; one that is broken on purpose does not.

`make strangle`, a step of .ci/run, shows the first; tests/unit/strangle/test_audit.py shows that
each check of the audit fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import asyncpg
import pytest

from strangle.audit import Check
from strangle.board import PlayedBoard
from strangle.play import Play
from strangle.steps import Step
from tests.deployments import databases_of_a_run
from topology.contexts import CONTEXT_NAMES
from topology.deployments import MONOLITH, PAGE

pytestmark = [pytest.mark.twice, pytest.mark.timeout(150)]

FAILED = "no request failed"
STALE = "nobody saw an older state after a newer one"
COUNTED = "every post is counted"


def step(run: Callable[[PlayedBoard], Awaitable[None]]) -> Step:
    return Step("shift", run.__name__, "A sentence.", "make nothing", run)


def shift(service: str, share: int, *, force: bool = False) -> Step:
    async def shifted(board: PlayedBoard) -> None:
        await board.shift(service, share, force=force)

    return step(shifted)


def start(server: str) -> Step:
    async def started(board: PlayedBoard) -> None:
        await board.start(server)

    return step(started)


async def played(board: PlayedBoard, *steps: Step, pause: float = 1.5) -> Mapping[str, Check]:
    """The audit of these steps, under a load of 60 requests a second."""

    async def between(_: Step) -> None:
        await asyncio.sleep(pause)

    play = Play(board, steps, rate=60, streams=4, between=between)
    result = await play.run(asyncio.Event())
    return {check.name: check for check in result.checks}


def failures(checks: Mapping[str, Check]) -> set[str]:
    return {name for name, check in checks.items() if not check.passed}


@asynccontextmanager
async def database(board: PlayedBoard, context: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(databases_of_a_run(board.data_folder)[context])
    try:
        yield connection
    finally:
        await connection.close()


async def test_sound_migration_passes(board: PlayedBoard) -> None:
    last = CONTEXT_NAMES[-1]
    shares = [shift(last, share) for share in (1, 50, 100, 0)]
    checks = await played(board, start(last), *shares)
    assert failures(checks) == set(), checks


async def test_step_that_the_board_refuses_is_noticed(board: PlayedBoard) -> None:
    checks = await played(board, shift(PAGE, 50), shift(PAGE, 0))
    assert failures(checks) == {"every step was carried out"}
    assert "web does not run" in checks["every step was carried out"].problems[0]


async def test_rule_before_the_target_is_healthy_is_noticed(board: PlayedBoard) -> None:
    assert PAGE not in await board.running()
    checks = await played(board, shift(PAGE, 50, force=True), shift(PAGE, 0))
    assert FAILED in failures(checks)
    assert "GET / at the gateway: 503" in checks[FAILED].problems[0]


async def test_monolith_that_is_killed_without_a_drain_is_noticed(board: PlayedBoard) -> None:
    async def kill(board: PlayedBoard) -> None:
        await board.kill(MONOLITH)

    checks = await played(board, step(kill))
    assert FAILED in failures(checks)


async def test_activity_that_is_never_delivered_is_noticed(board: PlayedBoard) -> None:
    async with database(board, "posts") as posts:
        await posts.execute(
            """
            CREATE FUNCTION pretend() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN NEW.delivered := NEW.version; RETURN NEW; END';
            CREATE TRIGGER pretend BEFORE INSERT OR UPDATE ON thread_activity
            FOR EACH ROW EXECUTE FUNCTION pretend()
            """
        )
        try:
            checks = await played(board, shift(CONTEXT_NAMES[-1], 0))
        finally:
            await posts.execute("DROP FUNCTION pretend CASCADE")
    assert failures(checks) == {COUNTED}


async def test_cache_that_is_not_notified_is_noticed(board: PlayedBoard) -> None:
    async def silence(_: PlayedBoard) -> None:
        async with database(board, "posts") as posts:
            await posts.execute("ALTER TABLE posts DISABLE TRIGGER USER")

    await board.start("posts")
    try:
        checks = await played(board, shift("posts", 50), step(silence), pause=6.0)
    finally:
        async with database(board, "posts") as posts:
            await posts.execute("ALTER TABLE posts ENABLE TRIGGER USER; NOTIFY changes, '*'")
        await board.shift("posts", 0)
    assert STALE in failures(checks)
