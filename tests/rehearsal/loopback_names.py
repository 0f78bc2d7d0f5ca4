"""A pytest plugin: names below `localhost` resolve to this machine, as RFC 6761 (6.3) says. Some
systems' resolvers do not do it."""

import socket
from typing import Any

import pytest

_getaddrinfo = socket.getaddrinfo


def _loopback(host: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.endswith(".localhost"):
        host = "127.0.0.1"
    return _getaddrinfo(host, *arguments, **options)


def pytest_configure(config: pytest.Config) -> None:
    """Resolve them so from now on, in this process."""
    socket.getaddrinfo = _loopback
    config.add_cleanup(_restore)


def _restore() -> None:
    socket.getaddrinfo = _getaddrinfo
