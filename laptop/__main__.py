"""`python -m laptop`: the board on this machine, until Ctrl-C."""

import asyncio
import os
import sys

from laptop import programs, settings
from laptop.errors import CannotRunError
from laptop.log import MergedLog, wants_colour
from laptop.run import run


def main() -> int:
    """Run the board. Returns 0 if it was stopped, 1 if it failed, 2 if the settings are invalid."""
    try:
        run_settings = settings.read(sys.argv[1:], os.environ)
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    log = MergedLog(
        sys.stdout.fileno(),
        names=programs.names(run_settings.copies),
        colour=wants_colour(sys.stdout.isatty(), os.environ),
    )
    try:
        return asyncio.run(run(run_settings, os.environ, log))
    except KeyboardInterrupt:
        # This happens only before `run` installs its signal handlers, when no process runs yet.
        return 0
    finally:
        log.close()


if __name__ == "__main__":
    sys.exit(main())
