"""Counting wrong passwords in the database, so that the limits hold over all instances."""

import asyncio
import hashlib
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.data.database import Connection, Database
from kernel.errors import Policy, TooManyRequests
from kernel.process.clock import Clock
from services.users.settings import SignInLimits

_UNDECIDED = timedelta(seconds=10)  # then whoever was verifying has died, and it counts as failed
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_CLEANED_AT_ONCE = 100


def name_key(username: str) -> bytes:
    """What a typed name is kept as, whatever its case."""
    return hashlib.sha256(username.lower().encode()).digest()


class SignInAttempts:
    """Each attempt is counted before its password is looked at, and taken back when that was right.
    So however many come at once, never more of them are wrong than the limits allow."""

    def __init__(self, database: Database, limits: SignInLimits, clock: Clock) -> None:
        self._database = database
        self._for_name = limits.for_name
        self._for_address = limits.for_address
        self._clock = clock

    async def begin(self, username: str, address: str) -> int:
        """Count an attempt, and return its number. Raises `TooManyRequests`. When it is only for
        attempts still being decided that there is no room, waits for those a while."""
        for pause in _PAUSES:
            attempt = await self._try_to_begin(username, address)
            if attempt is not None:
                return attempt
            await asyncio.sleep(pause)
        raise TooManyRequests(
            "Too many people sign in at once from this address.", self._for_address, 1
        )

    async def end(self, attempt: int, *, right: bool) -> None:
        """Tell how the attempt went. One with the right password is forgotten."""
        if right:
            await self._database.row("DELETE FROM sign_in_attempts WHERE id = $1", attempt)
        else:
            await self._database.row(
                "UPDATE sign_in_attempts SET failed = true WHERE id = $1", attempt
            )

    async def _try_to_begin(self, username: str, address: str) -> int | None:
        name, now = name_key(username), self._clock()
        async with self._database.transaction() as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('sign in from ' || $1, 0))", address
            )
            waits = [
                await self._wait(connection, self._for_name, now, address, name),
                await self._wait(connection, self._for_address, now, address, None),
            ]
            attempt: int | None = None
            if waits == [None, None]:
                attempt = await connection.fetchval(
                    """
                    INSERT INTO sign_in_attempts (name, address, at) VALUES ($1, $2, $3)
                    RETURNING id
                    """,
                    name,
                    address,
                    now,
                )
            await self._forget(connection, now)
        self._check(waits)
        return attempt

    async def _wait(
        self,
        connection: Connection,
        policy: Policy,
        now: datetime,
        address: str,
        name: bytes | None,
    ) -> float | None:
        """Seconds until there is room: None when there is, 0 when that is being decided."""
        window = timedelta(seconds=policy.window)
        rows = await connection.fetch(
            """
            SELECT at, failed OR at <= $3 AS failed FROM sign_in_attempts
            WHERE address = $1 AND at > $2 AND ($4::bytea IS NULL OR name = $4)
            ORDER BY at DESC
            """,
            address,
            now - window,
            now - _UNDECIDED,
            name,
        )
        if len(rows) < policy.quota:
            return None
        failures = [row["at"] for row in rows if row["failed"]]
        if len(failures) < policy.quota:
            return 0
        at: datetime = failures[policy.quota - 1]
        return (at + window - now).total_seconds()

    def _check(self, waits: Sequence[float | None]) -> None:
        by_wait = [(wait or 0, policy) for wait, policy in
                   zip(waits, (self._for_name, self._for_address), strict=True)]  # fmt: skip
        longest, policy = max(by_wait, key=lambda pair: pair[0])
        if longest > 0:
            raise TooManyRequests(
                "Too many wrong passwords. Wait before you try again.", policy, math.ceil(longest)
            )

    async def _forget(self, connection: Connection, now: datetime) -> None:
        longest = max(self._for_name.window, self._for_address.window)
        await connection.execute(
            """
            DELETE FROM sign_in_attempts WHERE id = ANY(ARRAY(
                SELECT id FROM sign_in_attempts WHERE at <= $1
                LIMIT $2 FOR UPDATE SKIP LOCKED
            ))
            """,
            now - timedelta(seconds=longest),
            _CLEANED_AT_ONCE,
        )
