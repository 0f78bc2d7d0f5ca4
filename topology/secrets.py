"""The names of the board's secrets. A deployment on one machine generates each of them once."""

from typing import Final

from topology.contexts import BY_NAME, CALLED, CONTEXT_NAMES

ADMIN_PASSWORD: Final = "admin_password"  # noqa: S105 - a name
"""The password of the database's administrator."""


def role_password(context: str) -> str:
    """The name of the password of a context's database role."""
    return f"{context}_password"


SECRETS: Final = (
    ADMIN_PASSWORD,
    *(role_password(context) for context in CONTEXT_NAMES),
    *(BY_NAME[context].service_token for context in CALLED),
)
"""The names of all secrets."""
