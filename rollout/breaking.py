"""`make break`: breaks a server of the board on this laptop on purpose, and mends it."""

import os
import sys
from collections.abc import Mapping

from laptop.errors import CannotRunError
from rollout.board import table
from rollout.errors import CannotRollOutError
from rollout.laptop import only_laptop
from rollout.request import read_server

HOWS = ("kill", "freeze", "slow", "mend")
"""What can be done to a server; `laptop.processes.faults` says what each means."""


def main() -> int:
    """Carry out the command. Returns 0, or 1 if it was refused."""
    try:
        sys.stdout.write(f"{run(os.environ)}\n")
    except (CannotRollOutError, CannotRunError) as refused:
        sys.stderr.write(f"make break: {refused}.\n")
        return 1
    return 0


def run(environment: Mapping[str, str]) -> str:
    """Break the server that CONTEXT names in the way that HOW names. Returns what to show.

    Raises CannotRollOutError and CannotRunError.
    """
    server, how = read_server(environment), environment.get("HOW", "")
    if how not in HOWS:
        raise CannotRollOutError(f"HOW={how}: it must be one of {', '.join(HOWS)}")
    board = only_laptop(environment, "docker compose kill, pause and unpause do the same")
    return table(board.break_(server, how))


if __name__ == "__main__":
    sys.exit(main())
