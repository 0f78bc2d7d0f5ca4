"""From the first version's data to the newest, one migration at a time, while the first version's
statements go on: each is carried out in seconds, and nothing that was acknowledged is lost."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from board.bootstrap import bootstrap
from board.migrate import alembic_config, migrate_schema
from tests.databases import Databases
from tests.eventually import eventually
from topology.contexts import CONTEXT_NAMES

pytestmark = [pytest.mark.prove, pytest.mark.timeout(300)]

ROWS: Final = 300
WRITERS: Final = 4
PATIENCE: Final = 10.0
"""The most seconds for which a writer of the first version waits for a migration."""

STATEMENTS: Final[Mapping[str, Sequence[str]]] = {
    "users": (
        "INSERT INTO users (username, name, bio, password_hash, created_at) "
        "VALUES ('u' || $1::bigint, 'Ines', '', '-', now())",
        "INSERT INTO sessions (user_id, token_hash, created_at, last_used_at) "
        "SELECT id, decode(md5(username), 'hex'), now(), now() FROM users "
        "WHERE lower(username) = 'u' || $1::bigint",
        "INSERT INTO sign_in_attempts (name, address, at) "
        "VALUES (decode(md5($1::bigint::text), 'hex'), '192.0.2.1', now())",
        "UPDATE users SET bio = 'Bakes.' WHERE lower(username) = 'u' || $1::bigint",
    ),
    "threads": (
        "INSERT INTO threads (title, created_by, created_at) VALUES ('Bread', $1::bigint, now())",
        "UPDATE threads SET title = 'Rye', version = version + 1 WHERE created_by = $1::bigint",
        "UPDATE threads SET activity_version = 1, post_count = 1, last_post_at = now() "
        "WHERE created_by = $1::bigint",
        "INSERT INTO last_done (user_id, policy, at) VALUES ($1::bigint, 'thread', now())",
    ),
    "posts": (
        "INSERT INTO posts (thread, author, by_starter, text, html, created_at) "
        "VALUES (1, $1::bigint, true, 'Is the water warm?', '', now())",
        "INSERT INTO revisions (post, number, text, created_at) "
        "SELECT id, 1, text, now() FROM posts WHERE author = $1::bigint",
        "UPDATE posts SET text = 'Is it cold?', edited_at = now() WHERE author = $1::bigint",
        "INSERT INTO thread_activity (thread, version, post_count, posts_by_others) "
        "VALUES ($1::bigint, 1, 1, 0)",
        "INSERT INTO thread_events (thread, version, kind, post) "
        "SELECT $1::bigint, 1, 'post', id FROM posts WHERE author = $1::bigint",
    ),
    "cases": (
        "INSERT INTO cases (post, author, thread, state, created_at) "
        "VALUES ($1::bigint, 1, 1, 'opened', now())",
        "INSERT INTO reports (case_id, reporter, reason, created_at) "
        "SELECT id, 1, 'spam', now() FROM cases WHERE post = $1::bigint",
        "INSERT INTO history (case_id, step, at, state) "
        "SELECT id, 'opened', now(), 'opened' FROM cases WHERE post = $1::bigint",
        "UPDATE cases SET state = 'assigned', assignee = 2 WHERE post = $1::bigint",
    ),
}
"""What the first version of each context writes, in a transaction for each number."""

STORED: Final[Mapping[str, str]] = {
    "users": "SELECT substr(username, 2)::bigint FROM users JOIN sessions ON user_id = users.id "
    "WHERE bio = 'Bakes.'",
    "threads": "SELECT created_by FROM threads WHERE title = 'Rye' AND post_count = 1",
    "posts": "SELECT author FROM posts JOIN revisions ON revisions.post = posts.id "
    "JOIN thread_events ON thread_events.post = posts.id WHERE posts.text = 'Is it cold?'",
    "cases": "SELECT post FROM cases JOIN reports ON reports.case_id = cases.id "
    "JOIN history ON history.case_id = cases.id WHERE cases.state = 'assigned'",
}
"""The numbers of which everything is stored, one row for each."""


@pytest.mark.parametrize("context", CONTEXT_NAMES)
async def test_first_version_works_during_and_after_every_migration(
    databases: Databases, context: str
) -> None:
    name = f"first_{context}"
    admin = await asyncpg.connect(databases.server.admin_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.close()
    url = databases.server.url(name, context, f"{context}-secret")
    await bootstrap(databases.server.admin_url, {context: url})
    scripts = ScriptDirectory.from_config(alembic_config(context)).walk_revisions()
    first, *later = sorted(script.revision for script in scripts)
    await migrate_schema(context, url, first, "public")

    acknowledged: list[int] = []
    stop = asyncio.Event()

    async def write(pool: "asyncpg.Pool[asyncpg.Record]", writer: int) -> None:
        number = writer
        while not stop.is_set() or number < ROWS:
            async with (
                asyncio.timeout(PATIENCE),
                pool.acquire() as connection,
                connection.transaction(),
            ):
                for statement in STATEMENTS[context]:
                    await connection.execute(statement, number)
            acknowledged.append(number)
            number += WRITERS

    async def until_written(count: int) -> None:
        async def written() -> bool:
            return len(acknowledged) >= count

        await eventually(written, within=60)

    async with asyncpg.create_pool(url, min_size=WRITERS, max_size=WRITERS) as pool:
        async with asyncio.TaskGroup() as writing:
            for writer in range(1, WRITERS + 1):
                writing.create_task(write(pool, writer))
            await until_written(ROWS)
            for revision in later:
                await migrate_schema(context, url, revision, "public")
                await until_written(len(acknowledged) + 2 * WRITERS)
            stop.set()
        found = [row[0] for row in await pool.fetch(STORED[context])]
        assert sorted(found) == sorted(acknowledged)
        assert await pool.fetchval("SELECT version_num FROM alembic_version") == later[-1]
