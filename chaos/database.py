"""Faults of the PostgreSQL server of a run."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import asyncpg
import psutil  # type: ignore[import-untyped]  # it ships no types

from laptop.postgres import postmaster_file
from laptop.run import embedded
from strangle.errors import CannotPlayError
from topology.contexts import CONTEXT_NAMES

_DISK_FULL: Final = """
CREATE FUNCTION chaos_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$
"""
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_TERMINATE: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"


class Database:
    """The server in a data folder, as its superuser and its operating system see it."""

    def __init__(self, data_folder: Path) -> None:
        self._server, _ = embedded(data_folder)

    def signal_server(self, number: signal.Signals) -> None:
        """Send a signal to the postmaster alone. SIGINT is a fast shutdown, after which the run
        starts it again; SIGKILL ends all sessions with it."""
        os.kill(self._postmaster().pid, number)

    def pause(self) -> None:
        """Stop the postmaster and all of its processes: connections stay open, and nothing
        answers."""
        postmaster = self._postmaster()
        _send([postmaster, *postmaster.children(recursive=True)], signal.SIGSTOP)

    def go_on(self) -> None:
        """Let all processes continue."""
        postmaster = self._postmaster()
        _send([postmaster, *postmaster.children(recursive=True)], signal.SIGCONT)

    async def refuse_connections(self) -> None:
        """End all sessions of the board, and answer every new one as if the server had no
        connections left: SQLSTATE 53300, by a limit for each role."""
        connection = await self._connect("postgres")
        try:
            for role in CONTEXT_NAMES:
                await connection.execute(f'ALTER ROLE "{role}" CONNECTION LIMIT 0')
            for role in CONTEXT_NAMES:
                await connection.fetch(_TERMINATE, role)
        finally:
            await connection.close()

    async def accept_connections(self) -> None:
        """Accept the board's connections again."""
        connection = await self._connect("postgres")
        try:
            for role in CONTEXT_NAMES:
                await connection.execute(f'ALTER ROLE "{role}" CONNECTION LIMIT -1')
        finally:
            await connection.close()

    async def fill_disk(self) -> None:
        """Let every write fail as if the disk were full: SQLSTATE 53100, by triggers. A disk that
        really is full needs a file system of its own, and a superuser to mount it."""
        for database in CONTEXT_NAMES:
            connection = await self._connect(database)
            try:
                async with connection.transaction():
                    await connection.execute(_DISK_FULL)
                    for row in await connection.fetch(_TABLES):
                        await connection.execute(
                            "CREATE TRIGGER chaos_disk_full BEFORE INSERT OR UPDATE OR DELETE ON "
                            f'"{row["tablename"]}" EXECUTE FUNCTION chaos_disk_full()'
                        )
            finally:
                await connection.close()

    async def clear_disk(self) -> None:
        """Let writes succeed again."""
        for database in CONTEXT_NAMES:
            connection = await self._connect(database)
            try:
                await connection.execute("DROP FUNCTION IF EXISTS chaos_disk_full CASCADE")
            finally:
                await connection.close()

    async def mend(self) -> None:
        """Undo every fault that lasts. Does nothing if the server does not run."""
        with suppress(CannotPlayError, OSError, asyncpg.PostgresError):
            self.go_on()
            await self.accept_connections()
            await self.clear_disk()

    async def _connect(self, database: str) -> "asyncpg.Connection[asyncpg.Record]":
        self._server.attach()
        url = self._server.admin_url.replace("/postgres?", f"/{database}?", 1)
        return await asyncpg.connect(url, timeout=10)

    def _postmaster(self) -> psutil.Process:
        process = postmaster_file.process_id(self._server.cluster)
        if process is None or not psutil.pid_exists(process):
            raise CannotPlayError("PostgreSQL does not run")
        return psutil.Process(process)


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
