"""The bounded contexts: who calls whom, which paths are whose, and which secrets each one needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Context:
    """One bounded context, which is a service, a database, and a part of the monolith.

    `name` is also the name of its package in services/, of its database, of its database role, of
    its image and of its host name in Compose. `public_prefixes` are the paths that it answers to
    clients, each with everything below it. `calls` names the contexts whose internal interface
    (`/internal/NAME/...`) it calls; a context calls only contexts that are declared before it.
    """

    name: str
    public_prefixes: tuple[str, ...]
    calls: tuple[str, ...] = ()

    @property
    def internal_prefix(self) -> str:
        """The path below which it answers other services."""
        return f"/internal/{self.name}"

    @property
    def database_url(self) -> str:
        """The setting with the URL of its database, in lower case."""
        return f"{self.name}_database_url"

    @property
    def database_password(self) -> str:
        """The setting with the password of its database role, in lower case."""
        return f"{self.name}_database_password"

    @property
    def service_url(self) -> str:
        """The setting that tells a caller where it is, in lower case."""
        return f"{self.name}_url"

    @property
    def service_token(self) -> str:
        """The setting with the token that its callers send, in lower case."""
        return f"{self.name}_service_token"


CONTEXTS: Final = (
    Context("users", public_prefixes=("/api/users", "/api/sessions")),
    Context("threads", public_prefixes=("/api/threads",), calls=("users",)),
    Context("posts", public_prefixes=("/api/posts",), calls=("users", "threads")),
)

CONTEXT_NAMES: Final = tuple(context.name for context in CONTEXTS)

BY_NAME: Final[Mapping[str, Context]] = {context.name: context for context in CONTEXTS}

CALLED: Final = tuple(
    context.name for context in CONTEXTS if any(context.name in other.calls for other in CONTEXTS)
)
"""The contexts that other contexts call: these have a service token and internal target groups."""


def tokens_known_by(name: str) -> tuple[str, ...]:
    """The contexts whose service token the service `name` knows: its own, if it is called, and
    those of the contexts that it calls. In the order of CONTEXTS; empty for the page and the
    monolith, which have no calls between services."""
    if name not in BY_NAME:
        return ()
    known = {name, *BY_NAME[name].calls}
    return tuple(called for called in CALLED if called in known)
