"""Fills the databases of all contexts from a backup."""

import asyncio
import logging
import secrets
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, cast

from board.backups.archive import Archive, ContextContent
from board.migrate import check_known, migrate_schema, migration_lock
from board.swap import APPLICATION, STAGING, connected, finish_interrupted, mark_complete, swap
from board.tables import Connection, tables_of

log = logging.getLogger("board.restore")

STANDARD_INPUT: Final = "-"

CLOSING: Final = 3.0
"""Seconds for which connections that are being closed are waited for."""


async def restore(databases: Mapping[str, str], source: Path, *, replace: bool) -> None:
    """Replace the content of the databases, which must exist, with that of a backup.

    Without `replace`, the board must be empty: nobody ever registered. A backup of an older version
    is migrated. If this is interrupted, either nothing has changed, or the next `migrate` or
    `restore` finishes it. Raises `ValueError` if the file is damaged, incomplete or of a newer
    version, if the board isn't empty, or if anything else is connected to the databases; also
    `TimeoutError`, `OSError` and asyncpg's errors.
    """
    archive = Archive.read(source)
    contents = archive.manifest.contexts
    for context, content in contents.items():
        check_known(context, content.revision, f"The backup ({archive.manifest.origin})")
    async with AsyncExitStack() as stack:
        for url in databases.values():
            await stack.enter_async_context(migration_lock(url, 60, APPLICATION))
        await finish_interrupted(databases)
        for context, url in databases.items():
            async with connected(url) as connection:
                await _check_unused(context, connection, replace=replace)
        number = secrets.token_hex(16)
        with zipfile.ZipFile(source) as file:
            for context, url in databases.items():
                await _fill(context, url, contents[context], file, number)
                log.info("%s: read", context)
        await swap(databases)
    manifest = archive.manifest
    log.info("restored the board of %s, written by %s", manifest.taken_at, manifest.origin)


@contextmanager
def input_file(source: str) -> Iterator[Path]:
    """The file `source`. For `-`, what the standard input has is copied to a temporary file, which
    the block has, since a backup is read from its end. Raises `OSError`."""
    if source != STANDARD_INPUT:
        yield Path(source)
        return
    with TemporaryDirectory(prefix="board-restore-") as folder:
        path = Path(folder, "standard-input.zip")
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


async def _check_unused(context: str, connection: Connection, *, replace: bool) -> None:
    # PostgreSQL lists a connection for a moment after its client has closed it.
    deadline = time.monotonic() + CLOSING
    while await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND application_name <> $1 "
        "AND backend_type IS NOT DISTINCT FROM 'client backend')",
        APPLICATION,
    ):
        if time.monotonic() > deadline:
            raise ValueError(f"Something uses the database of {context}: stop the board first.")
        await asyncio.sleep(0.1)
    if not replace and await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_sequences WHERE schemaname = 'public' "
        "AND last_value IS NOT NULL)"
    ):
        raise ValueError(
            f"The board is not empty: the database of {context} has been written to. What is there "
            "would be lost; --replace (make restore REPLACE=1) replaces it."
        )


async def _fill(
    context: str, url: str, content: ContextContent, file: zipfile.ZipFile, number: str
) -> None:
    async with connected(url) as connection:
        await connection.execute(f"DROP SCHEMA IF EXISTS {STAGING} CASCADE")
        await connection.execute(f"CREATE SCHEMA {STAGING}")
        await migrate_schema(context, url, content.revision, STAGING)
        tables = {table.name for table in await tables_of(connection, STAGING)}
        if tables != {table.name for table in content.tables}:
            raise ValueError(f"The backup's tables of {context} are not those of its migration.")
        async with connection.transaction():
            for table in content.tables:
                # Rows that migrations insert are in the backup, too. Triggers would notify of each.
                await connection.execute(
                    f'ALTER TABLE {STAGING}."{table.name}" DISABLE TRIGGER USER'
                )
            for table in reversed(content.tables):
                await connection.execute(f'DELETE FROM {STAGING}."{table.name}"')  # noqa: S608 - a known table
            for table in content.tables:
                with file.open(f"{context}/{table.name}") as member:
                    await connection.copy_to_table(
                        table.name,
                        schema_name=STAGING,
                        columns=table.columns,
                        source=cast("BinaryIO", member),
                    )
            for table in content.tables:
                await connection.execute(
                    f'ALTER TABLE {STAGING}."{table.name}" ENABLE TRIGGER USER'
                )
            for name, last in content.sequences.items():
                await connection.execute(
                    "SELECT setval(format('%I.%I', $1::text, $2::text)::regclass, $3)",
                    STAGING, name, last,
                )  # fmt: skip
        await migrate_schema(context, url, "head", STAGING)
        await connection.execute("ANALYZE")
        await mark_complete(connection, number)
