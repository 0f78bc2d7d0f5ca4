"""A process is ready when its database has the migrations that its code needs, and not before."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import httpx
import pytest

import services.cases.store
import services.posts.store
import services.threads.store
import services.users.store
from board.bootstrap import bootstrap
from board.migrate import migrate
from kernel.data.database import Database
from kernel.errors import Unavailable
from tests.databases import Databases
from tests.deployments import monolith_in_loop, services_in_loop
from topology.contexts import CONTEXT_NAMES

SCHEMAS: Mapping[str, str] = {
    "users": services.users.store.SCHEMA,
    "threads": services.threads.store.SCHEMA,
    "posts": services.posts.store.SCHEMA,
    "cases": services.cases.store.SCHEMA,
}


async def empty_databases(databases: Databases, prefix: str) -> dict[str, str]:
    """The URLs of databases without migrations."""
    urls = {
        context: databases.server.url(f"{prefix}_{context}", context, f"{context}-secret")
        for context in CONTEXT_NAMES
    }
    await bootstrap(databases.server.admin_url, urls)
    return urls


async def readiness(origins: Mapping[str, str]) -> dict[str, int]:
    """The status of each process's `/readyz`."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return {
            name: (await http.get(f"{url}/readyz")).status_code for name, url in origins.items()
        }


@pytest.mark.parametrize("deployment", [monolith_in_loop, services_in_loop])
async def test_process_is_ready_when_each_of_its_contexts_is_migrated(
    databases: Databases, deployment: Any
) -> None:
    urls = await empty_databases(databases, deployment.__name__)
    contexts = {"monolith": set(CONTEXT_NAMES), "web": set()} | {
        context: {context} for context in CONTEXT_NAMES
    }
    migrated: set[str] = set()
    async with deployment(urls) as origins:
        for context in CONTEXT_NAMES:
            assert await readiness(origins) == {
                name: 200 if contexts[name] <= migrated else 503 for name in origins
            }
            await migrate({context: urls[context]})
            migrated.add(context)
        assert set((await readiness(origins)).values()) == {200}


@pytest.mark.parametrize("context", CONTEXT_NAMES)
async def test_older_schema_is_refused_and_newer_is_accepted(
    databases: Databases, context: str
) -> None:
    urls = await empty_databases(databases, "schema")
    await migrate({context: urls[context]})
    connection = await asyncpg.connect(urls[context])
    needed = SCHEMAS[context]
    try:
        async with Database.open(urls[context]) as database:
            for revision, accepted in ((-1, False), (0, True), (1, True)):
                number = f"{int(needed) + revision:04}"
                await connection.execute("UPDATE alembic_version SET version_num = $1", number)
                if accepted:
                    await database.check_schema(needed)
                else:
                    with pytest.raises(Unavailable):
                        await database.check_schema(needed)
    finally:
        await connection.close()
