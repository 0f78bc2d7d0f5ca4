"""The `docker` command of this machine."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from containers.errors import CannotStartError


@dataclass(frozen=True)
class CommandResult:
    """The exit status of a command, and what it printed."""

    status: int
    output: str
    error: str


_NO_DOCKER = (
    "There is no docker command: install Docker (https://docs.docker.com/get-docker/), "
    "or run the board without it: make run"
)

Docker = Callable[[Sequence[str]], CommandResult]
"""Runs `docker` with these arguments until it ends. CannotStartError if it is not installed."""


class DockerStream(Protocol):
    """Runs `docker` with files as its standard input and output."""

    def __call__(
        self,
        arguments: Sequence[str],
        *,
        content: IO[bytes] | None = None,
        output: IO[bytes] | None = None,
    ) -> int:
        """The exit status of `docker ARGUMENTS`. `content` is its standard input, empty without it;
        its standard output goes to `output`, or to this process's, as its errors do. Raises
        CannotStartError if it is not installed."""


def docker_command(environment: Mapping[str, str]) -> Docker:
    """A function that runs this machine's `docker` in the current folder, with `environment`."""

    def run(arguments: Sequence[str]) -> CommandResult:
        try:
            done = subprocess.run(  # noqa: S603 - the arguments are ours
                ["docker", *arguments],  # noqa: S607 - found on the user's PATH
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise CannotStartError(_NO_DOCKER) from None
        return CommandResult(done.returncode, done.stdout, done.stderr)

    return run


def docker_stream(environment: Mapping[str, str]) -> DockerStream:
    """A function that runs this machine's `docker` in the current folder, with `environment`."""

    def run(
        arguments: Sequence[str],
        *,
        content: IO[bytes] | None = None,
        output: IO[bytes] | None = None,
    ) -> int:
        try:
            done = subprocess.run(  # noqa: S603 - the arguments are ours
                ["docker", *arguments],  # noqa: S607 - found on the user's PATH
                env=dict(environment),
                stdin=content or subprocess.DEVNULL,
                stdout=output,
                check=False,
            )
        except FileNotFoundError:
            raise CannotStartError(_NO_DOCKER) from None
        return done.returncode

    return run
