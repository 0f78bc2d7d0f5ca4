"""Creates each context's role and database, if missing, and sets each role's password to the one
in its URL. It can be run again at any time."""

import logging
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import asyncpg

log = logging.getLogger("board.bootstrap")


async def bootstrap(admin_url: str, databases: Mapping[str, str]) -> None:
    """Create what the URLs in `databases` name, on the server at `admin_url`.

    The admin needs CREATEDB and CREATEROLE, and need not be a superuser. Raises `ValueError` if the
    server rejects the admin's password; also asyncpg's other errors, and `OSError`.
    """
    try:
        admin = await asyncpg.connect(admin_url, timeout=10)
    except asyncpg.InvalidPasswordError as error:
        raise ValueError(
            "The database rejects the password in ADMIN_DATABASE_URL: it was created with "
            "another one."
        ) from error
    try:
        for context, url in databases.items():
            parts = urlsplit(url)
            role, password = unquote(parts.username or ""), unquote(parts.password or "")
            database = unquote(parts.path.removeprefix("/"))
            if not (role and password and database):
                raise ValueError(
                    f"The URL of {context} must name a role, a password and a database."
                )
            await _make_role(admin, role, password)
            await _make_database(admin, database, role)
            log.info("%s: database %s for role %s", context, database, role)
    finally:
        await admin.close()


async def _make_role(admin: "asyncpg.Connection[asyncpg.Record]", role: str, password: str) -> None:
    known = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if known else "CREATE"
    # These statements take no parameters, so the server quotes the names for us.
    await admin.execute(
        await admin.fetchval(
            f"SELECT format('{verb} ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)",
            role,
            password,
        )
    )
    # Since PostgreSQL 16, an admin who is not a superuser must be a member of a role to create
    # databases that the role owns.
    await admin.execute(
        await admin.fetchval("SELECT format('GRANT %I TO CURRENT_USER', $1::text)", role)
    )


async def _make_database(
    admin: "asyncpg.Connection[asyncpg.Record]", database: str, role: str
) -> None:
    if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
        await admin.execute(
            await admin.fetchval(
                """
                SELECT format(
                    'CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' '
                    'LOCALE_PROVIDER builtin BUILTIN_LOCALE ''C.UTF-8''',
                    $1::text, $2::text
                )
                """,
                database,
                role,
            )
        )
    for name in (database, "postgres"):
        await admin.execute(
            await admin.fetchval(
                "SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', $1::text)",
                name,
            )
        )
