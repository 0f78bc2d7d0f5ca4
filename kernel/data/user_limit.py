"""The limit on how often one user may do something, across all processes.

What was done further in the future than the limit's window does not count: the clock has been set
back since.
"""

import math
from datetime import datetime, timedelta

from kernel.data.database import Connection, FetchRow
from kernel.errors import Policy, TooManyRequests


async def enforce_user_limit(
    connection: Connection, user: int, policy: Policy, now: datetime, refusal: str
) -> None:
    """Raises `TooManyRequests`, with the sentence `refusal`, if the user did the same within the
    policy's window, in any process. Call it in the transaction of the effect, so that a rollback
    does not count. A window of 0 s is no limit."""
    if policy.window == 0:
        return
    window = timedelta(seconds=policy.window)
    counted = await connection.fetchval(
        """
        INSERT INTO last_done AS known (user_id, policy, at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, policy) DO UPDATE SET at = excluded.at
        WHERE known.at <= $4 OR known.at > $5
        RETURNING true
        """,
        user,
        policy.name,
        now,
        now - window,
        now + window,
    )
    if not counted:
        await check_user_limit(connection.fetchrow, user, policy, now, refusal)


async def check_user_limit(
    fetch: FetchRow, user: int, policy: Policy, now: datetime, refusal: str
) -> None:
    """Raises as `enforce_user_limit` would, without counting: call it before expensive work that
    precedes the transaction."""
    if policy.window == 0:
        return
    window = timedelta(seconds=policy.window)
    row = await fetch(
        "SELECT at FROM last_done WHERE user_id = $1 AND policy = $2 AND at > $3 AND at <= $4",
        user,
        policy.name,
        now - window,
        now + window,
    )
    if row is not None:
        wait = math.ceil((row["at"] + window - now).total_seconds())
        raise TooManyRequests(refusal, policy, wait)
