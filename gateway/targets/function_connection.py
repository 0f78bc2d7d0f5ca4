"""A Lambda function as a target: accepts a request in HTTP/1.1 and responds in HTTP/1.1."""

import asyncio
import logging
from typing import Final

import httptools

from gateway.http1.response_reader import MalformedResponseError, ResponseReader
from gateway.routing.settings import FunctionSettings
from gateway.targets.function_client import invoke
from gateway.targets.function_event import (
    MAX_BODY,
    FunctionFailure,
    InvalidAnswerError,
    event,
    response,
)
from gateway.targets.target import Target, TargetUser

_TOO_LARGE: Final = 413
_BAD_GATEWAY: Final = 502

_log: Final = logging.getLogger(__name__)


class FunctionConnection:
    """A ``PooledConnection`` that serves one request with one invocation.

    The function is invoked once the request is complete. An emulator runs one invocation at a
    time, so invocations wait for each other.
    """

    tunnel = False
    usable = False
    unsent = 0

    def __init__(self, target: Target, settings: FunctionSettings) -> None:
        self.reader = ResponseReader()
        self._target = target
        self._settings = settings
        self._user: TargetUser | None = None
        self._head_request = False
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._work: asyncio.Task[None] | None = None
        target.connections.add(self)

    def begin(self, user: TargetUser, *, head_request: bool, upgrade: bool = False) -> None:
        """Begins a request for ``user``. A WebSocket request fails, as functions do not support
        it."""
        self._user = user
        self._head_request = head_request
        self.reader.start(head_request=head_request)
        if upgrade:
            self._work = asyncio.create_task(self._fail())

    def write(self, data: bytes) -> None:
        """Receives a piece of the request."""
        if self._user is None or self._work is not None:
            return
        self._parser.feed_data(data)
        if self._size > MAX_BODY:
            self._work = asyncio.create_task(self._refuse_size())

    def release(self) -> None:
        """Closes the connection, which cannot be used again."""
        self.close()

    def close(self) -> None:
        """Closes the connection without notifying its user."""
        self._user = None
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()
        self._target.connections.discard(self)

    def abort(self) -> None:
        """Closes the connection and notifies its user that the target failed."""
        user = self._user
        self.close()
        if user is not None:
            user.target_failed()

    def pause_reading(self) -> None:
        """Does nothing: an answer is small and arrives as a whole."""

    def resume_reading(self) -> None:
        """Does nothing, because reading never pauses."""

    # Called by the parser.

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= MAX_BODY:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        if self._size <= MAX_BODY:
            self._work = asyncio.create_task(self._invoke())

    async def _invoke(self) -> None:
        target, settings = self._target, self._settings
        method = self._parser.get_method().decode()
        made = event(
            settings, method, self._url.decode("latin-1"), self._headers, b"".join(self._parts)
        )
        try:
            async with target.invocations:
                answer = await invoke(target.address.host, target.address.port, made)
            self.reader.feed(response(settings, answer, head_request=self._head_request))
        except (OSError, InvalidAnswerError, MalformedResponseError) as error:
            _log.warning("function at %s: %s", target.address, error)
            self._refuse(_BAD_GATEWAY, _failure(error))
            return
        if self._user is not None:
            self._user.response_progress()

    async def _fail(self) -> None:
        self.abort()

    async def _refuse_size(self) -> None:
        self._refuse(_TOO_LARGE, FunctionFailure.REQUEST_TOO_LARGE)

    def _refuse(self, status: int, failure: FunctionFailure) -> None:
        user = self._user
        self.close()
        if user is not None:
            user.target_refused(status, failure)


def _failure(error: Exception) -> FunctionFailure:
    if isinstance(error, InvalidAnswerError):
        return error.failure
    if isinstance(error, OSError):
        return FunctionFailure.CONNECTION
    return FunctionFailure.INVALID_RESPONSE
