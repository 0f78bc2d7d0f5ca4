"""The removed threads that the posts context knows, in PostgreSQL."""

from kernel.contracts import Removals
from kernel.data.database import Database
from services.posts.store import THREAD_CHANGED


class RemovalStore:
    """Stores which threads have been removed. Raises `Unavailable` if the database is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def removal_position(self) -> int:
        """The position up to which removals have been stored."""
        row = await self._database.row("SELECT position FROM removals")
        assert row is not None  # noqa: S101 - the migration puts the one row in
        position: int = row["position"]
        return position

    async def apply_removals(self, removals: Removals) -> None:
        """Hide the posts of these threads, delete their read positions, and store how far the
        removals have been applied."""
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                INSERT INTO removed_threads SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING
                """,
                removals.threads,
            )
            await connection.execute(
                "DELETE FROM read_positions WHERE thread = ANY($1)", removals.threads
            )
            await connection.execute(
                "UPDATE removals SET position = greatest(position, $1)", removals.position
            )
            await connection.execute(
                "SELECT pg_notify($1, thread::text) FROM unnest($2::bigint[]) AS thread",
                THREAD_CHANGED,
                removals.threads,
            )
