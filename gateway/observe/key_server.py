"""Serves the public key of signed identities, under the path that AWS documents."""

from gateway.observe.page_server import Page, PageServer
from gateway.proxy.identities import Identities


def key_server(identities: Identities) -> PageServer:
    """A server for ``GET /KEY-ID``."""

    def find(path: str) -> Page | None:
        key = identities.public_key(path.removeprefix("/"))
        return None if key is None else Page("text/plain", key)

    return PageServer(find, "GET /KEY-ID")
