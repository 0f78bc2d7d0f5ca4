"""Limits on the number of uses within a window of time, for a user or an address, across all
processes of a context.

Stored in the context's table `allowances`. A window begins with its first use. One that begins more
than its own length in the future does not count: the clock has been set back since.
"""

import math
from datetime import datetime, timedelta

from kernel.data.database import Connection, Database
from kernel.errors import Policy, TooManyRequests

_CLEANED_AT_ONCE = 10


async def spend(
    connection: Connection, subject: str, policy: Policy, now: datetime, refusal: str
) -> None:
    """Count one use, in the transaction of its effect, so that a rollback does not count. Raises
    `TooManyRequests`, with the sentence `refusal`, if the quota is used up. A quota of 0 is no
    limit."""
    if policy.quota == 0:
        return
    window = timedelta(seconds=policy.window)
    expired = now - window
    counted = await connection.fetchval(
        """
        INSERT INTO allowances AS known (subject, policy, began_at, used) VALUES ($1, $2, $3, 1)
        ON CONFLICT (subject, policy) DO UPDATE SET
            began_at = CASE
                WHEN known.began_at > $4 AND known.began_at <= $6 THEN known.began_at ELSE $3
            END,
            used = CASE
                WHEN known.began_at > $4 AND known.began_at <= $6 THEN known.used + 1 ELSE 1
            END
        WHERE known.began_at <= $4 OR known.began_at > $6 OR known.used < $5
        RETURNING true
        """,
        subject,
        policy.name,
        now,
        expired,
        policy.quota,
        now + window,
    )
    if not counted:
        await _check(connection, subject, policy, now, refusal)
    await connection.execute(
        """
        DELETE FROM allowances WHERE (subject, policy) IN (
            SELECT subject, policy FROM allowances WHERE policy = $1 AND began_at <= $2
            LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        """,
        policy.name,
        expired,
        _CLEANED_AT_ONCE,
    )


async def check(
    database: Database, subject: str, policy: Policy, now: datetime, refusal: str
) -> None:
    """Raises `TooManyRequests` if the quota is used up, without counting: call it before expensive
    work that precedes the transaction with `spend`."""
    if policy.quota == 0:
        return
    async with database.connection() as connection:
        await _check(connection, subject, policy, now, refusal)


async def _check(
    connection: Connection, subject: str, policy: Policy, now: datetime, refusal: str
) -> None:
    window = timedelta(seconds=policy.window)
    began: datetime | None = await connection.fetchval(
        """
        SELECT began_at FROM allowances
        WHERE subject = $1 AND policy = $2 AND began_at > $3 AND began_at <= $4 AND used >= $5
        """,
        subject,
        policy.name,
        now - window,
        now + window,
        policy.quota,
    )
    if began is not None:
        wait = (began + window - now).total_seconds()
        raise TooManyRequests(refusal, policy, math.ceil(wait))
