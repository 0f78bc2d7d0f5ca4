"""Two versions of the code can work on one schema, since migrations only add to it."""

import asyncpg
import pytest
import pytest_asyncio
from alembic.script import ScriptDirectory

from board.bootstrap import bootstrap
from board.migrate import alembic_config, migrate_schema
from board.schema import breaks, read_schema
from kernel.data.database import Database
from tests.databases import Databases
from topology.contexts import CONTEXT_NAMES


@pytest_asyncio.fixture
async def url(databases: Databases) -> str:
    """The URL of an empty database."""
    async with Database.open(databases.server.admin_url) as admin:
        await admin.rows("DROP DATABASE IF EXISTS expanding")
    url = databases.server.url("expanding", "posts", "posts-secret")
    await bootstrap(databases.server.admin_url, {"posts": url})
    return url


def revisions(context: str) -> list[str]:
    """The migrations of a context, oldest first."""
    scripts = ScriptDirectory.from_config(alembic_config(context)).walk_revisions()
    return [script.revision for script in scripts][::-1]


@pytest.mark.parametrize("context", CONTEXT_NAMES)
async def test_code_of_the_version_before_a_migration_works_after_it(
    url: str, context: str
) -> None:
    first, *later = revisions(context)
    await migrate_schema(context, url, first, "public")
    connection = await asyncpg.connect(url)
    found = []
    try:
        schema = await read_schema(connection)
        assert schema.columns
        for revision in later:
            await migrate_schema(context, url, revision, "public")
            before, schema = schema, await read_schema(connection)
            found += [f"{revision}: {sentence}" for sentence in breaks(before, schema)]
    finally:
        await connection.close()
    assert found == []


@pytest.mark.parametrize(
    ("migration", "sentence"),
    [
        ("ALTER TABLE one DROP COLUMN text", "one.text is gone"),
        ("ALTER TABLE one RENAME COLUMN text TO words", "one.text is gone"),
        ("DROP TABLE one", "one.id is gone"),
        ("ALTER TABLE one RENAME TO two", "one.id is gone"),
        ("ALTER TABLE one ALTER COLUMN id TYPE text", "one.id is text, and was bigint"),
        ("ALTER TABLE one ALTER COLUMN text SET NOT NULL", "one.text must have a value now"),
        ("ALTER TABLE one ALTER COLUMN made DROP DEFAULT", "one.made has no default any more"),
        ("ALTER TABLE one ADD COLUMN new int NOT NULL", "one.new is new, and must have a value"),
        (
            "ALTER TABLE one ADD CHECK (text <> '')",
            "one has a new rule: CHECK ((text <> ''::text))",
        ),
        ("CREATE UNIQUE INDEX ON one (text)", "one has a new rule: UNIQUE INDEX btree (text)"),
    ],
)
async def test_migration_that_would_break_the_running_version_is_noticed(
    url: str, migration: str, sentence: str
) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "CREATE TABLE one (id bigint, text text, made timestamptz NOT NULL DEFAULT now())"
        )
        before = await read_schema(connection)
        await connection.execute(migration)
        assert sentence in [*breaks(before, await read_schema(connection))]
    finally:
        await connection.close()


async def test_additions_break_nothing(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE one (id bigint, text text NOT NULL)")
        before = await read_schema(connection)
        await connection.execute(
            "ALTER TABLE one ADD COLUMN new int, ADD COLUMN more int NOT NULL DEFAULT 0,"
            " ALTER COLUMN text DROP NOT NULL;"
            "ALTER TABLE one ADD CHECK (new > 0), ADD UNIQUE (new);"
            "CREATE INDEX ON one (new);"
            "CREATE TABLE two (id bigint PRIMARY KEY CHECK (id > 0))"
        )
        assert [*breaks(before, await read_schema(connection))] == []
    finally:
        await connection.close()
