"""Authenticate actions, which come before another action."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode


class OnUnauthenticated(StrEnum):
    """What happens to an unauthenticated request: ``OnUnauthenticatedRequest``."""

    DENY = "deny"
    ALLOW = "allow"
    AUTHENTICATE = "authenticate"


@dataclass(frozen=True, slots=True)
class SignIn:
    """An ``authenticate-oidc`` or ``authenticate-cognito`` action."""

    issuer: str
    authorization_endpoint: str
    client_id: str
    scope: str = "openid"
    on_unauthenticated: OnUnauthenticated = OnUnauthenticated.AUTHENTICATE
    extra: tuple[tuple[str, str], ...] = ()
    """More parameters for the identity provider."""

    def location(self, host: str, state: str) -> str:
        """The URL at which a client signs in, to be redirected back to ``host``."""
        query = {
            "client_id": self.client_id,
            "redirect_uri": f"https://{host}/oauth2/idpresponse",
            "response_type": "code",
            "scope": self.scope,
            "state": state,
            **dict(self.extra),
        }
        return f"{self.authorization_endpoint}?{urlencode(query)}"
