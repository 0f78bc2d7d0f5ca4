"""`python -m rollout COMMAND`: the commands behind `make shift`, `shares`, `start` and `stop`."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from containers.engine import docker_command
from laptop import control, settings
from laptop.errors import CannotRunError
from rollout import compose, place
from rollout.board import Board, table
from rollout.errors import CannotRollOutError
from rollout.laptop import LaptopBoard
from rollout.request import read_server, read_shift

COMMANDS: Final = ("shift", "shares", "start", "stop")
_ON_AWS: Final = {"shift": "shift-ecs", "shares": "shares-ecs"}


def main() -> int:
    """Carry out one command. Returns 0, 1 if it was refused, 2 for invalid arguments."""
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.stderr.write(f"usage: python -m rollout {{{','.join(COMMANDS)}}}\n")
        return 2
    command = sys.argv[1]
    try:
        return _run(command, os.environ)
    except (CannotRollOutError, CannotRunError) as refused:
        sys.stderr.write(f"make {command}: {refused}.\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"make {command}: interrupted; the board finishes what it has begun.\n")
        return 130


def _run(command: str, environment: Mapping[str, str]) -> int:
    # Everything that can be refused without a board is refused first.
    wanted = read_shift(environment) if command == "shift" else None
    server = read_server(environment) if command in ("start", "stop") else ""
    board = place.choose(
        environment,
        {place.LAPTOP: lambda: _laptop(environment), place.COMPOSE: lambda: _compose(environment)},
    )
    if board is None:
        return _on_aws(command, server)
    sys.stdout.write(f"The board {board.place}:\n")
    sys.stdout.flush()
    if wanted is not None:
        state = board.shift(wanted.service, wanted.share, force=wanted.force)
    elif server:
        state = board.start(server) if command == "start" else board.stop(server)
    else:
        state = board.state()
    sys.stdout.write(f"{table(state)}\n")
    return 0


def _laptop(environment: Mapping[str, str]) -> Board | None:
    found = control.find(settings.data_folder(environment))
    return None if found is None else LaptopBoard(found)


def _compose(environment: Mapping[str, str]) -> Board | None:
    return compose.find(docker_command(environment))


def _on_aws(command: str, server: str) -> int:
    if command not in _ON_AWS:
        raise CannotRollOutError(
            f"on AWS, services are stacks. To start {server} beside the others: "
            "make deploy-ecs DEPLOYMENT=strangler. To remove the monolith: make deploy-ecs "
            "DEPLOYMENT=microservices; to remove the services: DEPLOYMENT=monolith"
        )
    sys.stdout.write("The board on AWS:\n")
    sys.stdout.flush()
    return subprocess.run(["make", _ON_AWS[command]], check=False).returncode  # noqa: S603, S607 - our own Makefile


if __name__ == "__main__":
    sys.exit(main())
