"""`python -m laptop.commands.operator COMMAND ...`: an operator's command, on this board."""

import os
import subprocess
import sys
from collections.abc import Sequence

from laptop import programs, settings
from laptop.commands.databases import board_databases
from laptop.errors import CannotRunError


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code of `python -m board COMMAND ...`, or 2 if it cannot run. The board must
    exist, and may be stopped."""
    try:
        with board_databases(settings.read([], os.environ), running=True) as (urls, _):
            command = programs.board_command(arguments[0], urls, os.environ)
            done = subprocess.run(  # noqa: S603 - our own program; each word is one argument
                (*command.command, *arguments[1:]),
                env=command.environment, cwd=command.folder, check=False,
            )  # fmt: skip
            return done.returncode
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
