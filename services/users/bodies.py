"""What requests about users carry, and what they are answered with."""

from typing import Annotated

from pydantic import Field

from kernel.contracts import Role
from kernel.http.fields import Id, Line, Moment, Prose, RequestBody, Resource, Timestamp
from services.users.model import ProfileChanges
from services.users.passwords import LONGEST, SHORTEST

Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{2,20}$", examples=["ines"])]
Name = Annotated[Line, Field(min_length=1, max_length=60, examples=["Ines Duarte"])]
Bio = Annotated[Prose, Field(max_length=500, examples=["Bakes at night."])]
Email = Annotated[
    Line, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", examples=["ines@example.org"])
]
NewPassword = Annotated[
    str, Field(min_length=SHORTEST, max_length=LONGEST, examples=["seven quiet herons"])
]
TypedPassword = Annotated[str, Field(max_length=1000, examples=["seven quiet herons"])]


class User(Resource):
    """A person, as everybody sees them."""

    id: Id
    username: str
    name: str
    bio: str
    role: Role
    created_at: Timestamp


class Me(User):
    """A person, as they see themselves."""

    email: str | None


class Registration(RequestBody):
    """What it takes to become a user. The name to show is the username unless there is one."""

    username: Username
    password: NewPassword
    name: Name | None = None
    bio: Bio = ""
    email: Email | None = None


class Profile(RequestBody):
    """What to change about oneself. What is not sent stays; an email of null is removed."""

    # Only what was sent is looked at, so these defaults are nobody's name and bio.
    name: Name = Field(default_factory=str)
    bio: Bio = Field(default_factory=str)
    email: Email | None = Field(default_factory=lambda: None)

    def changes(self) -> ProfileChanges:
        """What was sent."""
        changes: ProfileChanges = {}
        if "name" in self.model_fields_set:
            changes["name"] = self.name
        if "bio" in self.model_fields_set:
            changes["bio"] = self.bio
        if "email" in self.model_fields_set:
            changes["email"] = self.email
        return changes


class PasswordChange(RequestBody):
    """The password that one has, and the one to have."""

    current: TypedPassword
    new: NewPassword


class Leaving(RequestBody):
    """One's password, so that nobody leaves by accident or by another's hand."""

    password: TypedPassword


class ResetPassword(RequestBody):
    """The token of a link, and the password to have."""

    token: Annotated[str, Field(min_length=1, max_length=100, examples=["y0iJ3mUo"])]
    password: NewPassword


class SignIn(RequestBody):
    """A name and a password."""

    largest_body = 4 * 1024
    username: Annotated[Prose, Field(max_length=100, examples=["ines"])]
    password: TypedPassword


class StartedSession(Resource):
    """A session that has just begun. The token is shown this once."""

    token: str
    expires_at: Timestamp
    user: Me


class Session(Resource):
    """A session of one's own. `current` is the one that this request belongs to."""

    id: Id
    created_at: Timestamp
    last_used_at: Timestamp
    user_agent: str | None
    current: bool


class RoleChange(RequestBody):
    """The role to have."""

    role: Annotated[Role, Field(examples=["moderator"])]


class NewBan(RequestBody):
    """Why, as the banned person reads it, and until when; without an end, until it is lifted."""

    reason: Annotated[Line, Field(min_length=1, max_length=500, examples=["Advertising"])]
    until: Moment | None = None


class ResetLink(Resource):
    """The page on which a new password can be set, once. Shown this once. The token is what
    follows the `#`, which no browser sends to a server."""

    link: str
    expires_at: Timestamp
