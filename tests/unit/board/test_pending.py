"""`board migrate --check`: what it says is what `migrate` does, and it changes nothing."""

import os
import subprocess
import sys

import asyncpg
import pytest
import pytest_asyncio
from alembic.script import ScriptDirectory

from board.bootstrap import bootstrap
from board.migrate import alembic_config, migrate, migrate_schema
from board.pending import Migration, Pending, pending
from board.schema import additions, read_schema
from tests.databases import Databases
from tests.deployments import ROOT
from topology.contexts import CONTEXT_NAMES

BEFORE = "0006"
"""A migration of posts, after which others follow."""


@pytest_asyncio.fixture
async def url(databases: Databases) -> str:
    """The URL of a database of posts at an earlier migration, with a post."""
    admin = await asyncpg.connect(databases.server.admin_url)
    await admin.execute("DROP DATABASE IF EXISTS pending")
    await admin.close()
    url = databases.server.url("pending", "posts", "posts-secret")
    await bootstrap(databases.server.admin_url, {"posts": url})
    await migrate_schema("posts", url, BEFORE, "public")
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO posts (thread, author, by_starter, text, html, created_at) "
        "VALUES (1, 1, true, 'bread', '', now())"
    )
    await connection.close()
    return url


async def test_says_what_migrate_then_adds(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        before = await read_schema(connection)
        found = await pending({"posts": url})
        assert await read_schema(connection) == before
        assert (
            await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ 'check'") == []
        )
        assert await connection.fetchval("SELECT count(*) FROM posts") == 1

        scripts = ScriptDirectory.from_config(alembic_config("posts"))
        known = sorted(script.revision for script in scripts.walk_revisions())
        migrations = found.migrations["posts"]
        assert [one.revision for one in migrations] == known[known.index(BEFORE) + 1 :]
        assert (found.only_adds, found.exit_status) == (True, 0)

        await migrate({"posts": url})
        added = set(additions(before, await read_schema(connection)))
        assert {what for one in migrations for what in one.adds} == added
        assert "the table moderation_log" in added
        assert "the column posts.edited_by" in added
        assert not any((await pending({"posts": url})).migrations.values())
    finally:
        await connection.close()


async def test_database_of_a_newer_version_is_an_error(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(ValueError, match="posts is at migration 9999"):
        await pending({"posts": url})


def test_exit_status_says_whether_the_running_version_would_break() -> None:
    adds = Migration("0002", "More.", ("the table more",), ())
    removes = Migration("0003", "Less.", (), ("more.id is gone",))
    safe, unsafe = Pending(False, {"posts": (adds,)}), Pending(True, {"posts": (adds, removes)})
    assert [*safe.lines()] == [
        "posts: 1 pending migration",
        "  0002  More.",
        "        adds the table more",
        "All of this only adds: the version that runs goes on working meanwhile.",
    ]
    assert safe.exit_status == 0
    assert [*unsafe.lines()] == [
        "A restore that was interrupted would be finished first.",
        "posts: 2 pending migrations",
        "  0002  More.",
        "        adds the table more",
        "  0003  Less.",
        "        BREAKS the version before: more.id is gone",
        "The version that runs may fail after this: stop it before you migrate.",
    ]
    assert unsafe.exit_status == 3


def test_command_reports_every_context(databases: Databases, url: str) -> None:
    told = {f"{name.upper()}_DATABASE_URL": databases.urls[name] for name in CONTEXT_NAMES}
    done = subprocess.run(
        [sys.executable, "-m", "board", "migrate", "--check"],
        cwd=ROOT, env={**os.environ, **told, "POSTS_DATABASE_URL": url},
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {"users: no pending migrations", "threads: no pending migrations"} <= set(lines)
    assert "        adds the table moderation_log" in lines
