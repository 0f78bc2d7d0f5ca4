"""Commands wait for a paused database, and log it; they report other errors themselves."""

import logging
import ssl

import asyncpg
import pytest

from board.waking import wait_until_awake


class Sleeper:
    """A fake server that refuses a number of connections before it accepts one."""

    def __init__(self, wakes_after: int, then: Exception | None = None) -> None:
        self.asked = 0
        self.slept = 0
        self._wakes_after = wakes_after
        self._then = then
        self._refusals = [
            ConnectionResetError("reset by peer"),
            TimeoutError(),
            asyncpg.CannotConnectNowError("the database system is starting up"),
            asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        ]

    async def connect(self, _: str) -> None:
        self.asked += 1
        if self.asked <= self._wakes_after:
            raise self._refusals[self.asked % len(self._refusals)]
        if self._then is not None:
            raise self._then

    async def sleep(self, _: float) -> None:
        self.slept += 1


async def test_command_waits_for_a_sleeping_database_and_logs_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Sleeper(7)
    with caplog.at_level(logging.INFO, "board.waking"):
        await wait_until_awake("postgresql://x", 90, server.connect, server.sleep)
    assert (server.asked, server.slept) == (8, 7)
    [said] = [record.getMessage() for record in caplog.records]
    assert "it may be waking up: waiting up to 90 seconds" in said


async def test_database_that_is_awake_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    server = Sleeper(0)
    await wait_until_awake("postgresql://x", 90, server.connect, server.sleep)
    assert (server.asked, server.slept, caplog.records) == (1, 0, [])


async def test_permanent_refusal_is_left_to_the_command() -> None:
    server = Sleeper(1, asyncpg.InvalidPasswordError("no"))
    await wait_until_awake("postgresql://x", 90, server.connect, server.sleep)
    assert server.asked == 2


async def test_timeout_raises_the_last_error() -> None:
    server = Sleeper(1000)
    with pytest.raises((OSError, TimeoutError, asyncpg.PostgresError)):
        await wait_until_awake("postgresql://x", 0, server.connect, server.sleep)
    assert server.asked == 1


async def test_wrong_certificate_is_not_waited_for() -> None:
    server = Sleeper(0, ssl.SSLCertVerificationError("hostname mismatch"))
    await wait_until_awake("postgresql://x", 90, server.connect, server.sleep)
    assert server.asked == 1
