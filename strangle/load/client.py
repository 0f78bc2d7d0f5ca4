"""An HTTP/1.1 client that uses little processor time, so that the load does not slow down the
board."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httptools

_TIMEOUT = 15.0


class RequestFailedError(Exception):
    """There was no complete response; the message says what happened instead."""


@dataclass(slots=True)
class Response:
    """A complete response. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    @property
    def server(self) -> str:
        """The server that answered, as `X-Served-By` names it; empty if the gateway did."""
        return self.headers.get("x-served-by", "").partition("/")[0]


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Response] | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self.open = True

    def send(self, data: bytes) -> asyncio.Future[Response]:
        assert self.transport is not None  # noqa: S101 - the pool connects first
        self._parser = httptools.HttpResponseParser(self)
        self._headers, self._body = {}, []
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self._waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"not HTTP: {error}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._fail(f"the connection was closed{f': {exc}' if exc else ''}")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        if not self._parser.should_keep_alive():
            self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Response(status, self._headers, b"".join(self._body)))

    def close(self) -> None:
        self.open = False
        if self.transport is not None:
            self.transport.close()

    def _fail(self, why: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(RequestFailedError(why))


class Client:
    """Sends requests to one server, each on a connection that has no other at that time."""

    def __init__(self, port: int) -> None:
        """The server is on `port` of 127.0.0.1."""
        self._port = port
        self._host = f"Host: localhost:{port}\r\n"
        self._idle: list[_Connection] = []

    async def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Response:
        """Send a request with a JSON body, and return the response.

        Raises RequestFailedError if there is none within 15 s; nothing is ever sent twice.
        """
        lines = [f"{method} {path} HTTP/1.1\r\n", self._host]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}\r\n")
        for name, value in (headers or {}).items():
            lines.append(f"{name}: {value}\r\n")
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            lines.append(f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n")
        elif method in ("POST", "PUT", "PATCH"):
            lines.append("Content-Length: 0\r\n")
        lines.append("\r\n")
        connection = await self._connection()
        try:
            async with asyncio.timeout(_TIMEOUT):
                response = await connection.send("".join(lines).encode() + data)
        except TimeoutError as error:
            connection.close()
            raise RequestFailedError(f"no response within {_TIMEOUT:g} s") from error
        except BaseException:
            connection.close()
            raise
        if connection.open:
            self._idle.append(connection)
        return response

    def close(self) -> None:
        """Close the idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection, "127.0.0.1", self._port
            )
        except OSError as error:
            raise RequestFailedError(f"cannot connect: {error}") from error
        return connection
