"""Backups of the board in Compose: a file of this machine, and the databases in containers.

The containers can read no file of the user's, who alone can read a backup. So it passes through the
standard output and input of one that has the operator's commands.
"""

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from containers.engine import docker_command, docker_stream
from containers.errors import CannotStartError
from topology.deployments import SERVERS

_EVERY_PROFILE: Final = ("compose", "--profile", "*")
_OPERATOR: Final = "migrate"
"""The service with the operator's commands, the databases' URLs, and the database's network."""
_BUILT_BY: Final = "prepare"
_IMAGE: Final = "board/board:local"
_DATABASE: Final = "postgres"
_SCRATCH: Final = "/scratch"
"""A folder of the operator's image for a volume that ends with its container: /tmp is in memory,
and too small for a backup."""


class ComposeBackups:
    """The commands for the project of the current folder."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._docker = docker_command(environment)
        self._stream = docker_stream(environment)

    def runs(self) -> bool:
        """Whether the database or a server of the project runs."""
        try:
            return bool(self._running() & {_DATABASE, *SERVERS})
        except CannotStartError:
            return False  # without Docker, nothing runs in containers

    def backup(self, target: Path) -> int:
        """Write a backup to a new file, which only this user can read. Returns the exit status of
        the command in the container. Raises CannotStartError, and OSError."""
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CannotStartError(f"{target} exists already: name another file") from None
        complete = False
        try:
            with os.fdopen(descriptor, "wb") as file, self._database() as options:
                run = (*_EVERY_PROFILE, "run", "--rm", "-T", *options, _OPERATOR, "backup", "-")
                status = self._stream(run, output=file)
                os.fsync(file.fileno())
            if status == 0:
                _check_whole(target)
            complete = status == 0
            return status
        finally:
            if not complete:
                target.unlink()

    def restore(self, source: Path, *, replace: bool) -> int:
        """Fill the databases from a backup. The servers must not run; the database is started if
        need be, also in a project that has never run. Returns the exit status of the command in
        the container. Raises CannotStartError, and OSError."""
        with source.open("rb") as content:
            servers = sorted(self._running() & {*SERVERS})
            if servers:
                raise CannotStartError(f"{', '.join(servers)} run: stop the board first, make down")
            with self._database() as options:
                scratch = ("--volume", _SCRATCH, "--env", f"TMPDIR={_SCRATCH}")
                command = ("restore", "-", *(["--replace"] if replace else ()))
                run = (*_EVERY_PROFILE, "run", "--rm", "-T", *options, *scratch, _OPERATOR)
                return self._stream((*run, *command), content=content)

    @contextmanager
    def _database(self) -> Iterator[tuple[str, ...]]:
        """The options of a container that needs the database, which runs until the block ends."""
        if _DATABASE in self._running():
            # Starting it again might replace its container by one of newer settings.
            yield ("--no-deps",)
            return
        if self._docker(("image", "inspect", "--format", "{{.Id}}", _IMAGE)).status != 0:
            built = self._docker((*_EVERY_PROFILE, "build", _BUILT_BY))
            if built.status != 0:
                raise CannotStartError(f"{_IMAGE} could not be built: {built.error.strip()}")
        try:
            yield ()
        finally:
            self._docker((*_EVERY_PROFILE, "stop", _DATABASE))

    def _running(self) -> set[str]:
        listed = self._docker((*_EVERY_PROFILE, "ps", "--status", "running", "--services"))
        if listed.status != 0:
            raise CannotStartError(f"docker compose ps: {listed.error.strip()}")
        return {*listed.output.split()}


def _check_whole(file: Path) -> None:
    """Raise CannotStartError if a part of an archive is missing or has changed on its way."""
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        raise CannotStartError(f"the backup did not arrive whole: {error}") from error
    if damaged is not None:
        raise CannotStartError(f"the backup did not arrive whole: {damaged} is damaged")
