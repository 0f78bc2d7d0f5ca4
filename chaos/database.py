"""Faults of a PostgreSQL server."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

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
END $$;
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format(
            'CREATE TRIGGER chaos_disk_full BEFORE INSERT OR UPDATE OR DELETE ON %I '
            'EXECUTE FUNCTION chaos_disk_full()', name);
    END LOOP;
END $$
"""


class Server(Protocol):
    """A server as its operating system and its superuser see it. Every method may raise
    CannotPlayError."""

    async def restart(self) -> None:
        """End it by a fast shutdown; it starts again."""

    async def pause(self) -> None:
        """Stop all of its processes: connections stay open, and nothing answers."""

    async def go_on(self) -> None:
        """Let all processes continue."""

    async def execute(self, database: str, statements: str) -> None:
        """Carry out statements in one transaction, as the superuser."""


class Database:
    """The faults of a server that statements make."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def refuse_connections(self) -> None:
        """End all sessions of the board, and answer every new one as if the server had no
        connections left: SQLSTATE 53300, by a limit for each role."""
        limits = "; ".join(f'ALTER ROLE "{role}" CONNECTION LIMIT 0' for role in CONTEXT_NAMES)
        await self.server.execute("postgres", limits)
        roles = ", ".join(f"'{role}'" for role in CONTEXT_NAMES)
        await self.server.execute(
            "postgres",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ({roles})",  # noqa: S608 - our own names
        )

    async def accept_connections(self) -> None:
        """Accept the board's connections again."""
        limits = "; ".join(f'ALTER ROLE "{role}" CONNECTION LIMIT -1' for role in CONTEXT_NAMES)
        await self.server.execute("postgres", limits)

    async def fill_disk(self) -> None:
        """Let every write fail as if the disk were full: SQLSTATE 53100, by triggers. A disk that
        really is full needs a file system of its own, and a superuser to mount it."""
        for database in CONTEXT_NAMES:
            await self.server.execute(database, _DISK_FULL)

    async def clear_disk(self) -> None:
        """Let writes succeed again."""
        for database in CONTEXT_NAMES:
            await self.server.execute(database, "DROP FUNCTION IF EXISTS chaos_disk_full CASCADE")

    async def mend(self) -> None:
        """Undo every fault that lasts. Does nothing if the server does not run."""
        with suppress(CannotPlayError):
            await self.server.go_on()
            await self.accept_connections()
            await self.clear_disk()


class LocalServer:
    """The server of a run on this machine, which starts it again when it ends."""

    def __init__(self, data_folder: Path) -> None:
        self._server, _ = embedded(data_folder)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the postmaster alone. SIGKILL ends all sessions with it."""
        os.kill(self._postmaster().pid, number)

    async def restart(self) -> None:
        """End it by SIGINT, the signal of a fast shutdown."""
        self.signal(signal.SIGINT)

    async def pause(self) -> None:
        """Stop the postmaster and all of its processes."""
        postmaster = self._postmaster()
        _send([postmaster, *postmaster.children(recursive=True)], signal.SIGSTOP)

    async def go_on(self) -> None:
        """Let all processes continue."""
        postmaster = self._postmaster()
        _send([postmaster, *postmaster.children(recursive=True)], signal.SIGCONT)

    async def execute(self, database: str, statements: str) -> None:
        """Carry out statements, as the superuser of the cluster."""
        try:
            self._server.attach()
            url = self._server.admin_url.replace("/postgres?", f"/{database}?", 1)
            connection = await asyncpg.connect(url, timeout=10)
            try:
                await connection.execute(statements)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError) as error:
            raise CannotPlayError(f"PostgreSQL does not carry out {statements}: {error}") from error

    def _postmaster(self) -> psutil.Process:
        process = postmaster_file.process_id(self._server.cluster)
        if process is None or not psutil.pid_exists(process):
            raise CannotPlayError("PostgreSQL does not run")
        return psutil.Process(process)


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
