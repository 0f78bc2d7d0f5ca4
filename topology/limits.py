"""The board's limits on what one user or one address may do, as settings in the environment."""

from collections.abc import Mapping
from typing import Final

_ANY_NUMBER: Final = "100000000"

NO_LIMITS: Final[Mapping[str, str]] = {
    "ADDRESS_LIMIT": _ANY_NUMBER,
    "EDIT_LIMIT": "0",
    "POST_INTERVAL": "0",
    "PREVIEW_LIMIT": "0",
    "READING_LIMIT": "0",
    "REGISTRATION_LIMIT": "0",
    "REPORT_LIMIT": "0",
    "SIGN_IN_ADDRESS_FAILURES": _ANY_NUMBER,
    "THREAD_INTERVAL": "0",
}
"""The settings that turn the limits off, for a load or for tests that come from one address. The
limit of failures to sign in as one user stays."""
