"""What a user and a session are, and the rules about them."""

import unicodedata
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.contracts import Role
from kernel.errors import FieldError, Invalid

SESSION_IDLE = timedelta(days=14)
"""A session ends so long after its last use."""

SESSION_LIFETIME = timedelta(days=60)
"""A session ends so long after its start, used or not."""

RESERVED_PREFIX = "deleted-"
"""Names that begin so stand for people who have left."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has registered."""

    id: int
    username: str
    name: str
    bio: str
    email: str | None
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody who wants to. `password` is as typed."""

    username: str
    password: str
    name: str
    bio: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """What signing in gives: the token is shown this once and kept nowhere."""

    token: str
    expires_at: datetime
    user: User


def session_end(created_at: datetime, last_used_at: datetime) -> datetime:
    """When a session ends if it is not used again."""
    return min(last_used_at + SESSION_IDLE, created_at + SESSION_LIFETIME)


def canonical_password(password: str) -> str:
    """One spelling for what looks the same, whichever keyboard composed it (NFC, as NIST
    SP 800-63B section 5.1.1.2 advises)."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, username: str, commonest: Container[str]) -> None:
    """Raises `Invalid` for a password that would be guessed at once."""
    folded = password.casefold()
    if folded in commonest:
        raise Invalid(FieldError("/password", "Too many people have this password."))
    if folded == username.casefold():
        raise Invalid(FieldError("/password", "The password must not be the username."))


def is_reserved(username: str) -> bool:
    """Whether nobody may take this name."""
    return username.lower().startswith(RESERVED_PREFIX)
