"""The bodies of requests and responses about users."""

from typing import Annotated

from pydantic import Field

from kernel.contracts import Role
from kernel.http.fields import (
    Explain,
    Id,
    Line,
    Moment,
    Prose,
    Reason,
    RequestBody,
    Resource,
    Timestamp,
)
from services.users.model import ProfileChanges
from services.users.passwords import LONGEST, SHORTEST

Username = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_-]{2,20}$", examples=["ines"]),
    Explain("Choose 2 to 20 letters from a to z, digits, hyphens and underscores."),
]
Name = Annotated[Line, Field(min_length=1, max_length=60, examples=["Ines Duarte"])]
Bio = Annotated[Prose, Field(max_length=500, examples=["Bakes at night."])]
Email = Annotated[
    Line,
    Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", examples=["ines@example.org"]),
    Explain("Write an e-mail address with one @, like ines@example.org."),
]
NewPassword = Annotated[
    str, Field(min_length=SHORTEST, max_length=LONGEST, examples=["seven quiet herons"])
]
TypedPassword = Annotated[str, Field(max_length=1000, examples=["seven quiet herons"])]


class User(Resource):
    """A user, as everybody sees them."""

    id: Id
    username: str
    name: str
    bio: str
    role: Role
    created_at: Timestamp


class Ban(Resource):
    """Why a user is banned, and until when; without an end, until the ban is lifted."""

    reason: str
    until: Timestamp | None


class BanState(Resource):
    """The ban of a user, if there is one in force."""

    ban: Ban | None


class Me(User):
    """A user, as they see themselves, with the ban that is in force."""

    email: str | None
    ban: Ban | None


class Registration(RequestBody):
    """A registration. Without a name, the username is shown."""

    username: Username
    password: NewPassword
    name: Name | None = None
    bio: Bio = ""
    email: Email | None = None


class Profile(RequestBody):
    """A change of the user's own profile. Fields that are not sent stay; null removes the email."""

    # Only fields that were sent are read, so these defaults are never stored.
    name: Name = Field(default_factory=str)
    bio: Bio = Field(default_factory=str)
    email: Email | None = Field(default_factory=lambda: None)

    def changes(self) -> ProfileChanges:
        """The fields that were sent."""
        changes: ProfileChanges = {}
        if "name" in self.model_fields_set:
            changes["name"] = self.name
        if "bio" in self.model_fields_set:
            changes["bio"] = self.bio
        if "email" in self.model_fields_set:
            changes["email"] = self.email
        return changes


class PasswordChange(RequestBody):
    """The current password, and the new one."""

    current: TypedPassword
    new: NewPassword


class Leaving(RequestBody):
    """The current password, so that no account is deleted by accident or by somebody else."""

    password: TypedPassword


class ResetPassword(RequestBody):
    """The token of a link, and the new password."""

    token: Annotated[str, Field(min_length=1, max_length=100, examples=["y0iJ3mUo"])]
    password: NewPassword


class SignIn(RequestBody):
    """A username and a password."""

    largest_body = 4 * 1024
    username: Annotated[Prose, Field(max_length=100, examples=["ines"])]
    password: TypedPassword


class StartedSession(Resource):
    """A new session. Its token is not shown again."""

    token: str
    expires_at: Timestamp
    user: Me


class Session(Resource):
    """A session of the user. `current` is true for the session of this request."""

    id: Id
    created_at: Timestamp
    last_used_at: Timestamp
    user_agent: str | None
    current: bool


class RoleChange(RequestBody):
    """The new role."""

    role: Annotated[Role, Field(examples=["moderator"])]


class NewBan(RequestBody):
    """The reason, which the banned user reads, and the end, or none until the ban is lifted."""

    reason: Reason
    until: Moment | None = None


class ResetLink(Resource):
    """A link to the page on which a new password can be set, once. It is not shown again. The token
    follows the `#`, so browsers do not send it to a server."""

    link: str
    expires_at: Timestamp
