"""Invokes a function through AWS's Runtime Interface Emulator."""

import asyncio
from typing import Final

import httptools

from gateway.targets.function_event import (
    MAX_BODY,
    FunctionFailure,
    InvalidAnswerError,
    too_large,
)

_PATH: Final = "/2015-03-31/functions/function/invocations"
_READ: Final = 65536
_OK: Final = 200
_SIZE: Final = b"Function.ResponseSizeTooLarge"
"""The error type for an answer over 6 MB, which Lambda itself does not pass on."""
_SHOWN: Final = 200


async def invoke(host: str, port: int, event: bytes) -> bytes:
    """Invokes the function with an event and returns its answer.

    Raises OSError if the emulator cannot be reached, and InvalidAnswerError for an answer that is
    too large for a load balancer, or is not HTTP.
    """
    name = f"[{host}]" if ":" in host else host
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(
            f"POST {_PATH} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(event)}\r\n\r\n".encode()
            + event
        )
        answer = _Answer()
        while not answer.complete:
            data = await reader.read(_READ)
            if not data:
                break
            try:
                answer.feed(data)
            except httptools.HttpParserError as error:
                raise InvalidAnswerError(f"the emulator's answer is not HTTP: {error}") from error
            if answer.size > MAX_BODY:
                raise too_large()
        if not answer.complete:
            raise ConnectionResetError("the emulator ended the connection")
        body = b"".join(answer.parts)
        if answer.status != _OK:
            raise _failed(answer.status, body)
        return body
    finally:
        writer.transport.abort()


def _failed(status: int, body: bytes) -> InvalidAnswerError:
    """For a function that ended without an answer."""
    if _SIZE in body:
        return too_large()
    shown = body[:_SHOWN].decode(errors="replace")
    return InvalidAnswerError(
        f"the emulator answered {status}: {shown!r}", FunctionFailure.UNHANDLED
    )


class _Answer:
    def __init__(self) -> None:
        self.status = 0
        self.parts: list[bytes] = []
        self.size = 0
        self.complete = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parses the next bytes. Raises httptools.HttpParserError."""
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self.parts.append(data)
        self.size += len(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.complete = True
