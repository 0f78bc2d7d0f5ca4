"""`python -m laptop`: the board on this machine, until Ctrl-C."""

import asyncio
import os
import sys

from laptop import programs, settings
from laptop.errors import CannotRunError
from laptop.log import MergedLog, wants_colour
from laptop.run import run


def main() -> int:
    """Run the board; 0 when it was stopped, 1 when it failed, 2 when it was asked wrongly."""
    try:
        asked = settings.read(sys.argv[1:], os.environ)
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    log = MergedLog(
        sys.stdout.fileno(),
        names=programs.names(asked),
        colour=wants_colour(sys.stdout.isatty(), os.environ),
    )
    try:
        return asyncio.run(run(asked, os.environ, log))
    except KeyboardInterrupt:
        # Before the signal handlers were there: nothing runs yet.
        return 0
    finally:
        log.close()


if __name__ == "__main__":
    sys.exit(main())
