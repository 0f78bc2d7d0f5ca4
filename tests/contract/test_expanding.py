"""Two versions of the code can work on one schema, since migrations only add to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio
from alembic.script import ScriptDirectory

from board.bootstrap import bootstrap
from board.migrate import alembic_config, migrate_schema
from kernel.data.database import Database
from tests.databases import Databases
from topology.contexts import CONTEXT_NAMES

COLUMNS = """
    SELECT relname AS of, attname AS name, attnum AS number,
           format_type(atttypid, atttypmod) AS type, attnotnull AS required,
           attgenerated <> '' AS generated,
           atthasdef OR attidentity <> '' AS filled
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND attnum > 0 AND NOT attisdropped AND relname <> 'alembic_version'
"""
RULES = """
    SELECT relname AS of, pg_get_constraintdef(pg_constraint.oid) AS rule, conkey AS about
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE relnamespace = 'public'::regnamespace AND contype <> 'n'
    UNION
    SELECT relname,
           'UNIQUE INDEX ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''),
           indkey::int2[]
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace AND indisunique
"""


@dataclass(frozen=True)
class Column:
    """What a column takes. `filled`: it has a value if a statement does not name it."""

    type: str
    required: bool
    generated: bool
    filled: bool


@dataclass(frozen=True)
class Schema:
    """What statements of the code can meet: columns by table and name, and the rules of tables,
    each with the columns that it is about."""

    columns: Mapping[tuple[str, str], Column]
    rules: Mapping[tuple[str, str], frozenset[tuple[str, str]]]


async def read(connection: asyncpg.Connection) -> Schema:
    """The schema `public`."""
    rows = await connection.fetch(COLUMNS)
    columns = {
        (row["of"], row["name"]): Column(
            row["type"], row["required"], row["generated"], row["filled"]
        )
        for row in rows
    }
    names = {(row["of"], row["number"]): row["name"] for row in rows}
    rules = {
        (row["of"], row["rule"]): frozenset(
            (row["of"], names[row["of"], number]) for number in row["about"] if number
        )
        for row in await connection.fetch(RULES)
        if row["of"] != "alembic_version"
    }
    return Schema(columns, rules)


def breaks(before: Schema, after: Schema) -> Iterator[str]:
    """Why code that was written for `before` may fail on `after`."""
    tables = {table for table, _ in before.columns}
    for (table, name), was in before.columns.items():
        now = after.columns.get((table, name))
        column = f"{table}.{name}"
        if now is None:
            yield f"{column} is gone"
            continue
        if now.type != was.type:
            yield f"{column} is {now.type}, and was {was.type}"
        if now.required and not was.required:
            yield f"{column} must have a value now"
        if now.generated and not was.generated:
            yield f"{column} cannot be written any more"
        if was.filled and not now.filled and now.required:
            yield f"{column} has no default any more"
    for (table, name), new in after.columns.items():
        added = table in tables and (table, name) not in before.columns
        if added and new.required and not (new.filled or new.generated):
            yield f"{table}.{name} is new, and must have a value"
    for (table, rule), about in after.rules.items():
        # The old code leaves a new column empty, which every rule accepts.
        if table in tables and (table, rule) not in before.rules and about <= set(before.columns):
            yield f"{table} has a new rule: {rule}"


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
        schema = await read(connection)
        assert schema.columns
        for revision in later:
            await migrate_schema(context, url, revision, "public")
            before, schema = schema, await read(connection)
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
        before = await read(connection)
        await connection.execute(migration)
        assert sentence in [*breaks(before, await read(connection))]
    finally:
        await connection.close()


async def test_additions_break_nothing(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE one (id bigint, text text NOT NULL)")
        before = await read(connection)
        await connection.execute(
            "ALTER TABLE one ADD COLUMN new int, ADD COLUMN more int NOT NULL DEFAULT 0,"
            " ALTER COLUMN text DROP NOT NULL;"
            "ALTER TABLE one ADD CHECK (new > 0), ADD UNIQUE (new);"
            "CREATE INDEX ON one (new);"
            "CREATE TABLE two (id bigint PRIMARY KEY CHECK (id > 0))"
        )
        assert [*breaks(before, await read(connection))] == []
    finally:
        await connection.close()
