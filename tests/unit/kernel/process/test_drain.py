"""A process that stops serves until the load balancer has let go, and no longer than it must."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from kernel.process.drain import Drain


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def _ask(drain: Drain, address: str, path: str) -> None:
    async def receive() -> Message:
        raise AssertionError("nobody reads this body")

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody answers this request: {message}")

    scope: dict[str, Any] = {"type": "http", "client": (address, 40_000), "path": path}
    await drain(scope, receive, send)


@asynccontextmanager
async def _asking(drain: Drain, address: str, path: str) -> AsyncIterator[None]:
    async def ask() -> None:
        while True:
            await _ask(drain, address, path)
            await asyncio.sleep(0.02)

    asker = asyncio.create_task(ask())
    try:
        yield
    finally:
        asker.cancel()


async def _waited(drain: Drain, seconds: float, silence: float | None) -> float:
    began = time.monotonic()
    await drain.wait(seconds, silence)
    return time.monotonic() - began


async def test_it_ends_early_when_nobody_asks_any_more() -> None:
    assert 0.1 <= await _waited(Drain(_app, time.monotonic), 30, 0.1) < 20


@pytest.mark.parametrize("path", ["/readyz", "/api/posts"])
async def test_it_lasts_its_time_while_somebody_asks(path: str) -> None:
    drain = Drain(_app, time.monotonic)
    async with _asking(drain, "192.0.2.7", path):
        assert 1 <= await _waited(drain, 1, 0.5) < 20


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("127.0.0.1", "/readyz"),
        ("::1", "/readyz"),
        ("192.0.2.7", "/internal/threads/removed"),
    ],
    ids=["its machine", "its machine, over IPv6", "another service"],
)
async def test_what_is_not_the_load_balancers_does_not_count(address: str, path: str) -> None:
    drain = Drain(_app, time.monotonic)
    async with _asking(drain, address, path):
        assert await _waited(drain, 30, 0.1) < 20


async def test_who_was_held_up_counts_silence_anew() -> None:
    drain = Drain(_app, time.monotonic)
    began = time.monotonic()
    asyncio.get_running_loop().call_later(0.1, time.sleep, 1)
    await drain.wait(30, 0.4)
    assert time.monotonic() - began >= 0.1 + 1 + 0.4


async def test_without_a_bound_on_silence_it_lasts_its_time() -> None:
    assert await _waited(Drain(_app, time.monotonic), 0.2, None) >= 0.2
