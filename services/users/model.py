"""What a user, a session and a ban are, and the rules about them."""

import unicodedata
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypedDict

from kernel.contracts import Actor, Role
from kernel.errors import Conflict, FieldError, Forbidden, Invalid

SESSION_IDLE = timedelta(days=14)
"""A session ends so long after its last use."""

SESSION_LIFETIME = timedelta(days=60)
"""A session ends so long after its start, used or not."""

RESET_LIFETIME = timedelta(hours=24)
"""A link for a new password works for so long."""

RESERVED_PREFIX = "deleted-"
"""Names that begin so stand for people who have left."""

_RANKS: dict[Role, int] = {"member": 0, "moderator": 1, "admin": 2}


class User(NamedTuple):
    """Somebody who has registered, or what is left of them."""

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


class ProfileChanges(TypedDict, total=False):
    """What somebody changes about themselves; what is not in it stays."""

    name: str
    bio: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Ban:
    """Why somebody may not take part, and until when; without an end, until it is lifted."""

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
    """A session as its owner sees it. `current` is the one in which they look."""

    id: int
    created_at: datetime
    last_used_at: datetime
    user_agent: str | None
    current: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds a session token, banned or not."""

    session: int
    actor: Actor
    ban: Ban | None


@dataclass(frozen=True, slots=True)
class ResetLink:
    """What sets a new password once. The token is shown this once and kept nowhere."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A user at the moment in which something is decided about them, which nothing else can change
    meanwhile. `password_hash` is None when they have left; `other_admins` counts those beside
    them."""

    user: User
    password_hash: str | None
    ban: Ban | None
    other_admins: int

    def check_is_here(self) -> None:
        """Raises `Conflict` when the user has left."""
        if self.password_hash is None:
            raise Conflict("This user has left the board.")

    def check_may_become(self, role: Role) -> None:
        """Raises `Conflict` when the user has left, when the board would be without an admin, and
        when somebody banned would get rights: no one could lift the ban of an admin."""
        self.check_is_here()
        if role != "admin":
            self.check_not_the_last_admin()
        if role != "member" and self.ban is not None:
            raise Conflict("This user is banned. Lift the ban first.")

    def check_not_the_last_admin(self) -> None:
        """Raises `Conflict` when the board would be without an admin if they were none."""
        if self.user.role == "admin" and self.other_admins == 0:
            raise Conflict("This is the last admin. Make somebody else an admin first.")

    def check_bannable(self, actor: Actor) -> None:
        """Raises `Forbidden` unless the actor may ban this user, and lift the ban; `Conflict` when
        the user has left."""
        if actor.id == self.user.id:
            raise Forbidden("Nobody can ban themselves, or lift their own ban.")
        if _RANKS[actor.role] <= _RANKS[self.user.role]:
            raise Forbidden("Only people of a lower role can be banned.")
        self.check_is_here()


def session_end(created_at: datetime, last_used_at: datetime) -> datetime:
    """When a session ends if it is not used again."""
    return min(last_used_at + SESSION_IDLE, created_at + SESSION_LIFETIME)


def canonical_password(password: str) -> str:
    """One spelling for what looks the same, whichever keyboard composed it (NFC, as NIST
    SP 800-63B section 5.1.1.2 advises)."""
    return unicodedata.normalize("NFC", password)


def check_password(
    password: str, username: str, commonest: Container[str], pointer: str = "/password"
) -> None:
    """Raises `Invalid` for a password that would be guessed at once. `pointer` is its field."""
    folded = password.casefold()
    if folded in commonest:
        raise Invalid(FieldError(pointer, "Too many people have this password."))
    if folded == username.casefold():
        raise Invalid(FieldError(pointer, "The password must not be the username."))


def is_reserved(username: str) -> bool:
    """Whether nobody may take this name: it stands for somebody who has left, or would speak for
    the board, however its letters are spelled with digits and hyphens."""
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
