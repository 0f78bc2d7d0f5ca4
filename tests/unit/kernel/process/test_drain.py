"""A process that is stopping serves until the load balancer sends no more requests."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from kernel.process.drain import Drain


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def _request(drain: Drain, address: str, path: str) -> None:
    async def receive() -> Message:
        raise AssertionError("nobody reads this body")

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody answers this request: {message}")

    scope: dict[str, Any] = {"type": "http", "client": (address, 40_000), "path": path}
    await drain(scope, receive, send)


class FakeTime:
    """A clock that only a sleep moves. Each of `events` happens at its second, during a sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.events: dict[float, Callable[[], Any]] = {}
        self.drain = Drain(_app, lambda: self.now, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        until = self.now + seconds
        for second in sorted(self.events):
            if self.now <= second <= until:
                self.now = second
                await self.events.pop(second)()
        self.now = max(self.now, until)

    def requests(self, seconds: int, address: str, path: str) -> None:
        """A request each second, for this many seconds."""
        for second in range(seconds):
            self.events[self.now + second] = lambda: _request(self.drain, address, path)

    def stall(self, after: float, seconds: float) -> None:
        """The process does not run for `seconds`, `after` seconds from now."""

        async def stand_still() -> None:
            self.now += seconds

        self.events[self.now + after] = stand_still

    async def waited(self, seconds: float, silence: float | None) -> float:
        """How long the drain lasted."""
        began = self.now
        await self.drain.wait(seconds, silence)
        return self.now - began


async def test_drain_ends_early_when_requests_stop() -> None:
    time = FakeTime()
    assert await time.waited(30, 4) == 4


async def test_drain_ends_after_silence_counted_from_the_last_request() -> None:
    time = FakeTime()
    time.requests(10, "192.0.2.7", "/readyz")
    assert await time.waited(30, 4) == 9 + 4


@pytest.mark.parametrize("path", ["/readyz", "/api/posts"])
async def test_drain_lasts_its_whole_time_while_requests_come(path: str) -> None:
    time = FakeTime()
    time.requests(60, "192.0.2.7", path)
    assert await time.waited(30, 4) == 30


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("127.0.0.1", "/readyz"),
        ("::1", "/readyz"),
        ("192.0.2.7", "/internal/threads/removed"),
    ],
    ids=["its machine", "its machine, over IPv6", "another service"],
)
async def test_requests_that_the_load_balancer_did_not_send_do_not_count(
    address: str, path: str
) -> None:
    time = FakeTime()
    time.requests(60, address, path)
    assert await time.waited(30, 4) == 4


async def test_silence_is_measured_again_after_the_process_was_stalled() -> None:
    time = FakeTime()
    time.stall(after=1, seconds=10)
    assert await time.waited(30, 4) == 1 + 10 + 4


async def test_drain_without_a_bound_on_silence_lasts_its_whole_time() -> None:
    assert await FakeTime().waited(30, None) == 30
