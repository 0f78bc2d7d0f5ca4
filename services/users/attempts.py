"""Counts wrong passwords in the database, so that the limits apply across all processes."""

import asyncio
import hashlib
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.data.database import Connection, Database
from kernel.errors import Policy, TooManyRequests
from kernel.process.clock import Clock
from services.users.settings import SignInLimits

_UNDECIDED = timedelta(seconds=10)  # after that its process must have died, and it counts as failed
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_CLEANED_AT_ONCE = 100
_LONGEST_WAIT = 5 * 60.0
_DOUBLINGS = 10  # more than the longest wait needs
_KNOWN_FOR = timedelta(days=90)

_Wait = tuple[float | None, Policy]
"""Seconds until an attempt is allowed: None if it is now, 0 if that depends on undecided ones."""


def name_key(username: str) -> bytes:
    """The value that is stored for a typed name; it is the same for any case."""
    return hashlib.sha256(username.lower().encode()).digest()


class SignInAttempts:
    """Counts each attempt before its password is checked, and removes it if the password was right.
    So even simultaneous attempts cannot have more wrong passwords than the limits allow.

    A name that has signed in from an address in the last 90 days is not delayed by the failures of
    other names from that address.
    """

    def __init__(self, database: Database, limits: SignInLimits, clock: Clock) -> None:
        self._database = database
        self._for_name = limits.for_name
        self._for_address = limits.for_address
        self._clock = clock

    async def begin(self, username: str, address: str) -> int:
        """Count an attempt, and return its id. Raises `TooManyRequests`. If only undecided attempts
        prevent it, waits a while for their results."""
        for pause in _PAUSES:
            attempt = await self._try_to_begin(username, address)
            if attempt is not None:
                return attempt
            await asyncio.sleep(pause)
        raise TooManyRequests(
            "Too many people sign in at once from this address.", self._for_address, 1
        )

    async def end(self, attempt: int, *, right: bool) -> None:
        """Record the result of an attempt. If the password was right, the attempt is deleted and
        the address is stored as known for the name."""
        if right:
            await self._database.row(
                """
                WITH attempt AS (DELETE FROM sign_in_attempts WHERE id = $1 RETURNING name, address)
                INSERT INTO known_addresses (name, address, last_at)
                SELECT name, address, $2 FROM attempt
                ON CONFLICT (name, address) DO UPDATE SET last_at = excluded.last_at
                """,
                attempt,
                self._clock(),
            )
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
            waits = [await self._wait_for_name(connection, name, address, now)]
            if not await self._is_known(connection, name, address):
                waits.append(await self._wait_for_address(connection, address, now))
            attempt: int | None = None
            if not any(wait is not None for wait, _ in waits):
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

    async def _wait_for_name(
        self, connection: Connection, name: bytes, address: str, now: datetime
    ) -> _Wait:
        policy = self._for_name
        failures, undecided = await self._count(connection, address, name, policy, now)
        if len(failures) + undecided < policy.quota:
            return None, policy
        if len(failures) < policy.quota:
            return 0, policy
        end = failures[policy.quota - 1] + timedelta(seconds=policy.window)
        return (end - now).total_seconds(), policy

    async def _wait_for_address(self, connection: Connection, address: str, now: datetime) -> _Wait:
        """Above the quota, only one attempt at a time is allowed, and the wait doubles after each
        wrong password. Blocking the address would block everybody who shares it."""
        policy = self._for_address
        failures, undecided = await self._count(connection, address, None, policy, now)
        if len(failures) + undecided < policy.quota:
            return None, policy
        if undecided:
            return 0, policy
        doublings = min(len(failures) - policy.quota, _DOUBLINGS)
        wait = min(2.0**doublings, _LONGEST_WAIT) - (now - failures[0]).total_seconds()
        return (wait if wait > 0 else None), policy

    async def _count(
        self,
        connection: Connection,
        address: str,
        name: bytes | None,
        policy: Policy,
        now: datetime,
    ) -> tuple[Sequence[datetime], int]:
        """The times of the failures in the policy's window, newest first, and the number of
        undecided attempts. Those further in the future than the window do not count: the clock has
        been set back since."""
        window = timedelta(seconds=policy.window)
        rows = await connection.fetch(
            """
            SELECT at, failed OR at <= $3 AS failed FROM sign_in_attempts
            WHERE address = $1 AND at > $2 AND at <= $5 AND ($4::bytea IS NULL OR name = $4)
            ORDER BY at DESC
            """,
            address,
            now - window,
            now - _UNDECIDED,
            name,
            now + window,
        )
        failures = [row["at"] for row in rows if row["failed"]]
        return failures, len(rows) - len(failures)

    async def _is_known(self, connection: Connection, name: bytes, address: str) -> bool:
        known: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM known_addresses WHERE name = $1 AND address = $2)",
            name,
            address,
        )
        return known

    def _check(self, waits: Sequence[_Wait]) -> None:
        longest, policy = max(((wait or 0, policy) for wait, policy in waits), key=lambda w: w[0])
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
        await connection.execute(
            """
            DELETE FROM known_addresses WHERE (name, address) IN (
                SELECT name, address FROM known_addresses WHERE last_at <= $1
                LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            """,
            now - _KNOWN_FOR,
            _CLEANED_AT_ONCE,
        )
