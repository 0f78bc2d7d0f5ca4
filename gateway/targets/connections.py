"""The connections to targets."""

import asyncio
from typing import cast

from gateway.http1.response_reader import MalformedResponseError, ResponseReader
from gateway.net.idle_watch import IdleWatch
from gateway.targets.target import Target, TargetUser


class TargetConnection(asyncio.Protocol):
    """One connection to a target. It serves one request at a time, or waits in the pool."""

    __slots__ = (
        "_idle_timeout",
        "_paused",
        "_transport",
        "_watch",
        "active",
        "reader",
        "target",
        "tunnel",
        "user",
    )

    def __init__(self, target: Target, watch: IdleWatch, idle_timeout: float) -> None:
        self.target = target
        self.reader = ResponseReader()
        self.user: TargetUser | None = None
        self.tunnel = False
        """Whether the connection has switched to another protocol."""
        self.active = watch.now
        self._idle_timeout = idle_timeout
        self._paused = False
        self._watch = watch
        self._transport: asyncio.Transport | None = None

    def join(self) -> None:
        """Adds the connection to those of its target. Raises OSError if it is already lost.

        This is not done earlier because uvloop does not report a lost connection to a caller that
        cancelled connecting.
        """
        if self._transport is None:
            raise ConnectionResetError(f"{self.target.address} ended the connection at once")
        self.target.connections.add(self)
        self._watch.watched.add(self)

    @property
    def usable(self) -> bool:
        """Whether a request may be sent, as far as this side knows."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def unsent(self) -> int:
        """The number of bytes that the target has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    def begin(self, user: TargetUser, *, head_request: bool, upgrade: bool = False) -> None:
        """Begins a request for ``user``, which receives the response."""
        self.user = user
        self.reader.start(head_request=head_request, upgrade=upgrade)

    def write(self, data: bytes) -> None:
        """Sends a piece of the request."""
        if self._transport is not None:
            self._transport.write(data)

    def release(self) -> None:
        """Returns to the pool. Request and response are complete, and the target allows reuse."""
        self.user = None
        self.active = self._watch.now
        if self._paused:
            self.resume_reading()
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            self.close()
        else:
            self.target.put_back(self)

    def close(self) -> None:
        """Closes the connection without notifying its user."""
        self.user = None
        self.abort()

    def abort(self) -> None:
        """Closes the connection and notifies its user that the target failed."""
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Stops reading the response, so that the target has to wait."""
        if not self._paused and self.usable and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Continues to read the response."""
        if self._paused and self.usable and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def check(self, now: float) -> None:
        """Closes the connection if it has waited in the pool for too long."""
        if self.user is None and now - self.active >= self._idle_timeout:
            self.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A TCP transport; uvloop's does not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        user = self.user
        if user is None:
            # Data without a request: the next client must not get it.
            self.abort()
            return
        if self.tunnel:
            user.tunnelled(data)
            return
        try:
            self.reader.feed(data)
        except MalformedResponseError:
            self.close()
            user.target_failed()
            return
        user.response_progress()

    def eof_received(self) -> bool:
        """Returns False, which closes the connection."""
        self._end(in_order=True)
        self.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """At an orderly end of the connection, ``eof_received`` was called before."""
        self._end(in_order=False)
        self.target.connections.discard(self)
        self._watch.watched.discard(self)
        if self in self.target.idle:
            self.target.idle.remove(self)
        self._transport = None

    def pause_writing(self) -> None:
        if self.user is not None:
            self.user.target_paused()

    def resume_writing(self) -> None:
        if self.user is not None:
            self.user.target_resumed()

    def _end(self, *, in_order: bool) -> None:
        user, self.user = self.user, None
        if user is None:
            return
        if in_order and not self.tunnel and self.reader.end_of_stream():
            user.response_progress()
        else:
            user.target_failed()
