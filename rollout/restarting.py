"""`make restart`: replaces the processes of a server on this laptop, one after another."""

import os
import sys
from collections.abc import Mapping

from laptop.errors import CannotRunError
from rollout.board import table
from rollout.errors import CannotRollOutError
from rollout.laptop import only_laptop
from rollout.request import read_server


def main() -> int:
    """Carry out the command. Returns 0, or 1 if it was refused."""
    try:
        sys.stdout.write(f"{run(os.environ)}\n")
    except (CannotRollOutError, CannotRunError) as refused:
        sys.stderr.write(f"make restart: {refused}.\n")
        return 1
    return 0


def run(environment: Mapping[str, str]) -> str:
    """Restart the server that CONTEXT names, without a failed request. Returns what to show.

    Raises CannotRollOutError and CannotRunError.
    """
    server = read_server(environment)
    board = only_laptop(environment, "docker compose restart does so to all copies at once")
    return table(board.restart(server))


if __name__ == "__main__":
    sys.exit(main())
