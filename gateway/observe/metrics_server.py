"""``GET /metrics`` on a port of its own."""

from collections.abc import Callable

from gateway.observe.metrics import CONTENT_TYPE
from gateway.observe.page_server import Page, PageServer


def metrics_server(render: Callable[[], str]) -> PageServer:
    """A server whose one page is what ``render`` returns."""

    def find(path: str) -> Page | None:
        return Page(CONTENT_TYPE, render()) if path == "/metrics" else None

    return PageServer(find, "GET /metrics")
