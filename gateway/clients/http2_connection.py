"""Clients that speak HTTP/2 (RFC 9113); targets never do.

Each stream is an exchange of its own, and a request of HTTP/1.1 to the target. Limits: "HTTP/2" in
"Listeners for your Application Load Balancers" and "How Elastic Load Balancing works" of the AWS
guides: 128 streams at once, no server push, GOAWAY after 10,000 requests.
"""

import asyncio
from collections import deque
from typing import Final, cast

from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError

from gateway.clients.http2_protocol import MAX_STREAMS, ServerConnection
from gateway.clients.http2_request import Http2Requests
from gateway.clients.http2_stream import Http2Stream
from gateway.clients.peers import peer_of
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.listener import Listener
from gateway.proxy.peer import Peer

_MAX_WASTED_STREAMS: Final = 200
"""Streams that a client may have opened in vain before it has to leave, when they are most of its
streams: opening them to give them up, or to have them reset, is an attack (CVE-2023-44487 and
CVE-2025-8671)."""
_UNSENT: Final = 64 * 1024
"""Bytes that wait for a client to read them, from which on it gets no more and is not read."""
_FINAL_PING: Final = b"goodbye!"


class Http2Connection(asyncio.Protocol):
    """One client with its streams."""

    peer: Peer

    def __init__(self, plane: DataPlane, listener: Listener) -> None:
        self.plane = plane
        self.listener = listener
        self.active = plane.watch.now
        self.paused = False
        """Whether the client takes no more for now."""
        self.streams: dict[int, Http2Stream] = {}
        """Those that are not over, in the order in which they may send."""
        self.h2 = ServerConnection()
        self._age_limit = plane.watch.now + plane.timeouts.client_keep_alive
        self._requests = 0
        self._wasted_streams = 0
        self._last_stream = 0
        self._going_away = False
        self._final_ping_sent = False
        self._closed_at: float | None = None
        self._unsent = 0
        self._transport: asyncio.Transport | None = None
        self._batching = False
        self._windows_changed = False
        self._answered = False
        self._reader = Http2Requests()

    # For the streams.

    def flush(self) -> None:
        """Sends what is ready to be sent."""
        if not self._batching:
            self._write(self.h2.data_to_send())

    def stream_done(self, stream: Http2Stream) -> None:
        """A stream's exchange and its answer are over."""
        self.streams.pop(stream.number, None)
        self.active = self.plane.watch.now
        if self._batching:
            self._answered = True
        else:
            self._go_away_if_due()

    def refuse(self, number: int, code: ErrorCodes) -> None:
        """Resets a stream for what its client did; a target that works for it is dropped."""
        if code is not ErrorCodes.REFUSED_STREAM:
            self._wasted_streams += 1
        try:
            self.h2.reset_stream(number, code)
        except ProtocolError:
            pass  # The client has just reset it.
        stream = self.streams.pop(number, None)
        if stream is not None:
            stream.gone()

    # For the data plane.

    @property
    def idle(self) -> bool:
        """Without a stream."""
        return not self.streams

    def close(self) -> None:
        """Ends the connection once the client has what was written."""
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
            # TLS waits for the client to agree.
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
        self.h2.begin()
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self._closed_at is not None:
            return
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            # The library has a GOAWAY ready that says why.
            self._end_streams()
            self.flush()
            self._going_away = True
            self._close()
            return
        self._batching = True
        try:
            for event in events:
                self._handle(event)
        finally:
            self._batching = False
        if self._windows_changed:
            self._windows_changed = False
            self._pump()
        self.flush()
        if self._answered:
            # Not before all that came together has begun: after GOAWAY it would be refused.
            self._answered = False
            self._go_away_if_due()
        if self._wasted_streams > max(_MAX_WASTED_STREAMS, self._requests // 2):
            self._end_streams()
            self._go_away(ErrorCodes.ENHANCE_YOUR_CALM)
            self._close()

    def eof_received(self) -> None:
        """TLS knows no half-closed connection."""
        self._end_streams()
        self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._transport = None
        self.plane.watch.watched.discard(self)
        self._end_streams()
        self.plane.client_lost(self)

    def pause_writing(self) -> None:
        """What is read has to be answered, be it only a PING: a client that does not
        read is not read either."""
        self.paused = True
        if self._transport is not None and self._closed_at is None:
            self._transport.pause_reading()
        self._update_exchanges()

    def resume_writing(self) -> None:
        self.paused = False
        if self._transport is not None and self._closed_at is None:
            self._transport.resume_reading()
        self._pump()

    # Events

    def _handle(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            self._body(event)
        elif isinstance(event, StreamEnded):
            stream = self.streams.get(event.stream_id or 0)
            if stream is not None:
                stream.body_complete()
        elif isinstance(event, StreamReset):
            self._wasted_streams += 1
            stream = self.streams.pop(event.stream_id or 0, None)
            if stream is not None:
                self.active = self.plane.watch.now
                stream.gone()
        elif isinstance(event, WindowUpdated | RemoteSettingsChanged):
            # Once for all that came together: there may be thousands.
            self._windows_changed = True
        elif isinstance(event, PingAckReceived) and event.ping_data == _FINAL_PING:
            self._final_ping_acknowledged()

    def _begin(self, event: RequestReceived) -> None:
        number = event.stream_id or 0
        if self._requests >= self.plane.timeouts.client_requests:
            self._go_away()
        if self._going_away or len(self.streams) >= MAX_STREAMS:
            self.refuse(number, ErrorCodes.REFUSED_STREAM)
            return
        self._last_stream = number
        self._requests += 1
        self.active = self.plane.watch.now
        request = self._reader.read(event.headers or [], ended=event.stream_ended is not None)
        if request is None:
            self.refuse(number, ErrorCodes.PROTOCOL_ERROR)
            return
        stream = self.streams[number] = Http2Stream(self, number, request)
        stream.start()

    def _body(self, event: DataReceived) -> None:
        number, size = event.stream_id or 0, event.flow_controlled_length or 0
        stream = self.streams.get(number)
        if stream is None:
            # The stream is over; its bytes still count for the connection's window.
            self.h2.acknowledge_received_data(size, number)
        else:
            stream.body(event.data or b"", size)

    # Sending

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and self._closed_at is None:
            self._transport.write(data)

    def _pump(self) -> None:
        """Sends what waits for the client: a frame of each stream in turn, so that one large
        answer does not take the whole of a small window."""
        turns = deque(self.streams.values())
        ready = 0
        while turns and not self.paused:
            stream = turns.popleft()
            sent = stream.send_frame()
            if sent and stream.number in self.streams:
                turns.append(stream)
                # The next time it is the others' turn first.
                self.streams[stream.number] = self.streams.pop(stream.number)
            ready += sent
            if ready >= _UNSENT:
                ready = 0
                self.flush()
        self.flush()
        self._update_exchanges()

    def _update_exchanges(self) -> None:
        for stream in tuple(self.streams.values()):
            stream.update_exchange()

    # Ending

    def _go_away(self, code: ErrorCodes = ErrorCodes.NO_ERROR) -> None:
        """No more requests; those that have begun are answered."""
        if not self._going_away:
            self._going_away = True
            self._write(self.h2.go_away(self._last_stream, code))

    def _go_away_if_due(self) -> None:
        """After an answer rather than before it: not every client takes what follows a GOAWAY."""
        now, timeouts = self.plane.watch.now, self.plane.timeouts
        if (
            self.plane.draining
            or now >= self._age_limit
            or self._requests >= timeouts.client_requests
        ):
            self._go_away()

    def _end_if_over(self, now: float) -> None:
        """After GOAWAY and the last answer it is the client that ends the connection; when it does
        not, it gets a PING, whose acknowledgement shows that it has them.

        Closing at once would lose what the client has not read yet when it still sends something,
        be it a window update: the system answers that with a reset. So would a PING at once, for
        clients that fail at a PING after GOAWAY.
        """
        if not self._going_away or self.streams or self._final_ping_sent:
            return
        if now - self.active >= self.plane.timeouts.linger:
            self._final_ping_sent = True
            self.h2.ping(_FINAL_PING)
            self.flush()

    def _final_ping_acknowledged(self) -> None:
        if self._final_ping_sent:
            self._close()

    def _close(self) -> None:
        if self._transport is not None and self._closed_at is None:
            self._closed_at = self.plane.watch.now
            if not self._transport.is_closing():
                # A second time would make asyncio's forget what it is the transport of.
                self._transport.close()

    def _end_streams(self) -> None:
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.gone()
