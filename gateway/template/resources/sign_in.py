"""Reads the actions ``authenticate-oidc`` and ``authenticate-cognito``.

Properties and defaults: AuthenticateOidcActionConfig and AuthenticateCognitoActionConfig in the
Elastic Load Balancing API reference, version 2015-12-01.
"""

import re
from typing import Final

from gateway.routing.sign_in import OnUnauthenticated, SignIn
from gateway.template.resources.properties import Properties

SIGN_IN_TYPES: Final = ("authenticate-oidc", "authenticate-cognito")
_MEANINGLESS: Final = {
    "ClientSecret": "nobody is asked for a token",
    "SessionCookieName": "there is no session: each request says who it is from",
    "SessionTimeout": "there is no session: each request says who it is from",
    "TokenEndpoint": "nobody is asked for a token",
    "UseExistingClientSecret": "nobody is asked for a token",
    "UserInfoEndpoint": "the claims are in the file of identities",
}
_POOL: Final = re.compile(r"arn:[^:]*:cognito-idp:([^:]*):[^:]*:userpool/(.+)")


def read_sign_in(action: Properties, protocol: str) -> SignIn | None:
    """Reads the action, of a rule or listener with that protocol."""
    kind = action.text("Type")
    if protocol != "HTTPS":
        action.problem(action.line_of("Type"), f"an {protocol} listener has no {kind} action")
    oidc = kind == "authenticate-oidc"
    config = action.section("AuthenticateOidcConfig" if oidc else "AuthenticateCognitoConfig")
    if config is None:
        action.problem(action.line, f"{kind} needs its configuration")
        return None
    if oidc:
        issuer = config.text("Issuer") or ""
        endpoint = config.text("AuthorizationEndpoint") or ""
        client = config.text("ClientId") or ""
    else:
        issuer, endpoint = _cognito(config)
        client = config.name_of("UserPoolClientId") or ""
    extra = config.section("AuthenticationRequestExtraParams")
    found = SignIn(
        issuer,
        endpoint,
        client,
        scope=config.text("Scope") or "openid",
        on_unauthenticated=OnUnauthenticated(
            config.only("OnUnauthenticatedRequest", "authenticate", "deny", "allow")
        ),
        extra=tuple((name, extra.text(name) or "") for name in extra.names()) if extra else (),
    )
    config.close(_MEANINGLESS)
    action.close()
    return found


def _cognito(config: Properties) -> tuple[str, str]:
    """The issuer and the sign-in URL of a user pool, which may be a resource."""
    arn = config.name_of("UserPoolArn") or ""
    pool = _POOL.fullmatch(arn)
    region, name = pool.groups() if pool else ("us-east-1", arn)
    domain = config.name_of("UserPoolDomain") or ""
    if "." not in domain:
        domain = f"{domain}.auth.{region}.amazoncognito.com"
    return (
        f"https://cognito-idp.{region}.amazonaws.com/{name}",
        f"https://{domain}/oauth2/authorize",
    )
