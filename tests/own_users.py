"""Users on a database of their own, where nobody else's admins and wrong passwords count."""

import secrets

from board.bootstrap import bootstrap
from board.migrate import migrate
from tests.databases import Databases


async def new_users_database(databases: Databases) -> str:
    """The URL of an empty database for users, migrated."""
    name = f"users_{secrets.token_hex(4)}"
    url = databases.server.url(name, "users", "users-secret")
    await bootstrap(databases.server.admin_url, {"users": url})
    await migrate({"users": url})
    return url
