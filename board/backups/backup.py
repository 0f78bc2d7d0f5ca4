"""Writes the databases of all contexts to one file, while the board runs."""

import logging
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from board.backups.archive import ContextContent, TableContent, TableWriter, write_manifest
from board.backups.snapshot import snapshots
from board.migrate import migration_lock
from board.swap import connected
from board.tables import Connection, revision_of, sequences_of, tables_of

log = logging.getLogger("board.backup")

STANDARD_OUTPUT: Final = "-"


async def backup(databases: Mapping[str, str], target: str, now: datetime) -> None:
    """Write a backup to the file `target`, or to the standard output for `-`.

    Every write that was acknowledged before the call is in it. Only this user can read the file,
    which appears under its name when it is complete. Raises `ValueError` if the file exists or a
    database was never migrated, `TimeoutError` if a migration or a long transaction is in the way,
    `OSError` and asyncpg's errors.
    """
    async with AsyncExitStack() as stack:
        for url in databases.values():
            await stack.enter_async_context(migration_lock(url, 60))
        for url in databases.values():
            await _check_migrated(url)
        output = stack.enter_context(_output(target))
        file = stack.enter_context(zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, True, 1))
        readers = await stack.enter_async_context(snapshots(databases))
        contents = {}
        for context, reader in readers.items():
            contents[context] = await _write(context, reader, file)
            log.info("%s: %d tables", context, len(contents[context].tables))
        write_manifest(file, now.isoformat(), contents)


async def _check_migrated(url: str) -> None:
    async with connected(url) as connection:
        await revision_of(connection)


async def _write(context: str, reader: Connection, file: zipfile.ZipFile) -> ContextContent:
    revision = await revision_of(reader)
    # Sequences are in no snapshot. Theirs are later numbers, which are as good: none is used again.
    sequences = await sequences_of(reader)
    tables = []
    for table in await tables_of(reader):
        with file.open(f"{context}/{table.name}", "w", force_zip64=True) as member:
            writer = TableWriter(member)
            await reader.copy_from_table(
                table.name, schema_name="public", columns=table.columns, output=writer.write
            )
        tables.append(TableContent(name=table.name, columns=table.columns, sha256=writer.sha256()))
    return ContextContent(revision=revision, tables=tuple(tables), sequences=sequences)


@contextmanager
def _output(target: str) -> Iterator[IO[bytes]]:
    if target == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    if path.exists():
        raise ValueError(f"{path} exists already: name another file.")
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, this replaces no file that another backup has written meanwhile.
        os.link(partial, path)
    except FileExistsError as error:
        raise ValueError(f"{path} exists already: name another file.") from error
    finally:
        partial.unlink()
