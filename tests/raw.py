"""Sends requests that an HTTP library would refuse to send."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx


@dataclass(frozen=True)
class RawAnswer:
    """A response as it was received; header names are in lower case."""

    status: int
    headers: httpx.Headers
    body: bytes


async def send(url: str, head: str, body: bytes = b"", *, within: float = 10.0) -> RawAnswer:
    """Send a request line and header lines unchanged, and read until the connection ends.
    `Host` and `Connection: close` are added."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = [*head.split("\n"), f"Host: {parts.netloc}", "Connection: close", "", ""]
    try:
        writer.write("\r\n".join(lines).encode("latin-1") + body)
        async with asyncio.timeout(within):
            received = await reader.read()
    finally:
        writer.close()
    return _read(received)


def _read(received: bytes) -> RawAnswer:
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        fields.append((name.lower(), value.strip()))
    headers: Any = fields
    return RawAnswer(int(status_line.split()[1]), httpx.Headers(headers), body)
