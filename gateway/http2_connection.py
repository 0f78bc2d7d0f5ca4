"""Clients that speak HTTP/2 (RFC 9113); targets never do.

Each stream is an exchange of its own, and a request of HTTP/1.1 to the target. Limits: "HTTP/2" in
"Listeners for your Application Load Balancers" and "How Elastic Load Balancing works" of the AWS
guides: 128 streams at once, no server push, GOAWAY after 10,000 requests.
"""

import asyncio
from typing import TYPE_CHECKING, Final, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from gateway.forwarding import ForwardedHeaders
from gateway.http2_request import Http2Requests
from gateway.http2_stream import Http2Stream
from gateway.target_group import Address
from gateway.tls import TlsFacts, facts

if TYPE_CHECKING:
    from gateway.data_plane import DataPlane
    from gateway.listener import Listener

_MAX_STREAMS: Final = 128
_MAX_REQUESTS: Final = 10_000
_MAX_HEADERS: Final = 64 * 1024
_MAX_RESETS: Final = 200
"""Streams that a client may open and give up at once before it has to leave: opening and resetting
without end is an attack (CVE-2023-44487)."""


class Http2Connection(asyncio.Protocol):
    """One client with its streams."""

    def __init__(self, plane: "DataPlane", listener: "Listener") -> None:
        self.plane = plane
        self.listener = listener
        self.tls: TlsFacts | None = None
        self.active = plane.watch.now
        self.connection_label = f"TID_{plane.random.getrandbits(128):032x}"
        self.peer = ""
        self.peer_label = ""
        self.paused = False
        self.streams: dict[int, Http2Stream] = {}
        self.h2 = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding=None,
                # Ours are made from a target's, and cleaned on the way.
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: _MAX_STREAMS,
                SettingCodes.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
            },
        )
        self._age_limit = plane.watch.now + plane.timeouts.client_keep_alive
        self._requests = 0
        self._resets = 0
        self._last_stream = 0
        self._going_away = False
        self._transport: asyncio.Transport | None = None
        self._batching = False
        self._reader = Http2Requests()
        self.forwarded = ForwardedHeaders(plane.load_balancer, "", 0, listener.port, None)

    # For the streams.

    def flush(self) -> None:
        """Sends what is ready to be sent."""
        if self._transport is not None and not self._batching:
            data = self.h2.data_to_send()
            if data:
                self._transport.write(data)

    def stream_done(self, stream: Http2Stream) -> None:
        """A stream's exchange and its answer are over."""
        self.streams.pop(stream.number, None)
        self.active = self.plane.watch.now
        if self.plane.draining or self.plane.watch.now >= self._age_limit:
            self._go_away()
        self._close_if_over()

    # For the data plane.

    @property
    def idle(self) -> bool:
        """Without a stream."""
        return not self.streams

    def close(self) -> None:
        """Ends the connection once what was written is sent."""
        self._go_away()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def check(self, now: float) -> None:
        """Enforces the timeouts."""
        for stream in tuple(self.streams.values()):
            stream.check(now)
        if not self.streams and now - self.active >= self.plane.timeouts.idle:
            self.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        # uvloop's transports do not derive from asyncio's.
        self._transport = transport = cast(asyncio.Transport, transport)
        peername = transport.get_extra_info("peername")
        secured = transport.get_extra_info("ssl_object")
        self.tls = facts(secured, self.listener.settings.certificates[0])
        self.peer = peername[0].partition("%")[0]
        self.peer_label = str(Address(self.peer, peername[1]))
        self.forwarded = ForwardedHeaders(
            self.plane.load_balancer, self.peer, peername[1], self.listener.port, self.tls
        )
        self._reader.source = self.peer
        self.plane.clients.add(self)
        self.plane.watch.watched.add(self)
        self.h2.initiate_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            # The library has a GOAWAY ready that says why.
            self.flush()
            self._going_away = True
            self._end_streams()
            if self._transport is not None:
                self._transport.close()
            return
        self._batching = True
        try:
            for event in events:
                self._handle(event)
        finally:
            self._batching = False
        self.flush()
        self._close_if_over()

    def eof_received(self) -> None:
        """See asyncio. TLS knows no half-closed connection."""
        self._end_streams()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """See asyncio."""
        self._transport = None
        self.plane.watch.watched.discard(self)
        self._end_streams()
        self.plane.client_lost(self)

    def pause_writing(self) -> None:
        """See asyncio."""
        self.paused = True
        for stream in tuple(self.streams.values()):
            stream.pump()

    def resume_writing(self) -> None:
        """See asyncio."""
        self.paused = False
        for stream in tuple(self.streams.values()):
            stream.pump()
        self.flush()

    # Events

    def _handle(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            stream = self.streams.get(event.stream_id or 0)
            if stream is None:
                self._acknowledge_lost(event)
            else:
                stream.body(event.data or b"", event.flow_controlled_length or 0)
        elif isinstance(event, StreamEnded):
            stream = self.streams.get(event.stream_id)
            if stream is not None:
                stream.body_complete()
        elif isinstance(event, StreamReset):
            self._reset(event)
        elif isinstance(event, WindowUpdated):
            numbers = [event.stream_id] if event.stream_id else tuple(self.streams)
            for number in numbers:
                stream = self.streams.get(number or 0)
                if stream is not None:
                    stream.pump()

    def _begin(self, event: RequestReceived) -> None:
        number = event.stream_id or 0
        if self._going_away:
            self.h2.reset_stream(number, ErrorCodes.REFUSED_STREAM)
            return
        self._last_stream = number
        self._requests += 1
        self.active = self.plane.watch.now
        request = self._reader.read(event.headers or [], ended=event.stream_ended is not None)
        if request is None:
            self.h2.reset_stream(number, ErrorCodes.PROTOCOL_ERROR)
            return
        stream = self.streams[number] = Http2Stream(self, number, request)
        if self._requests >= _MAX_REQUESTS:
            self._go_away()
        stream.start()

    def _acknowledge_lost(self, event: DataReceived) -> None:
        """What comes for a stream that is over still counts for the connection's window."""
        if event.flow_controlled_length:
            self.h2.increment_flow_control_window(event.flow_controlled_length)

    def _reset(self, event: StreamReset) -> None:
        stream = self.streams.pop(event.stream_id or 0, None)
        if stream is None:
            return
        self._resets += 1
        stream.gone()
        if self._resets > _MAX_RESETS and self._resets > self._requests // 2:
            self._go_away(ErrorCodes.ENHANCE_YOUR_CALM)
            self._end_streams()
            if self._transport is not None:
                self._transport.close()

    # Ending

    def _go_away(self, code: ErrorCodes = ErrorCodes.NO_ERROR) -> None:
        """No more requests; those that have begun are answered.

        Written by hand, because after the library's own nothing else can be sent.
        """
        if self._going_away:
            return
        self._going_away = True
        frame = GoAwayFrame(0, last_stream_id=self._last_stream, error_code=code)
        if self._transport is not None:
            self._transport.write(self.h2.data_to_send() + frame.serialize())

    def _close_if_over(self) -> None:
        if self._going_away and not self.streams and self._transport is not None:
            self._transport.close()

    def _end_streams(self) -> None:
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.gone()
