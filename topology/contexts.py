"""The bounded contexts: the paths of each, the contexts that it calls, the secrets it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Context:
    """One bounded context: a service with its own database, and a part of the monolith.

    `name` is also the name of its package in services/, its database, its database role, its image
    and its host in Compose. `public_prefixes` are the paths on which it serves clients, each with
    everything below it. `calls` names the contexts whose internal interface (`/internal/NAME/...`)
    it calls; a context calls only contexts that are declared before it. A `personal` context shows
    nothing but its API document to those who are not signed in.
    """

    name: str
    public_prefixes: tuple[str, ...]
    calls: tuple[str, ...] = ()
    personal: bool = False

    @property
    def open_path(self) -> str:
        """A path that it serves to everybody: a list, or else its API document."""
        if self.personal:
            return f"/api/{self.name}/openapi.json"
        return f"{self.public_prefixes[0]}?limit=1"

    @property
    def internal_prefix(self) -> str:
        """The path below which it serves other services."""
        return f"/internal/{self.name}"

    @property
    def database_url(self) -> str:
        """The name of the setting with its database's URL, in lower case."""
        return f"{self.name}_database_url"

    @property
    def database_password(self) -> str:
        """The name of the setting with its database role's password, in lower case."""
        return f"{self.name}_database_password"

    @property
    def service_url(self) -> str:
        """The name of the setting with its URL, which its callers read, in lower case."""
        return f"{self.name}_url"

    @property
    def service_token(self) -> str:
        """The name of the setting with the token that its callers send, in lower case."""
        return f"{self.name}_service_token"


CONTEXTS: Final = (
    Context("users", public_prefixes=("/api/users", "/api/sessions")),
    Context("threads", public_prefixes=("/api/threads",), calls=("users",)),
    Context("posts", public_prefixes=("/api/posts",), calls=("users", "threads")),
    Context(
        "cases",
        public_prefixes=("/api/cases",),
        calls=("users", "threads", "posts"),
        personal=True,
    ),
)

CONTEXT_NAMES: Final = tuple(context.name for context in CONTEXTS)

BY_NAME: Final[Mapping[str, Context]] = {context.name: context for context in CONTEXTS}

READ_BY_PAGE: Final = ("users", "threads", "posts")
"""The contexts whose internal interface the page reads."""

CALLED: Final = tuple(
    context.name
    for context in CONTEXTS
    if context.name in READ_BY_PAGE or any(context.name in other.calls for other in CONTEXTS)
)
"""The contexts that other contexts call: these have a service token and internal target groups."""
