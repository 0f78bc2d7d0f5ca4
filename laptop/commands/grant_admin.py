"""`python -m laptop.commands.grant_admin NAME`: make a user of this machine's board an admin."""

import os
import subprocess
import sys
from collections.abc import Mapping

from laptop import programs, settings
from laptop.errors import CannotRunError
from laptop.run import database_urls, embedded


def main() -> int:
    """Returns the exit code of `python -m board grant-admin`, or 2 for invalid arguments."""
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.stderr.write("Name the user: make grant-admin NAME=somebody\n")
        return 2
    try:
        urls = database_urls_of(settings.read([], os.environ))
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    command = programs.board_command("grant-admin", urls, os.environ)
    done = subprocess.run(  # noqa: S603 - our own program; the name is one argument
        (*command.command, sys.argv[1]), env=command.environment, cwd=command.folder, check=False
    )
    return done.returncode


def database_urls_of(run: settings.Settings) -> Mapping[str, str]:
    """The URL of each context's database of the board on this machine, which must be running.

    Raises `CannotRunError` if it is not.
    """
    if run.database_urls:
        return run.database_urls
    if not run.data_folder.exists():
        raise CannotRunError(f"there is no board in {run.data_folder}: start one with make run")
    server, secrets = embedded(run.data_folder)
    server.attach()
    return database_urls(server, secrets)


if __name__ == "__main__":
    sys.exit(main())
