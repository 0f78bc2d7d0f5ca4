"""The load that a class watches: sent on time, whatever the board does."""

import asyncio
from collections.abc import Callable, Coroutine

import httpx
import pytest

from rollout import traffic
from rollout.errors import CannotRollOutError
from rollout.traffic import MAX_OPEN, MAX_RATE, Plan, Seen
from tests.eventually import eventually

Respond = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


async def play(
    plan: Plan, respond: Respond, lines: list[str] | None = None
) -> tuple[Seen, list[str]]:
    lines = [] if lines is None else lines
    transport = httpx.MockTransport(respond)
    async with httpx.AsyncClient(base_url="http://board.example", transport=transport) as http:
        return await traffic.run(plan, http, lines.append), lines


async def answer(request: httpx.Request) -> httpx.Response:
    server = "posts" if request.url.path == "/api/posts" else "monolith"
    return httpx.Response(200, headers={"X-Served-By": f"{server}/{server}-1"})


async def test_each_second_has_a_line_and_each_server_its_number() -> None:
    seen, lines = await play(Plan(rate=40, seconds=2, port=8080), answer)
    assert (seen.sent, sum(seen.failures.values()), len(seen.milliseconds)) == (80, 0, 80)
    assert seen.servers == {"monolith": 64, "posts": 16}
    assert len(lines) == 2
    assert "0 failed" in lines[0]
    assert traffic.summary(seen).startswith("In all: 80 sent, 0 failed, median ")


async def test_requests_are_sent_on_time_while_none_is_answered() -> None:
    arrived = 0
    everybody = asyncio.Event()

    async def hang_until_all_have_arrived(_request: httpx.Request) -> httpx.Response:
        nonlocal arrived
        arrived += 1
        if arrived == 1:  # the first look whether there is a board
            return httpx.Response(200)
        if arrived == 51:
            everybody.set()
        await everybody.wait()
        return httpx.Response(200)

    seen, _ = await play(Plan(rate=50, seconds=1, port=8080), hang_until_all_have_arrived)
    assert (seen.sent, len(seen.milliseconds)) == (50, 50)
    # The first was due almost a second before the last arrived, and is counted from then.
    assert max(seen.milliseconds) > 500


async def test_requests_beyond_the_bound_are_not_sent_and_have_failed() -> None:
    arrived = 0
    never = asyncio.Event()

    async def hang(_request: httpx.Request) -> httpx.Response:
        nonlocal arrived
        arrived += 1
        if arrived > 1:
            await never.wait()
        return httpx.Response(200)

    lines: list[str] = []

    async def two_seconds_and_more() -> bool:
        return len(lines) == 3

    plan = Plan(rate=MAX_RATE, seconds=60, port=8080)
    playing = asyncio.create_task(play(plan, hang, lines))
    await eventually(two_seconds_and_more, within=30)
    playing.cancel()
    seen, _ = await playing
    assert arrived == 1 + MAX_OPEN
    assert seen.failures["not sent, too many wait already"] == seen.sent - MAX_OPEN > 0


async def test_errors_are_counted_by_reason() -> None:
    async def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/":
            raise httpx.ConnectError("refused")
        return httpx.Response(503 if request.url.path == "/api/users" else 200)

    seen, _ = await play(Plan(rate=40, seconds=1, port=8080), respond)
    assert seen.failures == {"ConnectError": 8, "503": 8}
    assert traffic.summary(seen).endswith("Failed: ConnectError (8), 503 (8)")


async def test_absent_board_is_reported() -> None:
    async def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(CannotRollOutError, match="no board answers on port 8080: make run"):
        await play(Plan(rate=1, seconds=1, port=8080), refuse)


def test_settings_have_defaults() -> None:
    assert traffic.read({"RATE": ""}) == Plan(rate=20, seconds=60, port=8080)


@pytest.mark.parametrize(
    ("name", "value"),
    [("RATE", "0"), ("RATE", "201"), ("RATE", "ten"), ("SECONDS", "-1"), ("PORT", "65536")],
)
def test_invalid_setting_is_rejected(name: str, value: str) -> None:
    with pytest.raises(
        CannotRollOutError, match=f"{name}={value}: it must be a whole number from 1"
    ):
        traffic.read({name: value})
