"""How the deadline of a call is read, written and passed on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from kernel.calls.deadline import FIELD, Deadline, current_deadline, read, shortened, write
from kernel.http.input.deadline import CallDeadline


@contextmanager
def calling(deadline: Deadline) -> Iterator[None]:
    """Serve a call with this deadline."""
    restore = current_deadline.set(deadline)
    try:
        yield
    finally:
        current_deadline.reset(restore)


@pytest.mark.parametrize(("value", "seconds"), [(b"1", 0.001), (b"400", 0.4), (b"60000", 60.0)])
def test_reads_milliseconds(value: bytes, seconds: float) -> None:
    assert read(value) == seconds
    assert write(seconds).encode() == value


@pytest.mark.parametrize(
    "value", [b"", b"0", b"-1", b"+1", b"1.5", b"60001", b"99999999", b" 1", b"1e3", b"\xd9\xa1"]
)
def test_ignores_invalid_values(value: bytes) -> None:
    assert read(value) is None


@pytest.mark.parametrize(("seconds", "value"), [(0.0001, "1"), (3600.0, "60000")])
def test_writes_within_bounds(seconds: float, value: str) -> None:
    assert write(seconds) == value


def test_call_takes_no_longer_than_the_callers_own_deadline() -> None:
    now = 10.0
    assert shortened(0.4) == 0.4
    with calling(Deadline.after(0.3, lambda: now)):
        now += 0.1
        assert shortened(0.4) == pytest.approx(0.2)
        assert shortened(0.1) == 0.1
        now += 0.5
        assert shortened(0.4) < 0


class Work:
    """An application that works for a long time, or answers with its deadline."""

    def __init__(self, *, long: bool) -> None:
        self._long = long
        self.cancelled = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._long:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        deadline = current_deadline.get()
        text = "none" if deadline is None else f"{deadline.remaining():.0f}"
        await PlainTextResponse(text)(scope, receive, send)


async def get(app: CallDeadline, path: str, value: str) -> httpx.Response:
    """The response to a request with that value of the field."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://threads") as client:
        return await client.get(path, headers={FIELD: value})


async def test_work_ends_at_the_deadline_of_the_call() -> None:
    work = Work(long=True)
    response = await get(CallDeadline(work), "/internal/threads/7", "1")
    assert work.cancelled
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/unavailable"
    assert response.headers["retry-after"]


async def test_deadline_of_the_call_is_known_while_it_is_served() -> None:
    response = await get(CallDeadline(Work(long=False)), "/internal/threads/7", "30000")
    assert response.text == "30"
    assert current_deadline.get() is None


@pytest.mark.parametrize("path", ["/api/threads", "/internalities", "/"])
async def test_clients_cannot_set_a_deadline(path: str) -> None:
    response = await get(CallDeadline(Work(long=False)), path, "30000")
    assert response.text == "none"


async def test_invalid_deadline_is_ignored() -> None:
    response = await get(CallDeadline(Work(long=False)), "/internal/threads/7", "soon")
    assert response.text == "none"
