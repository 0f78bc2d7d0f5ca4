"""Databases for a single test, without the admins and the failed sign-ins of other tests."""

import secrets

import asyncpg

from board.bootstrap import bootstrap
from board.migrate import migrate
from tests.databases import Databases


async def new_database(databases: Databases, context: str) -> str:
    """The URL of an empty database for a context, migrated: a copy of one that is migrated once."""
    template = databases.server.url(f"{context}_template", context, f"{context}-secret")
    name = f"{context}_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(databases.server.admin_url)
    try:
        if not await admin.fetchval(_EXISTS, f"{context}_template"):
            await bootstrap(databases.server.admin_url, {context: template})
            await migrate({context: template})
        await admin.execute(
            f"CREATE DATABASE {name} OWNER {context} TEMPLATE {context}_template STRATEGY FILE_COPY"
        )
    finally:
        await admin.close()
    url = databases.server.url(name, context, f"{context}-secret")
    await bootstrap(databases.server.admin_url, {context: url})  # who may connect is not copied
    return url


async def new_users_database(databases: Databases) -> str:
    """The URL of an empty database for users, migrated."""
    return await new_database(databases, "users")


_EXISTS = "SELECT 1 FROM pg_database WHERE datname = $1"
