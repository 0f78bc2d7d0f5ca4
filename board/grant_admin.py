"""Makes a user an admin from the command line: the first admin, or if no admin can sign in."""

import logging

import asyncpg

log = logging.getLogger("board.grant_admin")


async def grant_admin(users_url: str, username: str) -> None:
    """Make the user with this name, in any case, an admin, and lift a ban on them.

    The ban is lifted because nobody could do so afterwards: admins cannot be moderated. Raises
    `ValueError` if there is no such user; also asyncpg's errors, and `OSError`.
    """
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
