"""The passwords and tokens of one data folder: generated once, and stored in one private file."""

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
        """Hides the secrets, so that none gets into a log or a traceback."""
        return "Credentials(...)"

    @classmethod
    def generate(cls) -> Self:
        """Generate new secrets, in URL-safe characters."""
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
    """Load the credentials of `folder`; if it has none, generate and store them first.

    Stored credentials never change. Only the owner can read the file, and it is created
    atomically: if two processes create it at the same time, both return what the first one stored.

    Raises:
        CannotRunError: the file cannot be read, or is incomplete.
    """
    path = folder / FILE_NAME
    if not path.exists():
        _create(path)
    return _load(path)


def _create(path: Path) -> None:
    text = json.dumps(dict(Credentials.generate().by_name), indent=2) + "\n"
    # mkstemp creates the file with mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link never replaces a file that another process has just created.
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
            f"{path} is damaged (not a JSON object): restore it, or remove {path.parent}"
        )
    missing = [
        name for name in SECRETS if not isinstance(content.get(name), str) or not content[name]
    ]
    if missing:
        raise CannotRunError(
            f"{path} lacks {', '.join(missing)}: restore it, or remove {path.parent}"
        )
    return Credentials({name: content[name] for name in SECRETS})
