"""The pages that a browser fills itself: those that are personal, or need scripts."""

from collections.abc import Mapping
from typing import Final

SHELLS: Final[Mapping[str, str]] = {
    "/signin": "sign-in",
    "/register": "register",
    "/settings": "settings",
    "/moderation": "moderation",
    "/moderation/log": "moderation-log",
    "/moderation/cases": "cases",
    "/reports": "your-reports",
    "/docs": "api",
    "/password-resets": "new-password",
    "/cases/{id}": "cases",
}
"""Their paths, and the keys of their titles."""
