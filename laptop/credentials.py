"""The passwords and tokens of one data folder: generated once, kept in one private file."""

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from laptop.errors import CannotRunError
from topology.contexts import BY_NAME
from topology.secrets import ADMIN_PASSWORD, SECRETS, role_password

FILE_NAME = "secrets.json"


@dataclass(frozen=True)
class Credentials:
    """The secrets of one machine's processes; each is 256 random bits.

    `by_name` has a value for each name in `topology.secrets.SECRETS`.
    """

    by_name: Mapping[str, str]

    def __repr__(self) -> str:
        """No secret in a log or a traceback."""
        return "Credentials(...)"

    @classmethod
    def generate(cls) -> Self:
        """New ones, of URL-safe characters."""
        return cls({name: secrets.token_urlsafe(32) for name in SECRETS})

    @property
    def admin_password(self) -> str:
        """The password of the database's superuser."""
        return self.by_name[ADMIN_PASSWORD]

    def password(self, context: str) -> str:
        """The password of a context's database role."""
        return self.by_name[role_password(context)]

    def service_token(self, context: str) -> str:
        """The token that callers of a context send."""
        return self.by_name[BY_NAME[context].service_token]


def load_or_create(folder: Path) -> Credentials:
    """The credentials of `folder`, made when it has none, and never changed after.

    The file is readable by its owner only and appears whole or not at all; of two processes that
    make it at once, both get what the first one wrote. CannotRunError when it is unreadable.
    """
    path = folder / FILE_NAME
    if not path.exists():
        _create(path)
    return _load(path)


def _create(path: Path) -> None:
    text = json.dumps(dict(Credentials.generate().by_name), indent=2) + "\n"
    # mkstemp makes the file 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link never replaces what another process has just made.
            os.link(temporary, path)
        except FileExistsError:
            pass
    finally:
        Path(temporary).unlink()


def _load(path: Path) -> Credentials:
    try:
        content = json.loads(path.read_text(encoding="ascii"))
    except OSError as error:
        raise CannotRunError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CannotRunError(
            f"{path} is damaged ({error}): restore it, or remove {path.parent}"
        ) from error
    if not isinstance(content, dict):
        raise CannotRunError(
            f"{path} is damaged (no JSON object): restore it, or remove {path.parent}"
        )
    missing = [
        name for name in SECRETS if not isinstance(content.get(name), str) or not content[name]
    ]
    if missing:
        raise CannotRunError(
            f"{path} lacks {', '.join(missing)}: restore it, or remove {path.parent}"
        )
    return Credentials({name: content[name] for name in SECRETS})
