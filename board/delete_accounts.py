"""Deletes accounts from the command line: those that a restore has brought back."""

import logging
from collections.abc import Sequence

from kernel.data.database import Database
from kernel.process.clock import Clock, utc_now
from services.users.user_for_update import select_user_for_update

log = logging.getLogger("board.delete_accounts")


async def delete_accounts(users_url: str, users: Sequence[int], clock: Clock = utc_now) -> None:
    """Delete the personal data of these users, as if they had deleted their accounts: from the
    users context now, and from the others within ten minutes while the board runs.

    An account that is deleted already stays as it is. Raises `ValueError` if there is no such user;
    those before it are then deleted. Also asyncpg's errors, and `OSError`.
    """
    async with Database.open(users_url) as database:
        for user in users:
            async with database.transaction() as connection:
                found = await select_user_for_update(connection, user, clock(), lock_admins=True)
                if found is None:
                    raise ValueError(f"There is no user with the id {user}.")
                if found.standing.password_hash is None:
                    log.info("user %d is deleted already", user)
                    continue
                await found.leave()
            log.info("user %d: deleted", user)
