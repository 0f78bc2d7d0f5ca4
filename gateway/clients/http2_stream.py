"""One request of an HTTP/2 client, and its answer."""

from collections.abc import Sequence
from typing import Final, Protocol

from ngh2 import Connection, ErrorCode, NGH2Error, Priority

from gateway.http1.hop_by_hop import CONNECTION_HEADERS
from gateway.http1.request import Request
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.exchange import Exchange
from gateway.proxy.heads import ResponseHead, http1_head
from gateway.proxy.listener import Listener
from gateway.proxy.peer import Peer


class StreamConnection(Protocol):
    """What a stream needs of its connection."""

    plane: DataPlane
    listener: Listener
    peer: Peer
    paused: bool
    """Whether the client's buffers are full."""

    @property
    def h2(self) -> Connection:
        """The connection's protocol state."""

    def flush(self) -> None:
        """Sends what is ready to be sent."""

    def answering(self, stream: "Http2Stream") -> None:
        """Called when a stream's answer has more bytes. The connection calls ``settle`` after
        sending."""

    def stream_done(self, stream: "Http2Stream") -> None:
        """Called when a stream's exchange and its answer are finished."""

    def refuse(self, number: int, code: ErrorCode) -> None:
        """Resets a stream because of what its client did, and closes its target's connection."""


class Http2Stream:
    """The client of one exchange (``gateway.proxy.exchange.Client``)."""

    def __init__(self, connection: StreamConnection, number: int, request: Request) -> None:
        self._connection = connection
        self.number = number
        self._request = request
        self.listener = connection.listener
        self.peer = connection.peer
        self.write_paused = connection.paused
        self._active = connection.plane.watch.now
        self._received = 0
        """Bytes of the request's body so far."""
        self._unacknowledged = 0
        self._queued = 0
        """Bytes of the answer that the client's window does not allow yet."""
        self._ended = False
        """Whether the answer is complete; it may be partly unsent."""
        self._closed = False
        self._exchange: Exchange | None = Exchange(connection.plane, self, request)

    def start(self) -> None:
        """Starts the exchange."""
        if self._exchange is not None:
            self._exchange.start()

    # From the connection.

    def body(self, data: bytes) -> None:
        """A piece of the request's body."""
        self._unacknowledged += len(data)
        if data:
            self.touch()
            self._received += len(data)
        if self._exchange is None:
            self._acknowledge()
            return
        if data:
            self._request.body.append(data)
            self._request.body_size += len(data)
        self.update_reading()

    def body_complete(self) -> None:
        """The end of the request."""
        length = self._request.content_length
        if length is not None and length != self._received:
            # RFC 9113, section 8.1.1: malformed. The target still waits for the announced bytes,
            # and would read them from the next request.
            self._connection.refuse(self.number, ErrorCode.PROTOCOL_ERROR)
            return
        self._request.complete = True
        if self._exchange is not None:
            self._exchange.request_progress()

    def closed(self) -> None:
        """Called when no more frames can be sent or received: all was sent, or the stream was
        reset."""
        complete = self._ended and not self._closed and self._request.complete
        self._close()
        self._connection.stream_done(self)
        if not complete:
            self.gone()

    def gone(self) -> None:
        """Called when the client has cancelled the stream or disconnected."""
        self._close()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_gone(reads=False)

    def check(self, now: float) -> None:
        """Enforces the idle timeout."""
        if now - self._active < self._connection.plane.timeouts.idle:
            return
        if self._exchange is not None:
            self._exchange.expire()
        else:
            self.cut_off(reset=True)

    def settle(self) -> bool:
        """Called after sending. Returns whether all of the answer so far was sent."""
        queued = 0 if self._closed else self._connection.h2.queued_body_size(self.number)
        if queued < self._queued:
            self.touch()
        self._queued = queued
        if not queued and self._ended and not self._closed and not self._request.complete:
            # RFC 9113, section 8.1: the rest of the request is not needed.
            self._connection.h2.reset_stream(self.number, ErrorCode.NO_ERROR)
        self.update_exchange()
        return not queued

    def update_exchange(self) -> None:
        """Called when the client's buffers may have become full or free."""
        paused = self._connection.paused or self._queued > 0
        if paused is self.write_paused:
            return
        self.write_paused = paused
        if self._exchange is not None:
            if paused:
                self._exchange.client_paused()
            else:
                self._exchange.client_resumed()

    def _close(self) -> None:
        """Marks the stream as finished.

        Also after a failed send: the client has reset the stream in what was just received, and the
        connection is about to handle that.
        """
        self._closed = True
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Opens the client's windows again: the stream's and the connection's, or only the
        connection's if the stream is finished."""
        size, self._unacknowledged = self._unacknowledged, 0
        if not size:
            return
        try:
            self._connection.h2.acknowledge_received_data(size, self.number)
        except NGH2Error:
            return  # The connection has ended.
        self._connection.flush()

    # For the exchange (gateway.proxy.exchange.Client).

    @property
    def last_answer(self) -> bool:
        """Always False: the connection sends GOAWAY itself."""
        return False

    def send_continue(self) -> None:
        """Sends 100 Continue."""
        try:
            self._connection.h2.send_informational_response(self.number, _CONTINUE)
        except NGH2Error:
            self._close()
        self._connection.flush()

    def send(
        self,
        head: ResponseHead | None,
        parts: Sequence[bytes],
        *,
        chunked: bool,  # noqa: ARG002 - frames say where a body ends
        end: bool,
    ) -> int:
        """Sends a piece of the answer. Returns its size in HTTP/1.1."""
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        size = len(body)
        if head is not None:
            size += len(http1_head(head))
        if self._closed:
            return size
        h2, number = self._connection.h2, self.number
        self._ended = end
        try:
            if head is not None:
                fields = [(b":status", b"%d" % head.status), *_fields(head.lines)]
                h2.send_response(number, fields, end_stream=end and not body)
                h2.set_stream_priority(number, _IN_TURNS, ignore_client_signal=True)
            if body:
                h2.send_data(number, body, end_stream=end)
            elif end and head is None:
                h2.end_stream(number)
        except NGH2Error:
            self._close()
        else:
            self._connection.answering(self)
        self._connection.flush()
        return size

    def begin_tunnel(self) -> bytes:
        """Never called, because WebSocket over HTTP/2 is not offered."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Never called either."""
        raise NotImplementedError

    def touch(self) -> None:
        """Restarts the idle timeout, because a byte has moved."""
        self._active = self._connection.plane.watch.now

    def update_reading(self) -> None:
        """Called when ``wants_request_bytes`` may have changed."""
        exchange = self._exchange
        if exchange is None:
            return
        if self._request.body:
            exchange.request_progress()
        if exchange.wants_request_bytes:
            self._acknowledge()

    def exchange_done(self, *, keep_alive: bool) -> None:  # noqa: ARG002 - of one request only
        """Called when the answer is complete."""
        self._exchange = None
        self._acknowledge()

    def cut_off(self, *, reset: bool) -> None:  # noqa: ARG002 - a stream can only be reset
        """Breaks the answer off."""
        if not self._closed:
            self._close()
            self._connection.h2.reset_stream(self.number, ErrorCode.INTERNAL_ERROR)
        self._connection.stream_done(self)
        self._connection.flush()


_CONTINUE: Final = ((b":status", b"100"),)
_IN_TURNS: Final = Priority(incremental=True)
"""Streams take turns, a frame each, so one large answer does not use up a small window."""


def _fields(lines: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        if name and name not in CONNECTION_HEADERS:
            fields.append((name, value.strip()))
    return fields
