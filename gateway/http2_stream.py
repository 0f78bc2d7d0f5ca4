"""One request of an HTTP/2 client, and its answer."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from gateway.exchange import Exchange
from gateway.forwarding import ResponseHead, http1_head
from gateway.request import Request

if TYPE_CHECKING:
    from gateway.http2_connection import Http2Connection

_NOT_IN_HTTP2 = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)


class Http2Stream:
    """The client of one exchange (``gateway.exchange.Client``)."""

    http2 = True

    def __init__(self, connection: "Http2Connection", number: int, request: Request) -> None:
        self._connection = connection
        self.number = number
        self._request = request
        self.listener = connection.listener
        self.peer = connection.peer
        self.peer_label = connection.peer_label
        self.connection_label = connection.connection_label
        self.forwarded = connection.forwarded
        self.tls = connection.tls
        self.write_paused = connection.paused
        self._active = connection.plane.watch.now
        self._unacknowledged = 0
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        """The answer is complete, if not yet sent."""
        self._closed = False
        self._exchange: Exchange | None = Exchange(connection.plane, self, request)

    def start(self) -> None:
        """Has the request answered."""
        if self._exchange is not None:
            self._exchange.start()

    # From the connection.

    def body(self, data: bytes, size: int) -> None:
        """A piece of the request's body, which takes ``size`` bytes of the window."""
        self.touch()
        self._unacknowledged += size
        if self._exchange is None:
            self._acknowledge()
            return
        if data:
            self._request.body.append(data)
            self._request.body_size += len(data)
        self.update_reading()

    def body_complete(self) -> None:
        """The end of the request."""
        self._request.complete = True
        if self._exchange is not None:
            self._exchange.request_progress()

    def gone(self) -> None:
        """The client gave the stream up, or left."""
        self._closed = True
        self._waiting.clear()
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

    def pump(self) -> None:
        """Sends as much of the answer as the client's windows take."""
        h2, number = self._connection.h2, self.number
        try:
            while self._waiting and not self._connection.paused:
                room = min(h2.local_flow_control_window(number), h2.max_outbound_frame_size)
                if room <= 0:
                    break
                piece = self._waiting[0]
                if len(piece) > room:
                    self._waiting[0] = piece[room:]
                    piece = piece[:room]
                else:
                    self._waiting.popleft()
                self._size -= len(piece)
                self.touch()
                last = self._ended and not self._waiting
                h2.send_data(number, piece, end_stream=last)
                if last:
                    self._over()
                    return
            if self._ended and not self._waiting and not self._closed:
                h2.end_stream(number)
                self._over()
                return
        except ProtocolError:
            # The client reset the stream, or the connection, in what was just received.
            self._connection.streams.pop(number, None)
            self.gone()
            return
        self._tell_exchange()

    def _tell_exchange(self) -> None:
        paused = self._connection.paused or bool(self._waiting)
        if paused is self.write_paused:
            return
        self.write_paused = paused
        if self._exchange is not None:
            if paused:
                self._exchange.client_paused()
            else:
                self._exchange.client_resumed()

    def _over(self) -> None:
        self._closed = True
        if not self._request.complete:
            # RFC 9113, section 8.1: the rest of the request is of no interest.
            self._connection.h2.reset_stream(self.number, ErrorCodes.NO_ERROR)
        self._connection.stream_done(self)

    def _acknowledge(self) -> None:
        size, self._unacknowledged = self._unacknowledged, 0
        if size and not self._closed:
            self._connection.h2.acknowledge_received_data(size, self.number)
            self._connection.flush()

    # For the exchange: see gateway.exchange.Client.

    @property
    def last_answer(self) -> bool:
        """The connection says itself when it goes away."""
        return False

    def send_continue(self) -> None:
        """Sends 100 Continue."""
        if not self._closed:
            self._connection.h2.send_headers(self.number, [(b":status", b"100")])
            self._connection.flush()

    def send(
        self,
        head: ResponseHead | None,
        parts: Sequence[bytes],
        *,
        chunked: bool,  # noqa: ARG002 - frames say where a body ends
        end: bool,
    ) -> int:
        """Sends a piece of the answer. Sizes are those of HTTP/1.1."""
        size = sum(map(len, parts))
        if self._closed:
            return size
        self._ended = end
        if head is not None:
            size += len(http1_head(head))
            fields = [(b":status", b"%d" % head.status), *_fields(head.lines)]
            only_head = end and not parts
            self._connection.h2.send_headers(self.number, fields, end_stream=only_head)
            if only_head:
                self._over()
                self._connection.flush()
                return size
        for part in parts:
            if part:
                self._waiting.append(part)
                self._size += len(part)
        self.pump()
        self._connection.flush()
        return size

    def begin_tunnel(self) -> bytes:
        """WebSocket over HTTP/2 is not offered, so that no exchange asks for this."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Likewise."""
        raise NotImplementedError

    def touch(self) -> None:
        """A byte moved: the idle timeout starts anew."""
        self._active = self._connection.plane.watch.now

    def update_reading(self) -> None:
        """More of the request may be taken now, or no more."""
        exchange = self._exchange
        if exchange is None:
            return
        if self._request.body:
            exchange.request_progress()
        if exchange.wants_request_bytes:
            self._acknowledge()

    def exchange_done(self, *, keep_alive: bool) -> None:  # noqa: ARG002 - of one request only
        """The answer is complete."""
        self._exchange = None
        self._acknowledge()

    def cut_off(self, *, reset: bool) -> None:  # noqa: ARG002 - a stream can only be reset
        """Breaks the answer off."""
        self._waiting.clear()
        if self._closed:
            return
        self._closed = True
        self._connection.h2.reset_stream(self.number, ErrorCodes.INTERNAL_ERROR)
        self._connection.flush()
        self._connection.stream_done(self)


def _fields(lines: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        if name and name not in _NOT_IN_HTTP2:
            fields.append((name, value.strip()))
    return fields
