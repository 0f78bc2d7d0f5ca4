"""Operations for the load balancer and Prometheus only: `/livez`, `/readyz`, `/metrics`."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from kernel.errors import NoSuchPath, Unavailable
from kernel.process.lifecycle import Check, Lifecycle

PATHS = frozenset({"/livez", "/readyz", "/metrics"})

_FILES = ("/assets/", "/manifest.webmanifest")
"""How the paths of the page's files begin: a page needs dozens of them, and they are in memory."""


def is_private(path: str) -> bool:
    """Whether a normalised path is only for the load balancer and other services."""
    return path in PATHS or path.startswith("/internal/")


def is_counted(path: str) -> bool:
    """Whether a request for this path counts against the limit of its address: it is one for the
    API or for a document."""
    return not (is_private(path) or path.startswith(_FILES))


async def refuse_forwarded(
    x_forwarded_for: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    """Answer 404 to every request through the load balancer, which always adds `X-Forwarded-For`.
    So no spelling of the path reaches these operations from outside."""
    if x_forwarded_for is not None:
        raise NoSuchPath("Nothing is here.")


def router(lifecycle: Lifecycle, checks: Sequence[Check], registry: CollectorRegistry) -> APIRouter:
    """The three operations. None of them calls another service: an outage of one service must not
    make its callers unhealthy."""
    routes = APIRouter(dependencies=[Depends(refuse_forwarded)], include_in_schema=False)

    @routes.get("/livez")
    async def live() -> Response:
        return Response("alive\n", media_type="text/plain")

    @routes.get("/readyz")
    async def ready() -> Response:
        if lifecycle.draining:
            raise Unavailable("This process is stopping.")
        for check in checks:
            await check()
        return Response("ready\n", media_type="text/plain")

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes
