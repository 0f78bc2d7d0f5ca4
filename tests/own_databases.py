"""Databases for a single test, without the admins and the failed sign-ins of other tests."""

import secrets

from board.bootstrap import bootstrap
from board.migrate import migrate
from tests.databases import Databases


async def new_database(databases: Databases, context: str) -> str:
    """The URL of an empty database for a context, migrated."""
    name = f"{context}_{secrets.token_hex(4)}"
    url = databases.server.url(name, context, f"{context}-secret")
    await bootstrap(databases.server.admin_url, {context: url})
    await migrate({context: url})
    return url


async def new_users_database(databases: Databases) -> str:
    """The URL of an empty database for users, migrated."""
    return await new_database(databases, "users")
