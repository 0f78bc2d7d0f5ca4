"""One request of an HTTP/2 client, and its answer."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

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
    """Whether the client takes no more for now."""

    @property
    def h2(self) -> H2Connection:
        """The connection's frames."""

    def flush(self) -> None:
        """Sends what is ready to be sent."""

    def stream_done(self, stream: "Http2Stream") -> None:
        """A stream's exchange and its answer are over."""

    def refuse(self, number: int, code: ErrorCodes) -> None:
        """Resets a stream for what its client did; a target that works for it is dropped."""


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
        self._waiting: deque[bytes] = deque()
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
        self._unacknowledged += size
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
            # RFC 9113, section 8.1.1: malformed. The target waits for what its head announced, and
            # would take it from the next request.
            self._connection.refuse(self.number, ErrorCodes.PROTOCOL_ERROR)
            return
        self._request.complete = True
        if self._exchange is not None:
            self._exchange.request_progress()

    def gone(self) -> None:
        """The client gave the stream up, or left."""
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

    def send_frame(self) -> int:
        """Sends as much of the answer as one frame and the client's windows take. Returns the bytes
        of it; 0 when there is nothing to be sent, or no room."""
        if not self._waiting or self._connection.paused:
            return 0
        h2, number = self._connection.h2, self.number
        try:
            room = min(h2.local_flow_control_window(number), h2.max_outbound_frame_size)
            if room <= 0:
                return 0
            piece = self._waiting[0]
            if len(piece) > room:
                self._waiting[0] = piece[room:]
                piece = piece[:room]
            else:
                self._waiting.popleft()
            last = self._ended and not self._waiting
            h2.send_data(number, piece, end_stream=last)
        except ProtocolError:
            self._close()
            return 0
        self.touch()
        if last:
            self._finish()
        return len(piece)

    def update_exchange(self) -> None:
        """Whether the client takes more may have changed."""
        paused = self._connection.paused or bool(self._waiting)
        if paused is self.write_paused:
            return
        self.write_paused = paused
        if self._exchange is not None:
            if paused:
                self._exchange.client_paused()
            else:
                self._exchange.client_resumed()

    def _finish(self) -> None:
        self._close()
        if not self._request.complete:
            # RFC 9113, section 8.1: the rest of the request is of no interest.
            self._reset(ErrorCodes.NO_ERROR)
        self._connection.stream_done(self)

    def _close(self) -> None:
        """Nothing more is sent.

        Also when that failed: the client has reset the stream in what was just received, and the
        connection is about to say so.
        """
        self._closed = True
        self._waiting.clear()
        self._acknowledge()

    def _reset(self, code: ErrorCodes) -> None:
        try:
            self._connection.h2.reset_stream(self.number, code)
        except ProtocolError:
            pass  # The client has ended or reset it in what was just received.

    def _acknowledge(self) -> None:
        """Opens the client's window again: the stream's, and, when the stream is over, that of
        the connection still."""
        size, self._unacknowledged = self._unacknowledged, 0
        if size:
            self._connection.h2.acknowledge_received_data(size, self.number)
            self._connection.flush()

    # For the exchange: see gateway.proxy.exchange.Client.

    @property
    def last_answer(self) -> bool:
        """Never: the connection sends GOAWAY itself."""
        return False

    def send_continue(self) -> None:
        """Sends 100 Continue."""
        self._send_head([(b":status", b"100")], end=False)
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
        body = [part for part in parts if part]
        size = sum(map(len, body))
        only_head = end and not body and head is not None
        if head is not None:
            size += len(http1_head(head))
            fields = [(b":status", b"%d" % head.status), *_fields(head.lines)]
            self._send_head(fields, end=only_head)
        if not self._closed:
            self._ended = end
            if only_head:
                self._finish()
            else:
                self._send_body(body)
        self.update_exchange()
        self._connection.flush()
        return size

    def _send_head(self, fields: list[tuple[bytes, bytes]], *, end: bool) -> None:
        if self._closed:
            return
        try:
            self._connection.h2.send_headers(self.number, fields, end_stream=end)
        except ProtocolError:
            self._close()

    def _send_body(self, parts: Sequence[bytes]) -> None:
        self._waiting.extend(parts)
        while self.send_frame():
            pass
        if self._waiting or self._closed or not self._ended:
            return
        try:
            self._connection.h2.end_stream(self.number)
        except ProtocolError:
            self._close()
        else:
            self._finish()

    def begin_tunnel(self) -> bytes:
        """WebSocket over HTTP/2 is not offered, so that no exchange asks for this."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Likewise."""
        raise NotImplementedError

    def touch(self) -> None:
        """A byte moved: the idle timeout starts again."""
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
        if not self._closed:
            self._close()
            self._reset(ErrorCodes.INTERNAL_ERROR)
        self._connection.stream_done(self)
        self._connection.flush()


def _fields(lines: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        if name and name not in CONNECTION_HEADERS:
            fields.append((name, value.strip()))
    return fields
