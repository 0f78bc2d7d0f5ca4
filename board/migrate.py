"""Migrates each context's database to the newest version."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from board.swap import APPLICATION, finish_interrupted

log = logging.getLogger("board.migrate")

_ROOT = Path(__file__).resolve().parent.parent
_LOCK = 0x6D696772617465  # "migrate"
_LOCK_POLL = 0.2


def alembic_config(context: str) -> Config:
    """Alembic's configuration for a context: the shared `env.py`, and the context's migrations."""
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "board" / "alembic"))
    config.set_main_option("version_locations", str(_ROOT / "services" / context / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


async def migrate(databases: Mapping[str, str], lock_timeout: float = 60.0) -> None:
    """Migrate the databases, one after the other, because Alembic uses global state. A restore that
    was interrupted is finished first.

    Raises `TimeoutError` if another migration holds a database's lock for more than `lock_timeout`
    seconds, and `ValueError` if a newer version of the board has migrated a database.
    """
    async with AsyncExitStack() as stack:
        for url in databases.values():
            await stack.enter_async_context(migration_lock(url, lock_timeout, APPLICATION))
        if await finish_interrupted(databases):
            log.info("finished a restore that was interrupted")
        for context, url in databases.items():
            await migrate_schema(context, url, "head", "public")
            log.info("%s: migrated", context)


async def migrate_schema(context: str, url: str, revision: str, schema: str) -> None:
    """Migrate one schema of a context's database to a revision, or to `head`. The caller has the
    database's migration lock. Raises `ValueError` if the schema is at a newer migration."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(
            url, server_settings={"search_path": schema, "application_name": APPLICATION}
        ),
        poolclass=NullPool,
    )
    async with engine.connect() as connection:
        await connection.run_sync(_upgrade, context, revision)
    await engine.dispose()


def check_known(context: str, revision: str, what: str) -> None:
    """Raise `ValueError` if this version of the board does not have a migration. `what` is that
    which is at it, for the message."""
    config = alembic_config(context)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision not in known:
        raise ValueError(
            f"{what} of {context} is at migration {revision}, and this version of the "
            f"board has none after {max(known)}: use the version that migrated it."
        )


def _upgrade(connection: Connection, context: str, revision: str) -> None:
    for head in MigrationContext.configure(connection).get_current_heads():
        check_known(context, head, "The database")
    connection.rollback()
    config = alembic_config(context)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@asynccontextmanager
async def migration_lock(url: str, patience: float, application: str = "") -> AsyncIterator[None]:
    """Hold the database's migration lock. `application` is the connection's name.

    The lock is polled: a session that waits for it would hold a snapshot, and a CREATE INDEX
    CONCURRENTLY in the session that has the lock would wait for that snapshot forever.
    """
    connection = await asyncpg.connect(
        url, timeout=10, server_settings={"application_name": application}
    )
    try:
        deadline = time.monotonic() + patience
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            if time.monotonic() > deadline:
                raise TimeoutError(f"another migration has held its lock for {patience:g} s")
            await asyncio.sleep(_LOCK_POLL)
        yield
    finally:
        await connection.close()
