"""Makes somebody an admin, from the command line: the first one, or when no other can."""

import logging

import asyncpg

log = logging.getLogger("board.grant_admin")


async def grant_admin(users_url: str, username: str) -> None:
    """Make the user of this name, whatever its case, an admin, and lift a ban on them, since nobody
    else could lift an admin's. May be repeated. Raises `ValueError` when there is no such user, and
    asyncpg's errors and `OSError`."""
    connection = await asyncpg.connect(users_url, timeout=10)
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                """
                UPDATE users SET role = 'admin'
                WHERE lower(username) = lower($1) AND deleted_at IS NULL RETURNING id, username
                """,
                username,
            )
            if row is None:
                raise ValueError(f"There is no user named {username!r}.")
            await connection.execute("DELETE FROM bans WHERE user_id = $1", row["id"])
    finally:
        await connection.close()
    log.info("%s is an admin", row["username"])
