"""Chooses the folder for a Unix socket, whose path must be short and simple."""

import os
import re
import stat
import sys
import tempfile
from pathlib import Path

from laptop.errors import CannotRunError
from laptop.postgres import account as accounts
from laptop.postgres.account import Account

SOCKET_NAME = ".s.PGSQL.5432"
"""PostgreSQL names its socket after its port."""

LONGEST_PATH = 107 if sys.platform == "linux" else 103
"""The longest path of a socket, in bytes: sun_path holds 108 on Linux (unix(7)) and 104 on macOS
and the BSDs, including the terminating zero byte."""

POSTGRES = "socket"
"""The folder for PostgreSQL's socket."""


def choose(
    data_folder: Path, account: Account | None, temporary: Path, name: str = POSTGRES
) -> Path:
    """The folder for the socket, which only the server's user may enter. Created if necessary.

    It is `data_folder/NAME`. If that path is too long, or has a character with a meaning in
    connection URLs, it is a folder in `temporary`, whose path is stored in `data_folder`.
    `account` will own it; None stands for this process's user. A socket's name in the folder must
    be no longer than SOCKET_NAME.

    Raises:
        CannotRunError: the paths of both folders are too long.
    """
    folder = data_folder / name
    if fits(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder, account)
        return folder
    remembered = _remembered(data_folder, account, name)
    if remembered is not None:
        return remembered
    for parent in (temporary, Path("/tmp")):  # noqa: S108 - mkdtemp makes a private folder in it
        if not fits(parent / "board-12345678") or not parent.is_dir():
            continue
        if account is not None and accounts.closed_folder(parent, account) is not None:
            continue
        made = Path(tempfile.mkdtemp(prefix="board-", dir=parent))
        _give(made, account)
        (data_folder / f"{name}-folder").write_text(f"{made}\n", encoding="utf-8")
        return made
    raise CannotRunError(
        f"{folder} is too long a path for a Unix socket, and so is the temporary folder "
        f"{temporary}: use a shorter DATA_DIR"
    )


def find(data_folder: Path, name: str) -> Path | None:
    """The folder that `choose` returned to this user's process; None if there is none."""
    folder = data_folder / name
    return folder if fits(folder) else _remembered(data_folder, None, name)


def fits(folder: Path) -> bool:
    """Whether a socket in `folder` can be bound, and its path used in a connection URL."""
    path = os.fsencode(folder / SOCKET_NAME)
    # Drivers split a URL's `host` at commas, and some of them at colons.
    plain = re.fullmatch(rb"[A-Za-z0-9_./+@-]+", path) is not None
    return plain and len(path) <= LONGEST_PATH


def _remembered(data_folder: Path, account: Account | None, name: str) -> Path | None:
    try:
        folder = Path((data_folder / f"{name}-folder").read_text(encoding="utf-8").strip())
        # Links are not followed: in a folder that everyone can write to, anyone may have made one.
        status = folder.lstat()
    except (OSError, ValueError):
        return None
    owner = os.geteuid() if account is None else account.uid
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
    return folder if private and status.st_uid == owner and fits(folder) else None


def _give(folder: Path, account: Account | None) -> None:
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
