"""Finds out what `board migrate` would do, without changing any table of the board."""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from alembic.script import ScriptDirectory

from board.migrate import alembic_config, check_known, migrate_schema, migration_lock
from board.schema import additions, breaks, read_schema
from board.swap import APPLICATION, connected, interrupted
from board.tables import find_revision

_TRIAL: Final = "board_migrate_check"
"""The schema in which pending migrations are tried: without rows, and removed afterwards."""


@dataclass(frozen=True)
class Migration:
    """A pending migration: its number, what it is for, what it adds, and why the version before it
    may fail after it."""

    revision: str
    purpose: str
    adds: tuple[str, ...]
    breaks: tuple[str, ...]


@dataclass(frozen=True)
class Pending:
    """What `migrate` would do: finish a restore that was interrupted, and carry out the pending
    migrations of each context, in their order."""

    finishes_restore: bool
    migrations: Mapping[str, tuple[Migration, ...]]

    @property
    def only_adds(self) -> bool:
        """Whether the version before goes on working during and after all migrations."""
        return not any(one.breaks for found in self.migrations.values() for one in found)

    @property
    def exit_status(self) -> int:
        """0, or 3 if the version before may fail. (1 is an error, 2 a wrong command line.)"""
        return 0 if self.only_adds else 3

    def lines(self) -> Iterator[str]:
        """The report for the operator."""
        if self.finishes_restore:
            yield "A restore that was interrupted would be finished first."
        for context, found in self.migrations.items():
            yield f"{context}: {len(found) or 'no'} pending migration{'s'[: len(found) != 1]}"
            for migration in found:
                yield f"  {migration.revision}  {migration.purpose}"
                yield from (f"        adds {what}" for what in migration.adds)
                yield from (f"        BREAKS the version before: {why}" for why in migration.breaks)
        if not any(self.migrations.values()):
            yield "The databases are those of this version."
        elif self.only_adds:
            yield "All of this only adds: the version that runs goes on working meanwhile."
        else:
            yield "The version that runs may fail after this: stop it before you migrate."


async def pending(databases: Mapping[str, str], lock_timeout: float = 60.0) -> Pending:
    """What `migrate` would do with these databases.

    Pending migrations are tried in a schema of their own without rows, which is removed again. The
    board may run meanwhile. Raises `TimeoutError` if another migration holds a database's lock for
    more than `lock_timeout` seconds, `ValueError` if a newer version of the board has migrated a
    database, and asyncpg's errors.
    """
    async with AsyncExitStack() as stack:
        for url in databases.values():
            await stack.enter_async_context(migration_lock(url, lock_timeout, APPLICATION))
        left = await interrupted(databases)
        return Pending(
            bool(left), {context: await _try(context, url) for context, url in databases.items()}
        )


async def _try(context: str, url: str) -> tuple[Migration, ...]:
    async with connected(url) as connection:
        current = await find_revision(connection)
        if current is not None:
            check_known(context, current, "The database")
        scripts = ScriptDirectory.from_config(alembic_config(context))
        waiting = list(scripts.iterate_revisions("heads", current or "base"))[::-1]
        if not waiting:
            return ()
        await connection.execute(f"DROP SCHEMA IF EXISTS {_TRIAL} CASCADE")
        await connection.execute(f"CREATE SCHEMA {_TRIAL}")
        try:
            if current is not None:
                await migrate_schema(context, url, current, _TRIAL)
            found = []
            schema = await read_schema(connection, _TRIAL)
            for script in waiting:
                await migrate_schema(context, url, script.revision, _TRIAL)
                before, schema = schema, await read_schema(connection, _TRIAL)
                found.append(
                    Migration(
                        script.revision,
                        script.doc,
                        tuple(additions(before, schema)),
                        tuple(breaks(before, schema)),
                    )
                )
            return tuple(found)
        finally:
            await connection.execute(f"DROP SCHEMA {_TRIAL} CASCADE")
