"""The other contexts as cases sees them: acts that commit for themselves, once for each key."""

from collections.abc import Sequence

from kernel.contracts import Moderator, ReportedPost
from kernel.data.database import Database

MODERATOR, ADMIN, AUTHOR = 1, 2, 3


class ActingContexts:
    """Implements `UserModeration`, `ThreadModeration` and `Posts` on the tables of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def moderators(self) -> Sequence[Moderator]:
        return [
            Moderator(MODERATOR, "mod", "Mod", "moderator"),
            Moderator(ADMIN, "ada", "Ada", "admin"),
        ]

    async def departed(self, users: Sequence[int]) -> Sequence[int]:
        return [user for user in users if user < 0]

    async def post_for_case(self, post: int) -> ReportedPost:
        return ReportedPost(post, post, AUTHOR, "text", removed=False, removed_by_author=False)

    async def remove_post(self, post: int, moderator: int, reason: str, key: str) -> None:
        await self._act(post, f"{moderator} removes: {reason}", key)

    async def lock_thread(self, thread: int, moderator: int, reason: str, key: str) -> None:
        await self._act(thread, f"{moderator} locks: {reason}", key)

    async def ban_user(self, user: int, moderator: int, reason: str, key: str) -> None:
        await self._act(user, f"{moderator} bans: {reason}", key)

    async def _act(self, subject: int, what: str, key: str) -> None:
        await self._database.write(
            "INSERT INTO ledger_calls VALUES ($1, $2, $3) RETURNING true", subject, what, key
        )
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO ledger_acts VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", subject, key
            )
