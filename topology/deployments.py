"""The processes and images of the board, and which of them each deployment runs."""

from collections.abc import Mapping
from typing import Final

from topology.contexts import CONTEXT_NAMES

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
