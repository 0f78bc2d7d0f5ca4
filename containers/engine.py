"""The `docker` command of this machine."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from containers.errors import CannotStartError


@dataclass(frozen=True)
class Answer:
    """What a command ended with, and printed."""

    status: int
    output: str
    error: str


Ask = Callable[[Sequence[str]], Answer]
"""Runs `docker` with these arguments to its end. CannotStartError when there is no such command."""


def ask(environment: Mapping[str, str]) -> Ask:
    """The real one, in this environment and in the folder with docker-compose.yml."""

    def run(arguments: Sequence[str]) -> Answer:
        try:
            done = subprocess.run(  # noqa: S603 - the arguments are ours
                ["docker", *arguments],  # noqa: S607 - whichever the user's PATH has
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise CannotStartError(
                "There is no docker command: install Docker (https://docs.docker.com/get-docker/), "
                "or run the board without it: make run"
            ) from None
        return Answer(done.returncode, done.stdout, done.stderr)

    return run
