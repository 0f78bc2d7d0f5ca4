"""The operator's commands: each can be repeated, and reports errors."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from alembic.script import ScriptDirectory

import services.cases.store
import services.posts.store
import services.threads.store
import services.users.store
from board.bootstrap import bootstrap
from board.delete_accounts import delete_accounts
from board.migrate import alembic_config, migrate
from kernel.data.database import Database
from tests.databases import Databases, prepare, running_server
from tests.deployments import ROOT
from tests.own_databases import new_users_database
from tests.unit.fakes import noon
from topology.contexts import CONTEXT_NAMES

SCHEMAS = {
    "users": services.users.store.SCHEMA,
    "threads": services.threads.store.SCHEMA,
    "posts": services.posts.store.SCHEMA,
    "cases": services.cases.store.SCHEMA,
}


@pytest.fixture
def empty() -> Iterator[Databases]:
    """A new server without databases and roles."""
    with running_server() as made:
        yield made


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection, which is closed at the end."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        yield connection
    finally:
        await connection.close()


def command(
    databases: Databases, *words: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m board ...`."""
    told = {f"{context.upper()}_DATABASE_URL": databases.urls[context] for context in CONTEXT_NAMES}
    told |= {"ADMIN_DATABASE_URL": databases.server.admin_url} | environment
    return subprocess.run(
        [sys.executable, "-m", "board", *words],
        cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True, timeout=50,
    )  # fmt: skip


async def test_bootstrapping_again_changes_only_passwords(empty: Databases) -> None:
    await bootstrap(empty.server.admin_url, empty.urls)
    async with connected(empty.urls["users"]) as connection:
        await connection.execute("CREATE TABLE kept (id int)")
    changed = {
        context: empty.server.url(context, context, 'it\'s a \\ "new" one')
        for context in CONTEXT_NAMES
    }
    await bootstrap(empty.server.admin_url, changed)
    async with connected(changed["users"]) as connection:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(empty.urls["users"])


@pytest.mark.parametrize("other", ["threads", "posts", "postgres"])
async def test_context_cannot_connect_to_another_contexts_database(
    databases: Databases, other: str
) -> None:
    url = databases.server.url(other, "users", "users-secret")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(url)


async def test_collation_is_the_same_on_every_machine(databases: Databases) -> None:
    async with connected(databases.urls["users"]) as connection:
        row = await connection.fetchrow(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'users'"
        )
    assert row is not None
    assert tuple(row) == (b"b", "C.UTF-8")


async def test_migrating_again_changes_nothing(databases: Databases) -> None:
    await migrate(databases.urls)
    async with connected(databases.urls["posts"]) as connection:
        assert (
            await connection.fetchval("SELECT version_num FROM alembic_version") == SCHEMAS["posts"]
        )


async def test_concurrent_migrations_run_one_after_the_other(empty: Databases) -> None:
    await bootstrap(empty.server.admin_url, empty.urls)
    first, second = await asyncio.gather(
        asyncio.to_thread(command, empty, "migrate"), asyncio.to_thread(command, empty, "migrate")
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    for context in CONTEXT_NAMES:
        async with Database.open(empty.urls[context]) as database:
            await database.check_schema(SCHEMAS[context])


async def test_migrate_fails_if_another_migration_holds_the_lock_too_long(
    databases: Databases,
) -> None:
    async with connected(databases.urls["users"]) as other:
        await other.execute(f"SELECT pg_advisory_lock({0x6D696772617465})")
        with pytest.raises(TimeoutError, match="another migration"):
            await migrate({"users": databases.urls["users"]}, lock_timeout=0.3)


@pytest.mark.parametrize("context", CONTEXT_NAMES)
def test_required_schema_is_the_newest_migration(context: str) -> None:
    assert ScriptDirectory.from_config(alembic_config(context)).get_heads() == [SCHEMAS[context]]


async def test_demo_fills_only_an_empty_board(empty: Databases) -> None:
    await prepare(empty)
    async with connected(empty.urls["users"]) as connection:
        # The test at the end of a deploy has registered a user, and deleted the account.
        left = await connection.fetchval(
            "INSERT INTO users (username, name, bio, email, password_hash, created_at) "
            "VALUES ('smoke', 'Smoke', '', NULL, '-', now()) RETURNING id"
        )
    await delete_accounts(empty.urls["users"], [left], noon)
    done = command(empty, "demo")
    assert done.returncode == 0, done.stderr
    assert "printed only once" in done.stdout
    async with connected(empty.urls["users"]) as connection:
        people = await connection.fetchval("SELECT count(*) FROM users")
    async with connected(empty.urls["posts"]) as connection:
        posts = await connection.fetchval("SELECT count(*) FROM posts")
        late = await connection.fetchval("SELECT count(*) FROM posts WHERE created_at > now()")
    async with connected(empty.urls["threads"]) as connection:
        counted = await connection.fetchval("SELECT sum(post_count) FROM threads")
    async with connected(empty.urls["cases"]) as connection:
        states = await connection.fetch("SELECT state FROM cases ORDER BY id")
    assert people >= 8
    assert [row["state"] == "closed" for row in states] == [True, False, False]
    assert (counted, late) == (posts, 0)
    again = command(empty, "demo")
    assert again.stdout == "The board has users already: no demo data.\n"
    async with connected(empty.urls["posts"]) as connection:
        assert await connection.fetchval("SELECT count(*) FROM posts") == posts


async def test_deleted_accounts_are_deleted_again_after_a_restore(databases: Databases) -> None:
    url = await new_users_database(databases)
    async with connected(url) as connection:
        back, other = [
            await connection.fetchval(
                "INSERT INTO users (username, name, bio, email, password_hash, created_at) "
                "VALUES ($1, 'Ines', 'Bakes.', 'ines@example.org', '-', now()) RETURNING id",
                name,
            )
            for name in ("ines", "marit")
        ]
        for _ in range(2):
            await delete_accounts(url, [back], noon)
        left = await connection.fetchrow("SELECT * FROM users WHERE id = $1", back)
        assert left is not None
        assert (left["username"], left["name"], left["bio"]) == (
            f"deleted-{back}",
            "Deleted user",
            "",
        )
        assert (left["email"], left["password_hash"], left["deleted_at"]) == (None, None, noon())
        assert await connection.fetchval("SELECT bio FROM users WHERE id = $1", other) == "Bakes."
        with pytest.raises(ValueError, match=f"no user with the id {other + 1}"):
            await delete_accounts(url, [other + 1], noon)


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("migrate",), {"USERS_DATABASE_URL": ""}, "USERS_DATABASE_URL"),
        (
            ("migrate",),
            {"USERS_DATABASE_URL": "postgresql://users:x@127.0.0.1:9/users"},
            "127.0.0.1",
        ),
        (("bootstrap",), {"ADMIN_DATABASE_URL": "postgresql:///nowhere"}, "board: "),
        (("bootstrap",), {"POSTS_DATABASE_URL": "postgresql://posts@/posts"}, "posts"),
        (("grant-admin", "nobody"), {}, "There is no user named 'nobody'."),
        (("delete-accounts", "991991"), {}, "There is no user with the id 991991."),
        (("migrate", "dance"), {}, "'dance' is not one of bootstrap, migrate, demo"),
    ],
)
def test_errors_that_an_operator_can_fix_are_one_line(
    databases: Databases, words: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    done = command(databases, *words, **environment)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
