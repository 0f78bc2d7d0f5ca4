"""The processes and images of the board, and which of them each deployment runs."""

from collections.abc import Mapping
from typing import Final

from topology.contexts import BY_NAME, CALLED, CONTEXT_NAMES, READ_BY_PAGE

PAGE: Final = "web"
"""The service that serves the page and its files."""

MONOLITH: Final = "monolith"
"""The process with every context and the page."""

GATEWAY: Final = "gateway"
OPERATOR: Final = "board"
"""The image with the operator's commands."""

SERVICES: Final = (*CONTEXT_NAMES, PAGE)
"""The services, each after those that it calls. They run instead of the monolith or beside it."""

SERVERS: Final = (*SERVICES, MONOLITH)
"""Every process behind the load balancer."""

DEPLOYMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "microservices": SERVICES,
    "monolith": (MONOLITH,),
    "strangler": SERVERS,
}
"""The servers of each deployment."""

DEPLOYED_IMAGES: Final = (*SERVERS, OPERATOR)
"""The images that run on AWS, each a stage of the Dockerfile and a repository in ECR."""

IMAGES: Final = (*SERVERS, GATEWAY, OPERATOR)
"""Every image, each a stage of the Dockerfile."""

OPERATOR_COMMANDS: Final = ("bootstrap", "migrate", "demo")
"""The operator's commands that prepare a new board, in this order."""


def module(server: str) -> str:
    """The module that `python -m` runs for a server."""
    return f"services.{server}.main" if server in CONTEXT_NAMES else f"{server}.main"


def databases_of(server: str) -> tuple[str, ...]:
    """The contexts whose databases a server uses."""
    if server == MONOLITH:
        return CONTEXT_NAMES
    return (server,) if server in CONTEXT_NAMES else ()


def calls_of(server: str) -> tuple[str, ...]:
    """The contexts whose internal interface a server calls. The monolith calls none: it has all of
    them."""
    if server == PAGE:
        return READ_BY_PAGE
    return BY_NAME[server].calls if server in BY_NAME else ()


def tokens_known_by(server: str) -> tuple[str, ...]:
    """The contexts whose service token a server needs, in the order of CONTEXTS.

    These are the server itself, if others call it, and the contexts that it calls.
    """
    known = {server, *calls_of(server)}
    return tuple(called for called in CALLED if called in known)
