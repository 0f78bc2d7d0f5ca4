"""The secrets of a Compose project: made once, and laid out so that each process sees its own.

A folder (in Compose: a volume) keeps every secret in a file. Beside it, one folder per consumer
has files named after the settings that the consumer reads, see `kernel.process.settings.load`.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from containers.errors import CannotStartError

CONTEXTS: Final = ("users", "threads", "posts")

KEPT: Final = (
    "admin_password",
    *(f"{context}_password" for context in CONTEXTS),
    "users_service_token",
    "threads_service_token",
)
"""The names of all secrets."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]{32,128}")


def load_or_create(folder: Path, volume: str, *, may_create_admin: bool) -> Mapping[str, str]:
    """The secrets in `folder`, where the volume of that name is mounted; what is missing is made,
    of 256 random bits.

    CannotStartError for a damaged one, and for a missing password of the database's administrator
    unless `may_create_admin`: a cluster that exists has another. (The contexts' passwords and
    the tokens may be made anew at any time: `board bootstrap` tells them to the database.)
    """
    found: dict[str, str] = {}
    for name in KEPT:
        path = folder / name
        may_create = may_create_admin or name != "admin_password"
        if not path.exists():
            if not may_create:
                raise CannotStartError(
                    "The database has data, but the password that opens it is gone from the "
                    f"volume {volume}: restore that volume, or begin anew with: "
                    "docker compose down --volumes"
                )
            _write(path, secrets.token_urlsafe(32))
        value = path.read_text(encoding="ascii", errors="replace").strip()
        if not _SHAPE.fullmatch(value):
            remedy = (
                "Restore it, or remove it to have it made anew"
                if may_create
                else "Restore it, or begin anew with: docker compose down --volumes"
            )
            raise CannotStartError(
                f"The secret {name} in the volume {volume} is damaged: it must have 32 to 128 "
                f"letters, digits, - and _. {remedy}"
            )
        found[name] = value
    return found


def parts(kept: Mapping[str, str], server: str) -> Mapping[str, Mapping[str, str]]:
    """What each consumer is told: its folder's name, and its files. `server` is host and port of
    PostgreSQL."""
    urls: dict[str, str] = {
        f"{context}_database_url": (
            f"postgresql://{context}:{kept[f'{context}_password']}@{server}/{context}"
        )
        for context in CONTEXTS
    }
    every = {**kept, **urls}
    admin = f"postgresql://postgres:{kept['admin_password']}@{server}/postgres"

    def some(*names: str) -> dict[str, str]:
        return {name: every[name] for name in names}

    return {
        "postgres": some("admin_password"),
        "bootstrap": urls | {"admin_database_url": admin},
        "databases": urls,
        "users": some("users_database_url", "users_service_token"),
        "threads": some("threads_database_url", "threads_service_token", "users_service_token"),
        "posts": some("posts_database_url", "threads_service_token", "users_service_token"),
    }


def lay_out(files: Mapping[str, str], folder: Path) -> None:
    """Bring `folder` to exactly these files, readable by their owner only. A file that is right
    already is not touched, and none is ever seen half written."""
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, value in files.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != value:
            _write(path, value)


def _write(path: Path, text: str) -> None:
    # mkstemp makes the file 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).rename(path)
