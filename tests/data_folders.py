"""Where tests create PostgreSQL's data."""

import os
import shutil
from pathlib import Path
from typing import Final

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it are private
_ROOM: Final = 6 * 1024**3


def parent() -> str:
    """The folder for folders with PostgreSQL's data, with a path short enough for its socket.

    It is in memory, if there is room: `CREATE DATABASE` writes 300 files, which take ten times as
    much processor time on a disk.
    """
    if os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM:
        return str(_IN_MEMORY)
    return "/tmp"  # noqa: S108 - folders in it are private
