"""The secrets of a Compose project: generated once, and written so that each process sees its own.

One folder (in Compose, a volume) has a file for every secret. Beside it, each consumer has a folder
with a file for each setting that it reads (`kernel.process.settings.load`).
"""

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from containers.errors import CannotStartError
from topology.contexts import BY_NAME, CONTEXTS
from topology.deployments import PAGE, tokens_known_by
from topology.secrets import ADMIN_PASSWORD, SECRETS, role_password

_SHAPE = re.compile(r"[A-Za-z0-9_-]{32,128}")


def load_or_create(folder: Path, volume: str, *, may_create_admin: bool) -> Mapping[str, str]:
    """The secrets in `folder`; missing ones are generated from 256 random bits and stored.

    `volume` is the name in messages of the volume mounted at `folder`. An existing cluster has its
    administrator's password already, so a missing one is generated only if `may_create_admin`. The
    other passwords and the tokens may be replaced at any time: `board bootstrap` sets the
    passwords in the database.

    Raises:
        CannotStartError: a secret is damaged, or the administrator's password is missing.
    """
    found: dict[str, str] = {}
    for name in SECRETS:
        path = folder / name
        may_create = may_create_admin or name != ADMIN_PASSWORD
        if not path.exists():
            if not may_create:
                raise CannotStartError(
                    "The database has data, but the password that opens it is gone from the "
                    f"volume {volume}: restore that volume, or start with an empty "
                    "board: docker compose down --volumes"
                )
            _write(path, secrets.token_urlsafe(32))
        value = path.read_text(encoding="ascii", errors="replace").strip()
        if not _SHAPE.fullmatch(value):
            remedy = (
                "Restore it, or remove it and a new one is generated"
                if may_create
                else "Restore it, or start with an empty board: docker compose down --volumes"
            )
            raise CannotStartError(
                f"The secret {name} in the volume {volume} is damaged: it must have 32 to 128 "
                f"letters, digits, - and _. {remedy}"
            )
        found[name] = value
    return found


def parts(secrets: Mapping[str, str], server: str) -> Mapping[str, Mapping[str, str]]:
    """The files of each consumer's folder: their contents by file name, by folder name.

    `server` is the host and port of PostgreSQL.
    """
    urls = {
        context.name: {
            context.database_url: (
                f"postgresql://{context.name}:{secrets[role_password(context.name)]}@{server}/"
                f"{context.name}"
            )
        }
        for context in CONTEXTS
    }
    databases = {name: url for of_context in urls.values() for name, url in of_context.items()}
    admin = f"postgresql://postgres:{secrets[ADMIN_PASSWORD]}@{server}/postgres"
    return {
        "postgres": {ADMIN_PASSWORD: secrets[ADMIN_PASSWORD]},
        "bootstrap": databases | {"admin_database_url": admin},
        "databases": databases,
        **{name: urls[name] | _tokens(secrets, name) for name in urls},
        PAGE: _tokens(secrets, PAGE),
    }


def _tokens(secrets: Mapping[str, str], service: str) -> dict[str, str]:
    names = [BY_NAME[known].service_token for known in tokens_known_by(service)]
    return {name: secrets[name] for name in names}


def lay_out(files: Mapping[str, str], folder: Path) -> None:
    """Make `folder` contain exactly these files, readable by their owner only.

    A file that is already correct is not written, and each write is atomic.
    """
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, value in files.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != value:
            _write(path, value)


def _write(path: Path, text: str) -> None:
    # mkstemp creates the file with mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).rename(path)
