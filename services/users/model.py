"""Users, sessions and bans, and their rules."""

import unicodedata
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypedDict

from kernel.contracts import Actor, Role
from kernel.errors import Conflict, FieldError, Forbidden, Invalid

SESSION_IDLE = timedelta(days=14)
"""How long after its last use a session ends."""

SESSION_LIFETIME = timedelta(days=60)
"""How long after its start a session ends, even if it is used."""

RESET_LIFETIME = timedelta(hours=24)
"""How long a link for a new password works."""

RESERVED_PREFIX = "deleted-"
"""The beginning of the usernames of deleted accounts."""

_RANKS: dict[Role, int] = {"member": 0, "moderator": 1, "admin": 2}


class User(NamedTuple):
    """A registered user, or what is left of a deleted account."""

    id: int
    username: str
    name: str
    bio: str
    email: str | None
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewUser:
    """A registration. `password` is as typed."""

    username: str
    password: str
    name: str
    bio: str
    email: str | None


class ProfileChanges(TypedDict, total=False):
    """Changes of a user's own profile; fields that are absent stay."""

    name: str
    bio: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban: its reason and its end; None means until it is lifted."""

    reason: str
    until: datetime | None

    @property
    def sentence(self) -> str:
        """The sentence that the banned user reads."""
        end = "" if self.until is None else f" until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"You are banned{end}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Account:
    """A user as they see themselves, and the ban that is in force."""

    user: User
    ban: Ban | None


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A new session. Its token is returned this once and stored nowhere."""

    token: str
    expires_at: datetime
    account: Account


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner sees it. `current` is true for the session of this request."""

    id: int
    created_at: datetime
    last_used_at: datetime
    user_agent: str | None
    current: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of a session token, banned or not."""

    session: int
    actor: Actor
    ban: Ban | None


@dataclass(frozen=True, slots=True)
class ResetLink:
    """A link for a new password, which works once. Only the hash of its token is stored."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a locked user, which cannot change until the transaction ends. `password_hash`
    is None for a deleted account; `other_admins` is the number of admins without this user."""

    user: User
    password_hash: str | None
    ban: Ban | None
    other_admins: int

    def check_is_here(self) -> None:
        """Raises `Conflict` if the account was deleted."""
        if self.password_hash is None:
            raise Conflict("This user has left the board.")

    def check_may_become(self, role: Role) -> None:
        """Raises `Conflict` if the account was deleted, if no admin would be left, or if a banned
        user would be promoted: nobody could lift the ban of an admin."""
        self.check_is_here()
        if role != "admin":
            self.check_not_the_last_admin()
        if role != "member" and self.ban is not None:
            raise Conflict("This user is banned. Lift the ban first.")

    def check_not_the_last_admin(self) -> None:
        """Raises `Conflict` if this is the last admin."""
        if self.user.role == "admin" and self.other_admins == 0:
            raise Conflict("This is the last admin. Make somebody else an admin first.")

    def check_bannable(self, actor: Actor) -> None:
        """Raises `Forbidden` unless the actor may ban this user and lift the ban; `Conflict` if the
        account was deleted."""
        if actor.id == self.user.id:
            raise Forbidden("Nobody can ban themselves, or lift their own ban.")
        if _RANKS[actor.role] <= _RANKS[self.user.role]:
            raise Forbidden("Only people of a lower role can be banned.")
        self.check_is_here()


def session_end(created_at: datetime, last_used_at: datetime) -> datetime:
    """When a session ends if it is not used again."""
    return min(last_used_at + SESSION_IDLE, created_at + SESSION_LIFETIME)


def canonical_password(password: str) -> str:
    """The password in Unicode form NFC, so that it does not depend on the keyboard (NIST
    SP 800-63B section 5.1.1.2)."""
    return unicodedata.normalize("NFC", password)


def check_password(
    password: str, username: str, commonest: Container[str], pointer: str = "/password"
) -> None:
    """Raises `Invalid` for a common password or one that equals the username. `pointer` is its
    field."""
    folded = password.casefold()
    if folded in commonest:
        raise Invalid(FieldError(pointer, "Too many people have this password."))
    if folded == username.casefold():
        raise Invalid(FieldError(pointer, "The password must not be the username."))


def is_reserved(username: str) -> bool:
    """Whether the name is reserved: it is that of a deleted account, or seems to speak for the
    board, even if spelled with digits or hyphens."""
    lower = username.lower()
    letters = lower.translate(_SPELLINGS)
    return lower.startswith(RESERVED_PREFIX) or letters in _OFFICIAL


_SPELLINGS = str.maketrans("013457", "oieast", "-_")
_OFFICIAL = frozenset(
    {
        "abuse", "admin", "administration", "administrator", "admins", "anonymous", "api", "board",
        "bot", "deleted", "everyone", "help", "helpdesk", "info", "me", "mod", "moderation",
        "moderator", "moderators", "mods", "nobody", "null", "official", "operator", "owner",
        "postmaster", "root", "security", "staff", "superuser", "support", "sysadmin", "system",
        "team", "undefined", "user", "users", "webmaster",
    }
)  # fmt: skip
