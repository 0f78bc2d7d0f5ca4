"""Which old rows are deleted, and which are not."""

from datetime import UTC, datetime, timedelta

import pytest

from kernel.data.database import Database
from kernel.data.retention import Retention, delete_statement
from services.posts.settings import PostSettings

# Long before anything that other tests have written in these tables.
THEN = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)
THREAD = 2**43
LIFETIMES = {
    "idempotency_keys": timedelta(hours=24),
    "revisions": timedelta(days=365),
    "thread_events": timedelta(days=7),
}

_INSERT = {
    "idempotency_keys": """
        INSERT INTO idempotency_keys
            (user_id, method, path, key, digest, status, headers, body, created_at)
        VALUES (1, 'POST', '/', $1::text, '', 201, '{}', '', $2)
    """,
    "revisions": """
        INSERT INTO revisions (post, number, text, created_at)
        SELECT id, $1::text::integer, '', $2 FROM posts WHERE thread = 8796093022208
    """,
    "thread_events": """
        INSERT INTO thread_events (thread, version, kind, post, created_at)
        SELECT thread, $1::text::integer, 'post', id, $2 FROM posts WHERE thread = 8796093022208
    """,
}


@pytest.mark.parametrize("table", LIFETIMES)
async def test_rows_are_deleted_when_their_lifetime_is_over_and_not_before(
    posts_database: Database, table: str
) -> None:
    settings = PostSettings(posts_database_url="postgresql://a:b@c/d")
    assert {rule.table: rule.lifetime for rule in settings.retention} == LIFETIMES
    await posts_database.rows(
        """
        INSERT INTO posts (thread, author, by_starter, text, html, created_at)
        SELECT $1, 1, true, '', '', $2 WHERE NOT EXISTS (SELECT FROM posts WHERE thread = $1)
        """,
        THREAD,
        THEN,
    )
    old, young = THEN - LIFETIMES[table], THEN - LIFETIMES[table] + MOMENT
    for name, created_at in (("1", old), ("2", young), ("3", old)):
        await posts_database.rows(_INSERT[table], name, created_at)
    retention = Retention(posts_database, settings.retention, lambda: THEN)
    assert await retention.delete_batches() == 2
    assert await retention.delete_batches() == 0
    left = await posts_database.rows(
        f"SELECT created_at FROM {table} WHERE created_at <= $1",  # noqa: S608 - a name of ours
        THEN,
    )
    assert [row["created_at"] for row in left] == [young]
    await posts_database.rows(delete_statement(table), THEN, 1)


@pytest.mark.parametrize("table", ["posts", "thread_activity", "thread_events", "last_done"])
async def test_hot_tables_are_vacuumed_before_a_fifth_has_changed(
    posts_database: Database, table: str
) -> None:
    row = await posts_database.row(
        "SELECT reloptions FROM pg_class WHERE oid = $1::text::regclass", table
    )
    assert row is not None
    factors = [o for o in row["reloptions"] if o.startswith("autovacuum_vacuum_scale_factor=")]
    assert float(factors[0].partition("=")[2]) <= 0.02
