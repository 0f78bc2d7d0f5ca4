"""Clients that speak HTTP/2 (RFC 9113); targets get HTTP/1.1.

Each stream is an exchange of its own, and an HTTP/1.1 request to the target. Limits: "HTTP/2" in
"Listeners for your Application Load Balancers" and "How Elastic Load Balancing works" of the AWS
guides: 128 concurrent streams, no server push, GOAWAY after 10,000 requests.
"""

import asyncio
from typing import Final, cast

from ngh2 import (
    ConnectionClosed,
    DataReceived,
    ErrorCode,
    NGH2Error,
    PingAcknowledged,
    RequestReceived,
    StreamClosed,
    StreamReset,
    TrailersReceived,
)
from ngh2.events import Event

from gateway.clients.http2_protocol import MAX_STREAMS, go_away_frame, server_connection
from gateway.clients.http2_request import Http2Requests
from gateway.clients.http2_stream import Http2Stream
from gateway.clients.peers import peer_of
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.listener import Listener
from gateway.proxy.peer import Peer

_MAX_WASTED_STREAMS: Final = 200
"""How many streams a client may waste before it is disconnected, if they are most of its streams.
Opening streams only to cancel them, or to have them reset, is an attack (CVE-2023-44487 and
CVE-2025-8671)."""
_UNSENT: Final = 64 * 1024
"""From this many unsent bytes on, the client gets no more, and nothing is read from it."""
_FINAL_PING: Final = b"goodbye!"
_CLIENTS_FAULTS: Final = frozenset(ErrorCode) - {
    ErrorCode.NO_ERROR,
    ErrorCode.REFUSED_STREAM,
    ErrorCode.INTERNAL_ERROR,
}
"""Codes of streams that were reset because of what their client sent."""


class Http2Connection(asyncio.Protocol):
    """One client with its streams."""

    peer: Peer

    def __init__(self, plane: DataPlane, listener: Listener) -> None:
        self.plane = plane
        self.listener = listener
        self.active = plane.watch.now
        self.paused = False
        """Whether the client's buffers are full."""
        self.streams: dict[int, Http2Stream] = {}
        """The unfinished streams."""
        self.h2, self._first = server_connection()
        self._unsettled: set[Http2Stream] = set()
        """The streams with answer bytes that are, or may be, unsent."""
        self._age_limit = plane.watch.now + plane.timeouts.client_keep_alive
        self._requests = 0
        self._wasted_streams = 0
        self._last_stream = 0
        self._going_away = False
        self._final_ping_sent = False
        self._closed_at: float | None = None
        self._unsent = 0
        self._transport: asyncio.Transport | None = None
        self._handling = False
        self._reset_by_client = 0
        """The number of the stream that the client has just reset."""
        self._answered = False
        self._reader = Http2Requests()

    # For the streams.

    def flush(self) -> None:
        """Sends what is ready to be sent."""
        if self._handling or self.paused or self._closed_at is not None:
            return
        self._handling = True
        try:
            while data := self.h2.data_to_send():
                self._write(data)
                for event in self.h2.events():
                    self._handle(event)
                self._settle()
        except NGH2Error:
            # A limit was exceeded.
            self._break_off(b"")
        finally:
            self._handling = False
        if self._answered:
            # Only after all requests of this read have begun: after GOAWAY they would be refused.
            self._answered = False
            self._go_away_if_due()

    def answering(self, stream: Http2Stream) -> None:
        """Called when a stream's answer has more bytes."""
        self._unsettled.add(stream)

    def stream_done(self, stream: Http2Stream) -> None:
        """Called when a stream's exchange and its answer are finished."""
        self.streams.pop(stream.number, None)
        self.active = self.plane.watch.now
        self._answered = True

    def refuse(self, number: int, code: ErrorCode) -> None:
        """Resets a stream because of what its client did, and closes its target's connection."""
        self.h2.reset_stream(number, code)
        stream = self.streams.pop(number, None)
        if stream is not None:
            stream.gone()

    # For the data plane.

    @property
    def idle(self) -> bool:
        """Whether it has no streams."""
        return not self.streams

    def close(self) -> None:
        """Ends the connection once the client has received what was written."""
        self._go_away()
        self._end_if_over(self.plane.watch.now)

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def check(self, now: float) -> None:
        """Enforces the timeouts."""
        transport = self._transport
        if transport is None:
            return
        if self._closed_at is not None:
            # TLS waits for the client's close_notify.
            if now - self._closed_at >= self.plane.timeouts.linger:
                transport.abort()
            return
        unsent = transport.get_write_buffer_size()
        if unsent != self._unsent:
            # The client reads, if slowly.
            self._unsent = unsent
            self.active = now
        for stream in tuple(self.streams.values()):
            stream.check(now)
        if self.plane.draining and not self.streams:
            self._go_away()
        if not self.streams and now - self.active >= self.plane.timeouts.idle:
            self._go_away()
            self._close()
        else:
            self._end_if_over(now)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(_UNSENT)
        peer = peer_of(transport, self.plane, self.listener, http2=True)
        if peer is None:
            transport.abort()
            return
        self.peer = peer
        self._reader.source = peer.address
        self.plane.clients.add(self)
        self.plane.watch.watched.add(self)
        self._write(self._first)

    def data_received(self, data: bytes) -> None:
        if self._closed_at is not None:
            return
        self._handling = True
        try:
            self.h2.receive_data(data)
            for event in self.h2.events():
                self._handle(event)
        except NGH2Error:
            # A limit was exceeded.
            self._break_off(go_away_frame(self._last_stream, ErrorCode.ENHANCE_YOUR_CALM))
            return
        finally:
            self._handling = False
        self.flush()
        if self._wasted_streams > max(_MAX_WASTED_STREAMS, self._requests // 2):
            self._break_off(go_away_frame(self._last_stream, ErrorCode.ENHANCE_YOUR_CALM))

    def eof_received(self) -> None:
        """TLS has no half-closed connections."""
        self._end_streams()
        self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._transport = None
        self.plane.watch.watched.discard(self)
        self._end_streams()
        self.plane.client_lost(self)

    def pause_writing(self) -> None:
        """Stops reading from a client that does not read: whatever it sends, even a PING, would
        need an answer."""
        self.paused = True
        if self._transport is not None and self._closed_at is None:
            self._transport.pause_reading()
        for stream in tuple(self.streams.values()):
            stream.update_exchange()

    def resume_writing(self) -> None:
        self.paused = False
        if self._transport is not None and self._closed_at is None:
            self._transport.resume_reading()
        self.flush()
        for stream in tuple(self.streams.values()):
            stream.update_exchange()

    # Events

    def _handle(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            self._body(event)
        elif isinstance(event, StreamClosed):
            self._stream_closed(event)
        elif isinstance(event, TrailersReceived):
            self._body_complete(event.stream_id)
        elif isinstance(event, StreamReset):
            self._wasted_streams += 1
            self._reset_by_client = event.stream_id
        elif isinstance(event, PingAcknowledged):
            if event.opaque_data == _FINAL_PING and self._final_ping_sent:
                self._close()
        elif isinstance(event, ConnectionClosed):
            self._connection_closed(event)

    def _begin(self, event: RequestReceived) -> None:
        number = event.stream_id
        if self._requests >= self.plane.timeouts.client_requests:
            self._go_away()
        if self._going_away or len(self.streams) >= MAX_STREAMS:
            self.refuse(number, ErrorCode.REFUSED_STREAM)
            return
        self._last_stream = number
        self._requests += 1
        self.active = self.plane.watch.now
        request = self._reader.read(event.headers, ended=event.end_stream)
        if request is None:
            self.refuse(number, ErrorCode.PROTOCOL_ERROR)
            return
        stream = self.streams[number] = Http2Stream(self, number, request)
        stream.start()

    def _body(self, event: DataReceived) -> None:
        number, data = event.stream_id, event.data
        stream = self.streams.get(number)
        if stream is not None:
            stream.body(data)
        elif data:
            # The stream is finished; its bytes still count for the connection's window.
            self.h2.acknowledge_received_data(len(data), number)
        if event.end_stream:
            self._body_complete(number)

    def _body_complete(self, number: int) -> None:
        stream = self.streams.get(number)
        if stream is not None:
            stream.body_complete()

    def _stream_closed(self, event: StreamClosed) -> None:
        number = event.stream_id
        if number == self._reset_by_client:
            self._reset_by_client = 0
        elif event.error_code in _CLIENTS_FAULTS:
            # Reset by the library, because of what the client sent, or by the gateway.
            self._wasted_streams += 1
        stream = self.streams.get(number)
        if stream is not None:
            self.active = self.plane.watch.now
            stream.closed()

    def _connection_closed(self, event: ConnectionClosed) -> None:
        """Frames were contradictory, or the client has sent GOAWAY and has all its answers."""
        if event.error_code:
            self._end_streams()
            self._write(self.h2.data_to_send())
        self._going_away = True
        self._close()

    # Sending

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and self._closed_at is None:
            self._transport.write(data)

    def _settle(self) -> None:
        for stream in tuple(self._unsettled):
            if stream.settle():
                self._unsettled.discard(stream)

    # Ending

    def _break_off(self, last: bytes) -> None:
        """Ends the connection because of what its client did, after sending ``last``."""
        self._end_streams()
        self._going_away = True
        self._write(last)
        self._close()

    def _go_away(self) -> None:
        """Sends GOAWAY: no more requests; those that have begun are answered."""
        if not self._going_away:
            self._going_away = True
            self.flush()
            self._write(go_away_frame(self._last_stream, ErrorCode.NO_ERROR))

    def _go_away_if_due(self) -> None:
        """Sends GOAWAY after an answer, not before: some clients ignore what follows it."""
        now, timeouts = self.plane.watch.now, self.plane.timeouts
        if (
            self.plane.draining
            or now >= self._age_limit
            or self._requests >= timeouts.client_requests
        ):
            self._go_away()

    def _end_if_over(self, now: float) -> None:
        """After GOAWAY and the last answer, the client should end the connection. If it does not,
        it gets a PING, whose acknowledgement shows that it has received the answers.

        Closing at once could lose unread answers: if the client still sends anything, even a window
        update, the operating system responds with a reset. A PING at once would fail with clients
        that cannot handle a PING after GOAWAY.
        """
        if not self._going_away or self.streams or self._final_ping_sent:
            return
        if now - self.active >= self.plane.timeouts.linger:
            self._final_ping_sent = True
            self.h2.ping(_FINAL_PING)
            self.flush()

    def _close(self) -> None:
        if self._transport is not None and self._closed_at is None:
            self._closed_at = self.plane.watch.now
            if not self._transport.is_closing():
                # Closing twice would make asyncio's TLS transport lose its protocol.
                self._transport.close()

    def _end_streams(self) -> None:
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.gone()
