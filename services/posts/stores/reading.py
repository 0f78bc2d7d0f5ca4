"""Read positions, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kernel.data import allowance
from kernel.data.database import Connection, Database
from kernel.errors import Policy
from services.posts.model import MOST_UNREAD, ReadPosition, ReadPositions, Unread

MOST_POSITIONS: Final = 1_000
"""The most threads whose position is stored for one user."""

_RECORDED_MUCH: Final = "You read faster than the board can record. Wait a little."
_NEWEST: Final = "SELECT coalesce(max(id), 0) FROM posts"


class ReadingStore:
    """Stores how far users have read. Raises `Unavailable` if the database is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unread(self, user: int, threads: Sequence[int]) -> Sequence[Unread]:
        """What is unread in each of these threads, in their order. Own posts never are."""
        rows = await self._database.rows(
            f"""
            SELECT wanted.thread, coalesce(known.post, reader.read_up_to) AS read_up_to,
                coalesce(newer.count, 0) AS count, newer.first
            FROM unnest($2::bigint[]) WITH ORDINALITY AS wanted (thread, place)
            LEFT JOIN readers AS reader ON reader.user_id = $1
            LEFT JOIN read_positions AS known
                ON known.user_id = $1 AND known.thread = wanted.thread
            LEFT JOIN LATERAL (
                SELECT count(*) AS count, min(id) AS first
                FROM (
                    SELECT id FROM posts
                    WHERE posts.thread = wanted.thread
                        AND id > coalesce(known.post, reader.read_up_to)
                        AND author <> $1 AND removed_at IS NULL
                    ORDER BY posts.thread, id LIMIT {MOST_UNREAD}
                ) AS first_of_them
            ) AS newer
                ON NOT EXISTS (SELECT FROM removed_threads AS no WHERE no.thread = wanted.thread)
            ORDER BY place
            """,  # noqa: S608 - a constant
            user,
            threads,
        )
        return [Unread(*row) for row in rows]

    async def positions(self, user: int) -> ReadPositions:
        """Everything that is stored of a user."""
        rows = await self._database.rows(
            """
            SELECT read_up_to, thread, post
            FROM readers LEFT JOIN read_positions USING (user_id)
            WHERE user_id = $1 ORDER BY thread
            """,
            user,
        )
        if not rows:
            return ReadPositions(None, [])
        positions = [
            ReadPosition(row["thread"], row["post"]) for row in rows if row["thread"] is not None
        ]
        return ReadPositions(rows[0]["read_up_to"], positions)

    async def record(
        self, user: int, positions: Sequence[ReadPosition], now: datetime, policy: Policy
    ) -> None:
        """Store the positions that are higher than the stored ones. Raises `TooManyRequests`."""
        async with self._database.transaction() as connection:
            await allowance.spend(connection, str(user), policy, now, _RECORDED_MUCH)
            # When a user begins, whatever was read on a device counts, however old it is.
            read_up_to = 0 if await _begin(connection, user) else await _lock(connection, user)
            await connection.execute(
                """
                INSERT INTO read_positions (user_id, thread, post)
                SELECT $1, thread, max(post)
                FROM (
                    SELECT reported.thread, (
                        SELECT max(id) FROM posts
                        WHERE posts.thread = reported.thread AND id <= reported.post
                    ) AS post
                    FROM unnest($2::bigint[], $3::bigint[]) AS reported (thread, post)
                ) AS existing
                WHERE post IS NOT NULL
                    AND (post > $4 OR EXISTS (
                        SELECT FROM read_positions AS known
                        WHERE known.user_id = $1 AND known.thread = existing.thread
                    ))
                    AND NOT EXISTS (
                        SELECT FROM removed_threads AS gone WHERE gone.thread = existing.thread
                    )
                GROUP BY thread ORDER BY thread
                ON CONFLICT (user_id, thread) DO UPDATE SET post = excluded.post
                WHERE read_positions.post < excluded.post
                """,
                user,
                [position.thread for position in positions],
                [position.post for position in positions],
                read_up_to,
            )
            await _bound(connection, user)

    async def record_all(self, user: int, now: datetime, policy: Policy) -> None:
        """Store that the user has read every post. Raises `TooManyRequests`."""
        async with self._database.transaction() as connection:
            await allowance.spend(connection, str(user), policy, now, _RECORDED_MUCH)
            if not await _begin(connection, user):
                newest = await connection.fetchval(_NEWEST)
                await _raise(connection, user, newest)

    async def people(self, after: int, limit: int) -> Sequence[int]:
        """The ids of users of whom something is stored, in order, after this id."""
        rows = await self._database.rows(
            "SELECT user_id FROM readers WHERE user_id > $1 ORDER BY user_id LIMIT $2", after, limit
        )
        return [row["user_id"] for row in rows]

    async def erase(self, people: Sequence[int]) -> None:
        """Delete everything that is stored of these users."""
        await self._database.row("DELETE FROM readers WHERE user_id = ANY($1)", people)


async def _begin(connection: Connection, user: int) -> bool:
    """Store that the user has read everything until now, if nothing is stored of them. Returns
    whether that was so."""
    began = await connection.fetchval(
        f"""
        INSERT INTO readers (user_id, read_up_to) VALUES ($1, ({_NEWEST}))
        ON CONFLICT DO NOTHING RETURNING true
        """,  # noqa: S608 - a constant
        user,
    )
    return bool(began)


async def _lock(connection: Connection, user: int) -> int:
    """Up to which post the user has read everything, once no other transaction records for them."""
    read_up_to: int | None = await connection.fetchval(
        "SELECT read_up_to FROM readers WHERE user_id = $1 FOR UPDATE", user
    )
    # The account may just have been deleted.
    return 0 if read_up_to is None else read_up_to


async def _raise(connection: Connection, user: int, post: int) -> None:
    """Store that the user has read everything up to a post, and delete the positions below it."""
    await connection.execute(
        "UPDATE readers SET read_up_to = greatest(read_up_to, $2) WHERE user_id = $1", user, post
    )
    await connection.execute(
        "DELETE FROM read_positions WHERE user_id = $1 AND post <= $2", user, post
    )


async def _bound(connection: Connection, user: int) -> None:
    """Delete the lowest positions of a user who has too many. What they stood for stays read: so
    does everything else up to there."""
    highest: int | None = await connection.fetchval(
        """
        SELECT post FROM read_positions WHERE user_id = $1
        ORDER BY post DESC OFFSET $2 LIMIT 1
        """,
        user,
        MOST_POSITIONS,
    )
    if highest is not None:
        await _raise(connection, user, highest)
