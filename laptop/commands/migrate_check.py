"""`python -m laptop.commands.migrate_check`: shows what the next start would migrate."""

import os
import subprocess
import sys

from laptop import programs, settings
from laptop.commands.databases import board_databases
from laptop.errors import CannotRunError


def main() -> int:
    """Returns the exit code of `python -m board migrate --check`, or 2 if it cannot run."""
    try:
        with board_databases(settings.read([], os.environ), running=True) as (urls, _):
            command = programs.board_command("migrate", urls, os.environ)
            done = subprocess.run(  # noqa: S603 - our own program
                (*command.command, "--check"),
                env=command.environment, cwd=command.folder, check=False,
            )  # fmt: skip
            return done.returncode
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
