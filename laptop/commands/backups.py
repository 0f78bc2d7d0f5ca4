"""`python -m laptop.commands.backups backup|restore FILE [--replace]`: one file with everything."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from laptop import programs, settings
from laptop.commands.databases import board_databases
from laptop.errors import CannotRunError


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code of `python -m board backup` or `restore`, or 2 if it cannot run.

    A board that is stopped is backed up, too. A restore needs one that is stopped, or a folder
    without a board.
    """
    if len(arguments) < 2 or not arguments[1]:
        sys.stderr.write("Name the file: make backup FILE=board.zip, make restore FILE=board.zip\n")
        return 2
    try:
        run = settings.read([], os.environ)
        with board_databases(run, running=arguments[0] == "backup") as (urls, admin_url):
            if arguments[0] == "restore" and admin_url is not None:
                prepared = _board(("bootstrap",), urls, admin_url)
                if prepared:
                    return prepared
            return _board(arguments, urls, None)
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _board(arguments: Sequence[str], urls: Mapping[str, str], admin_url: str | None) -> int:
    command = programs.board_command(arguments[0], urls, os.environ, admin_url=admin_url)
    # The file's name is relative to the folder of the caller, and the program runs in another.
    rest = [str(Path(one).absolute()) if not one.startswith("-") else one for one in arguments[1:]]
    done = subprocess.run(  # noqa: S603 - our own program; each word is one argument
        (*command.command, *rest), env=command.environment, cwd=command.folder, check=False
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
