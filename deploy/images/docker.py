"""The `docker` command of this machine."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.errors import CannotDeployError


@dataclass(frozen=True)
class CommandResult:
    """The exit status of a command, and what it printed."""

    status: int
    output: str
    error: str


Docker = Callable[[Sequence[str], str | None], CommandResult]
"""Runs `docker` with these arguments and that standard input. Raises `CannotDeployError` if there
is no such command."""


def docker(arguments: Sequence[str], stdin: str | None = None) -> CommandResult:
    """Run the `docker` command of this machine; raises `CannotDeployError` if it has none."""
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            ["docker", *arguments],  # noqa: S607 - whichever the user's PATH has
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise CannotDeployError(
            "There is no docker command: install Docker, https://docs.docker.com/get-docker/"
        ) from None
    return CommandResult(done.returncode, done.stdout, done.stderr)


def require_engine(run: Docker) -> None:
    """Raise `CannotDeployError` unless the engine responds."""
    result = run(["info", "--format", "{{.ServerVersion}}"], None)
    if result.status != 0 or not result.output.strip():
        said = result.error.strip().splitlines() or ["nothing"]
        raise CannotDeployError(f"The Docker engine does not respond: {said[-1]}")
