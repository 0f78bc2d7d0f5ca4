"""Migrating a database that the previous version has filled and still writes to."""

import asyncio

import asyncpg
import pytest_asyncio
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from board.bootstrap import bootstrap
from board.migrate import alembic_config, migrate
from kernel.data.database import Database
from kernel.search.dictionary import Dictionary
from kernel.search.indexer import Indexer
from kernel.search.scan import Scan
from services.posts.search.store import SEARCHED
from tests.databases import Databases

WRITE = """
    INSERT INTO posts (thread, author, by_starter, text, html, created_at)
    VALUES (1, 1, true, $1, '', now()) RETURNING id
"""
EDIT = "UPDATE posts SET text = $2, html = '', edited_at = now() WHERE id = $1"
SEARCH = "SELECT id FROM posts WHERE search @@ websearch_to_tsquery('english', $1) ORDER BY id"


@pytest_asyncio.fixture
async def url(databases: Databases) -> str:
    """A database of posts before the board split texts into words itself."""
    url = databases.server.url("migrated_posts", "posts", "posts-secret")
    async with Database.open(databases.server.admin_url) as admin:
        await admin.rows("DROP DATABASE IF EXISTS migrated_posts")
    await bootstrap(databases.server.admin_url, {"posts": url})
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url)
    )

    def upgrade(connection: Connection) -> None:
        config = alembic_config("posts")
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")

    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
    return url


async def test_posts_of_the_previous_version_are_found_before_and_after_the_migration(
    url: str,
) -> None:
    async with Database.open(url) as database:

        async def write(text: str) -> int:
            row = await database.row(WRITE, text)
            assert row is not None
            number: int = row["id"]
            return number

        async def indexed() -> None:
            while await indexer.fill_in():
                pass

        async def found(words: str) -> list[int]:
            return sorted(row["id"] for row in (await search.find(words, 100, None)).rows)

        before = [await write(f"bread and “crumbs” {number}") for number in range(300)]
        written: list[int] = []
        stop = asyncio.Event()

        async def go_on_writing() -> None:
            while not stop.is_set():
                async with asyncio.timeout(20):
                    written.append(await write("bread and “crusts”"))

        writer = asyncio.create_task(go_on_writing())
        await migrate({"posts": url})
        stop.set()
        await writer
        dictionary = Dictionary()
        search, indexer = (
            Scan(database, dictionary, SEARCHED),
            Indexer(database, dictionary, "posts", "text"),
        )
        rows = await database.rows(SEARCH, "bread")
        assert [row["id"] for row in rows][: len(before)] == before
        assert await found("17 bread") == [before[17]]

        await indexed()
        assert await found("crumbs 17") == [before[17]]
        assert await found("crusts") == sorted(written)[-100:]
        assert await found("crum* 17") == [before[17]]

        late = await write("bread and “butter”")
        await database.rows(EDIT, before[17], "no “jam”")
        await indexed()
        assert await found("butter") == [late]
        assert await found("jam") == [before[17]]
        assert await found("crumbs 17") == []


async def test_a_migration_that_was_interrupted_can_be_carried_out_again(url: str) -> None:
    async with Database.open(url) as database:
        await database.rows(WRITE, "bread")
        await database.rows("ALTER TABLE posts ALTER COLUMN search DROP EXPRESSION")
        await database.rows("CREATE INDEX posts_words ON posts (id)")
        await migrate({"posts": url})
        row = await database.row("SELECT indexdef FROM pg_indexes WHERE indexname = 'posts_words'")
        assert row is not None
        assert "gin" in row["indexdef"]
