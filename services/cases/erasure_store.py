"""The reporters of posts, in PostgreSQL."""

from collections.abc import Sequence

from kernel.data.database import Database


class ErasureStore:
    """Lists and erases reporters. Raises `Unavailable` when the database is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def people(self, after: int, limit: int) -> Sequence[int]:
        """The ids of users who have reported something, in order, after this id."""
        rows = await self._database.rows(
            "SELECT DISTINCT reporter FROM reports WHERE reporter > $1 ORDER BY reporter LIMIT $2",
            after,
            limit,
        )
        return [row["reporter"] for row in rows]

    async def erase(self, people: Sequence[int]) -> None:
        """Remove these users and their notes from their reports."""
        await self._database.row(
            "UPDATE reports SET reporter = NULL, note = NULL WHERE reporter = ANY($1)", people
        )
