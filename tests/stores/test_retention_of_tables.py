"""Every table of every context either has an end to its rows, or is only as large as its content.

A new table fails the first test until it is in one of the lists here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
import pytest
import pytest_asyncio

from kernel.data import allowance
from kernel.data.database import Database
from kernel.data.retention import delete_statement
from kernel.errors import Policy, Unauthenticated
from tests.databases import Databases
from tests.stores.person import Board, running_board
from tests.unit.fakes import NOON

ADDRESS: Final = "198.51.100.9"
CONTENT: Final[Mapping[str, str]] = {
    "users.users": "people; a deleted one stays as the author of posts, without personal data",
    "users.bans": "at most one row for each user",
    "users.password_resets": "at most one row for each user",
    "users.former_usernames": "names stay reserved",
    "threads.threads": "what people wrote",
    "threads.removals": "one row",
    "threads.words": "the words of all titles",
    "threads.last_done": "one row for each user and limit",
    "posts.posts": "what people wrote",
    "posts.thread_activity": "one row for each thread",
    "posts.removed_threads": "one row for each removed thread",
    "posts.removals": "one row",
    "posts.words": "the words of all posts",
    "posts.last_done": "one row for each user and limit",
    "posts.readers": "one row for each user",
    "posts.read_positions": "one row for each user and thread that they have read",
    "cases.cases": "what people reported",
    "cases.reports": "what people reported",
    "cases.decisions": "the record of what was decided",
    "cases.history": "the record of what was decided",
    "cases.executions": "one row for each case",
    "cases.execution_events": "the steps of each case, of which there are few",
    "cases.remote_executions": "one row for each case",
    **{
        f"{context}.moderation_log": "the record of what moderators did"
        for context in ("users", "threads", "posts", "cases")
    },
    **{
        f"{context}.alembic_version": "one row"
        for context in ("users", "threads", "posts", "cases")
    },
}
"""The tables whose rows stay, and why these are not more than what people have written."""


@dataclass(frozen=True)
class Ending:
    """A table whose rows end: `insert` stores one whose time is $1, `column`, with the number $2;
    they are deleted by `delete` when they are older than `lifetime`."""

    insert: str
    column: str
    lifetime: timedelta
    delete: Callable[[Board, str], Awaitable[object]]


async def _by_retention(board: Board, context: str) -> object:
    return await getattr(board, context).retention.delete_batches()


async def _by_the_next_sign_in(board: Board, _: str) -> None:
    with pytest.raises(Unauthenticated):
        await board.users.service.sign_in("nobody", "nine loud otters", ADDRESS, None)


async def _by_the_next_use(board: Board, context: str) -> None:
    async with (
        Database.open(board.urls[context]) as database,
        database.transaction() as connection,
    ):
        await allowance.spend(connection, "7", Policy("knitting", 5, 3600), NOON, "")


_KEY: Final = """
    INSERT INTO idempotency_keys
        (user_id, method, path, key, digest, status, headers, body, created_at)
    VALUES (1, 'POST', '/', $2::int::text, '', 201, '{}', '', $1)
"""
_USER: Final = """
    INSERT INTO users (id, username, name, bio, password_hash, created_at)
    OVERRIDING SYSTEM VALUE
    VALUES (991, 'knitter', '', '', '', now()) ON CONFLICT DO NOTHING
"""
_POST: Final = """
    INSERT INTO posts (id, thread, author, by_starter, text, html, created_at)
    OVERRIDING SYSTEM VALUE
    VALUES (991, 991, 1, true, '', '', now()) ON CONFLICT DO NOTHING
"""
_NEEDED: Final = {"users": _USER, "posts": _POST}
ENDING: Final[Mapping[str, Ending]] = {
    "users.sessions": Ending(
        "INSERT INTO sessions (user_id, token_hash, created_at, last_used_at) "
        "VALUES (991, $2::int::text::bytea, $1, $1)",
        "created_at",
        timedelta(days=60),
        _by_retention,
    ),
    "users.sign_in_attempts": Ending(
        "INSERT INTO sign_in_attempts (name, address, failed, at) "
        "VALUES ($2::int::text::bytea, '192.0.2.9', true, $1)",
        "at",
        timedelta(hours=1),
        _by_the_next_sign_in,
    ),
    "users.known_addresses": Ending(
        "INSERT INTO known_addresses (name, address, last_at) "
        "VALUES ($2::int::text::bytea, '192.0.2.9', $1)",
        "last_at",
        timedelta(days=90),
        _by_the_next_sign_in,
    ),
    "posts.revisions": Ending(
        "INSERT INTO revisions (post, number, text, created_at) VALUES (991, $2::int, '', $1)",
        "created_at",
        timedelta(days=365),
        _by_retention,
    ),
    "posts.thread_events": Ending(
        "INSERT INTO thread_events (thread, version, kind, post, created_at) "
        "VALUES (991, $2::int, 'post', 991, $1)",
        "created_at",
        timedelta(days=7),
        _by_retention,
    ),
    **{
        f"{context}.idempotency_keys": Ending(
            _KEY, "created_at", timedelta(hours=24), _by_retention
        )
        for context in ("users", "threads", "posts", "cases")
    },
    **{
        f"{context}.allowances": Ending(
            "INSERT INTO allowances (subject, policy, began_at, used) "
            "VALUES ($2::int::text, 'knitting', $1, 1)",
            "began_at",
            timedelta(hours=1),
            _by_the_next_use,
        )
        for context in ("users", "threads", "posts", "cases")
    },
}
"""The tables whose rows are deleted when they are old."""


@pytest_asyncio.fixture(scope="module")
async def board(databases: Databases) -> AsyncIterator[Board]:
    """A board without content."""
    async with running_board(databases) as made:
        yield made


async def test_every_table_has_an_end_or_is_as_large_as_its_content(board: Board) -> None:
    found = set()
    for context, url in board.urls.items():
        connection = await asyncpg.connect(url)
        for row in await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        ):
            found.add(f"{context}.{row['tablename']}")
        await connection.close()
    assert not CONTENT.keys() & ENDING.keys()
    assert CONTENT.keys() | ENDING.keys() == found


@pytest.mark.parametrize(
    "table", [table for table, ending in ENDING.items() if ending.delete is _by_retention]
)
async def test_old_rows_are_found_by_an_index(board: Board, table: str) -> None:
    context, _, name = table.partition(".")
    async with Database.open(board.urls[context]) as database, database.transaction() as connection:
        # The tables of the tests are small: PostgreSQL would read them as a whole.
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        lines = await connection.fetch(f"EXPLAIN {delete_statement(name)}", NOON, 1000)
    plan = "\n".join(line[0] for line in lines)
    assert f"Index Scan using {name}_age" in plan, plan
    assert "Sort" not in plan, plan


@pytest.mark.parametrize("table", ENDING)
async def test_rows_end_after_their_lifetime_and_not_before(board: Board, table: str) -> None:
    context, _, name = table.partition(".")
    ending = ENDING[table]
    connection = await asyncpg.connect(board.urls[context])
    try:
        if context in _NEEDED:
            await connection.execute(_NEEDED[context])
        ended = NOON - ending.lifetime - timedelta(minutes=1)
        not_yet = NOON - ending.lifetime + timedelta(minutes=1)
        for number, at in ((1, ended), (2, not_yet)):
            await connection.execute(ending.insert, at, number)
        await ending.delete(board, context)
        left = {
            row[0]
            for row in await connection.fetch(
                f"SELECT {ending.column} FROM {name}"  # noqa: S608 - names of this file
            )
        }
        assert ended not in left
        assert not_yet in left
    finally:
        await connection.close()
