"""`python -m rollout.backups backup|restore FILE [--replace]`: one file with everything on a board,
of this machine or in Compose."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.backups import ComposeBackups
from containers.errors import CannotStartError
from laptop import settings
from laptop.commands import backups
from laptop.errors import CannotRunError
from rollout.errors import CannotRollOutError
from rollout.place import AWS, COMPOSE, LAPTOP


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Returns the exit status of the board's command, 2 if it cannot run, 130 after Ctrl-C."""
    command, file = arguments[0], arguments[1] if len(arguments) > 1 else ""
    compose = ComposeBackups(environment)
    try:
        if not file or place(environment, compose) == LAPTOP:
            return backups.main(arguments)
        if command == "backup":
            return compose.backup(Path(file))
        return compose.restore(Path(file), replace="--replace" in arguments)
    except (CannotRollOutError, CannotRunError, CannotStartError, OSError) as refused:
        sys.stderr.write(f"make {command}: {refused}.\n")
        return 2
    except KeyboardInterrupt:
        return 130


def place(environment: Mapping[str, str], compose: ComposeBackups) -> str:
    """Where the board is: LAPTOP or COMPOSE. If ON does not say it, the board is in Compose if one
    runs there and there is none on this machine, where it need not run.

    Raises CannotRollOutError if ON is neither, or two boards may be meant, and CannotRunError.
    """
    on = environment.get("ON", "")
    if on == AWS:
        raise CannotRollOutError(
            'on AWS, snapshots of the database are the backups: "Restoring" in docs/aws.md'
        )
    if on not in ("", LAPTOP, COMPOSE):
        raise CannotRollOutError(f"ON={on}: it must be one of {LAPTOP}, {COMPOSE}")
    if on:
        return on
    if not compose.runs():
        return LAPTOP
    run = settings.read([], environment)
    if run.database_urls or run.data_folder.exists():
        raise CannotRollOutError(
            f"there is a board in {run.data_folder} and one in Compose: add ON={LAPTOP} or "
            f"ON={COMPOSE}"
        )
    return COMPOSE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
