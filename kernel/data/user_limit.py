"""The limit on how often one user may do something, across all processes.

What was done further in the future than the limit's window does not count: the clock has been set
back since.
"""

import math
from datetime import datetime, timedelta
from typing import Final

from kernel.data.database import Connection, FetchRow
from kernel.errors import Policy, TooManyRequests


def counting(
    user: str, policy: str, now: str, earliest: str, latest: str, condition: str = "true"
) -> str:
    """The statement that counts an act, with these placeholders: it has a row if the user may act,
    and none if they did so after `earliest` and until `latest`, a window before and after `now`.
    Without the `condition`, nothing is counted."""
    return f"""
        INSERT INTO last_done AS known (user_id, policy, at)
        SELECT {user}::bigint, {policy}::text, {now}::timestamptz WHERE {condition}
        ON CONFLICT (user_id, policy) DO UPDATE SET at = excluded.at
        WHERE known.at <= {earliest} OR known.at > {latest}
        RETURNING true
    """


_COUNT: Final = counting("$1", "$2", "$3", "$4", "$5")


async def enforce_user_limit(
    connection: Connection, user: int, policy: Policy, now: datetime, refusal: str
) -> None:
    """Raises `TooManyRequests`, with the sentence `refusal`, if the user did the same within the
    policy's window, in any process. Call it in the transaction of the effect, so that a rollback
    does not count. A window of 0 s is no limit."""
    if policy.window == 0:
        return
    window = timedelta(seconds=policy.window)
    counted = await connection.fetchval(_COUNT, user, policy.name, now, now - window, now + window)
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
