"""Migrates each context's database to the newest version."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

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
    """Migrate the databases, one after the other, because Alembic uses global state.

    Raises `TimeoutError` if another migration holds a database's lock for more than `lock_timeout`
    seconds, and `ValueError` if a newer version of the board has migrated a database.
    """
    for context, url in databases.items():
        await _migrate(context, url, lock_timeout)


async def _migrate(context: str, url: str, lock_timeout: float) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )
    async with _locked(url, lock_timeout), engine.connect() as connection:
        await connection.run_sync(_upgrade, context)
    await engine.dispose()
    log.info("%s: migrated", context)


def _upgrade(connection: Connection, context: str) -> None:
    config = alembic_config(context)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
    if unknown:
        raise ValueError(
            f"The database of {context} is at migration {max(unknown)}, and this version of the "
            f"board has none after {max(known)}: use the version that migrated it."
        )
    connection.rollback()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@asynccontextmanager
async def _locked(url: str, patience: float) -> AsyncIterator[None]:
    """Hold the database's migration lock.

    The lock is polled: a session that waits for it would hold a snapshot, and a CREATE INDEX
    CONCURRENTLY in the session that has the lock would wait for that snapshot forever.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        deadline = time.monotonic() + patience
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            if time.monotonic() > deadline:
                raise TimeoutError(f"another migration has held its lock for {patience:g} s")
            await asyncio.sleep(_LOCK_POLL)
        yield
    finally:
        await connection.close()
