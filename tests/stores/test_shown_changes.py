"""Processes drop stored responses for changes that answers show, and for no others."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from kernel.cache.changes import CHANGES
from kernel.data.database import Database
from kernel.search.dictionary import Dictionary
from kernel.search.indexer import Indexer
from services.posts.markup.rerendering import Rerenderer
from tests.databases import Databases
from tests.own_databases import new_database

ROWS: Mapping[str, str] = {
    "posts": """
        INSERT INTO posts (thread, author, by_starter, text, html, created_at)
        VALUES (7, 3, true, 'Hello', '<p>Hello</p>', now())
    """,
    "threads": "INSERT INTO threads (title, created_by, created_at) VALUES ('Rain', 3, now())",
    "users": """
        INSERT INTO users (username, name, bio, password_hash, created_at)
        VALUES ('ines', 'Ines', '', '!', now())
    """,
}
TAGS: Mapping[str, set[str]] = {
    "posts": {"newest", "thread/7", "author/3"},
    "threads": {"list", "thread/1"},
    "users": {"list", "user/1"},
}
NOT_SHOWN: Mapping[str, frozenset[str]] = {
    "posts": frozenset(
        [
            "by_starter",
            "search",
            "indexed_at",
            "markup",
            "rendered_at",
            "removed_by",
            "removal_reason",
        ]
    ),
    "threads": frozenset(["search", "indexed_at", "activity_version", "posts_by_others"]),
    "users": frozenset(["email", "password_hash"]),
}
"""The columns of each table that no stored response shows. A new column belongs here, or into a
migration like `shown_changes`."""

OTHER_VALUES: Mapping[str, str] = {
    "bigint": "coalesce({column}, 0) + 1",
    "smallint": "coalesce({column}, 0) + 1",
    "boolean": "NOT {column}",
    "text": "coalesce({column}, '') || 'x'",
    "tsvector": "coalesce({column}, ''::tsvector) || 'x'::tsvector",
    "timestamp with time zone": "coalesce({column}, now()) + interval '1 s'",
}
"""An expression of each type for another value than the one in the column."""

SPECIAL: Mapping[str, str] = {
    "role": "'admin'",
    "reply_to": "id",
    "deleted_at": "now(), email = NULL, password_hash = NULL",
}
"""The expressions for columns that do not accept every value; a deleted user has neither."""


class Table:
    """A table with one row, and the payloads of the notifications that have arrived."""

    def __init__(self, name: str, url: str, connection: "asyncpg.Connection[Any]") -> None:
        self.name = name
        self.url = url
        self.connection = connection
        self._payloads: list[str] = []

    async def listen(self) -> None:
        """Collect notifications from now on."""
        await self.connection.add_listener(
            CHANGES, lambda _connection, _pid, _channel, payload: self._payloads.append(payload)
        )

    async def tags(self) -> set[str]:
        """The tags that have been sent since the last call."""
        await self.connection.execute("SELECT")  # pending notifications arrive before its answer
        tags = {tag for payload in self._payloads for tag in payload.split(" ")}
        self._payloads.clear()
        return tags


@pytest_asyncio.fixture(params=ROWS)
async def table(databases: Databases, request: pytest.FixtureRequest) -> AsyncIterator[Table]:
    """A table of each context, in a database of its own."""
    url = await new_database(databases, request.param)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ROWS[request.param])
        opened = Table(request.param, url, connection)
        await opened.listen()
        yield opened
    finally:
        await connection.close()


async def test_only_changes_of_shown_columns_are_notified(table: Table) -> None:
    columns = await table.connection.fetch(
        """
        SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
            AND attgenerated = '' AND attidentity = ''
        """,
        table.name,
    )
    notified = {}
    for name, kind in columns:
        value = SPECIAL.get(name) or OTHER_VALUES[kind].format(column=name)
        await table.connection.execute(f"UPDATE {table.name} SET {name} = {value}")  # noqa: S608 - ours
        notified[name] = await table.tags()
    shown = {name for name, _ in columns} - NOT_SHOWN[table.name]
    assert {name for name, tags in notified.items() if tags} == shown


async def test_change_names_what_shows_it(table: Table) -> None:
    column = {"posts": "html", "threads": "title", "users": "bio"}[table.name]
    await table.connection.execute(f"UPDATE {table.name} SET {column} = 'New'")  # noqa: S608
    assert await table.tags() == TAGS[table.name]
    await table.connection.execute(f"UPDATE {table.name} SET {column} = 'New'")  # noqa: S608
    assert await table.tags() == set()


@pytest.mark.parametrize("table", ["posts"], indirect=True)
async def test_many_rows_are_notified_as_all_only_if_they_are_shown(table: Table) -> None:
    await table.connection.execute(
        """
        INSERT INTO posts (thread, author, by_starter, text, html, created_at)
        SELECT n, 3, true, n::text, '', now() FROM generate_series(1001, 1200) AS n
        """
    )
    assert await table.tags() == {"*"}
    await table.connection.execute("UPDATE posts SET rendered_at = now()")
    assert await table.tags() == set()
    await table.connection.execute(
        "UPDATE posts SET html = CASE thread WHEN 1007 THEN 'New' ELSE html END"
    )
    assert await table.tags() == {"newest", "thread/1007", "author/3"}
    await table.connection.execute("UPDATE posts SET html = 'Newer'")
    assert await table.tags() == {"*"}


@pytest.mark.parametrize("table", ["posts", "threads"], indirect=True)
async def test_filling_in_the_word_index_drops_no_response(table: Table) -> None:
    column = {"posts": "text", "threads": "title"}[table.name]
    async with Database.open(table.url) as database:
        assert await Indexer(database, Dictionary(), table.name, column).fill_in() == 1
    assert await table.tags() == set()


@pytest.mark.parametrize("table", ["posts"], indirect=True)
@pytest.mark.parametrize("changed", [False, True])
async def test_rendering_again_drops_responses_only_if_the_html_changes(
    table: Table, changed: bool
) -> None:
    async def render(text: str, _: int) -> str:
        return f"<p>{text}{'!' if changed else ''}</p>"

    async with Database.open(table.url) as database:
        assert await Rerenderer(database, render).render_batch() == 1
    assert await table.tags() == (TAGS["posts"] if changed else set())
