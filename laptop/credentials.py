"""The passwords and tokens of one data folder: generated once, and stored in one private file."""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    """Load the credentials of `folder`; if it has none, generate and store them first. Those of a
    context that is newer than the file are added to it.

    Stored credentials never change. Only the owner can read the file, and it is replaced
    atomically: if two processes create it at the same time, both return what the first one stored.

    Raises:
        CannotRunError: the file cannot be read, or lacks the administrator's password, which only
            a new database could get.
    """
    path = folder / FILE_NAME
    with _locked(folder):
        stored = _load(path) if path.exists() else dict(Credentials.generate().by_name)
        if ADMIN_PASSWORD not in stored:
            raise CannotRunError(
                f"{path} lacks {ADMIN_PASSWORD}: restore it, or remove {path.parent}"
            )
        complete = {**Credentials.generate().by_name, **stored}
        if not path.exists() or complete != stored:
            _store(path, complete)
    return Credentials({name: complete[name] for name in SECRETS})


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _store(path: Path, values: Mapping[str, str]) -> None:
    # mkstemp creates the file with mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(values, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)


def _load(path: Path) -> dict[str, str]:
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
    wrong = [name for name, value in content.items() if not (isinstance(value, str) and value)]
    if wrong:
        raise CannotRunError(
            f"{path} is damaged ({', '.join(wrong)}): restore it, or remove {path.parent}"
        )
    return content
