"""Connections of HTTP/1 clients."""

import asyncio
from collections.abc import Sequence
from typing import Final, cast

from gateway.clients.peers import peer_of
from gateway.http1.request_reader import RequestReader
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.exchange import Exchange
from gateway.proxy.heads import LAST_CHUNK, ResponseHead, chunk, http1_head
from gateway.proxy.listener import Listener
from gateway.proxy.local_replies import CONTINUE
from gateway.proxy.peer import Peer

_HIGHEST_LINE_END: Final = 0x0D
_READ: Final = 64 * 1024
"""The most bytes that are parsed at once, which bounds the memory for pipelined requests."""


class ClientConnection(asyncio.Protocol):
    """One client: reads its requests, which are answered one after the other, in order."""

    __slots__ = (
        "_advancing",
        "_age_limit",
        "_closing",
        "_exchange",
        "_head_since",
        "_lingering_until",
        "_lingers",
        "_paused",
        "_plane",
        "_reader",
        "_transport",
        "_tunnel",
        "_unparsed",
        "_unsent",
        "active",
        "listener",
        "peer",
        "write_paused",
    )

    peer: Peer

    def __init__(self, plane: DataPlane, listener: Listener) -> None:
        self._plane = plane
        self.listener = listener
        settings = plane.load_balancer
        self._reader = RequestReader(
            settings.desync_mode, drop_invalid=settings.drop_invalid_header_fields
        )
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._unparsed = memoryview(b"")
        self._head_since: float | None = None
        self._advancing = False
        self._paused = False
        self._closing = False
        self._lingers = False
        """Whether the last answer is written and the client may still send."""
        self._lingering_until: float | None = None
        """None while bytes of the answer are still unsent."""
        self._unsent = 0
        self._age_limit = plane.watch.now + plane.timeouts.client_keep_alive
        self.active = plane.watch.now
        self._tunnel = False
        self.write_paused = False

    # Client: for the exchange.

    @property
    def last_answer(self) -> bool:
        return self._plane.draining or self._plane.watch.now >= self._age_limit

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def send_continue(self) -> None:
        self.write(CONTINUE)

    def send(
        self, head: ResponseHead | None, parts: Sequence[bytes], *, chunked: bool, end: bool
    ) -> int:
        if chunked:
            framed = [chunk(parts, sum(map(len, parts)))] if parts else []
            if end:
                framed.append(LAST_CHUNK)
            parts = framed
        if head is not None:
            data = http1_head(head, parts)
        elif parts:
            data = parts[0] if len(parts) == 1 else b"".join(parts)
        else:
            return 0
        self.write(data)
        return len(data)

    def begin_tunnel(self) -> bytes:
        self._tunnel = True
        early = self._reader.beyond_http() + bytes(self._unparsed)
        self._unparsed = memoryview(b"")
        self._pause_or_resume()
        return early

    def touch(self) -> None:
        self.active = self._plane.watch.now

    def exchange_done(self, *, keep_alive: bool) -> None:
        exchange, self._exchange = self._exchange, None
        self.active = self._plane.watch.now
        if self._tunnel or not keep_alive:
            self._close_after_answer()
            return
        if exchange is not None and exchange.request.websocket:
            self._reader.resume()
        if self._plane.draining and self.idle:
            # The answer's head was sent before it was known to be the last.
            self.close()
        elif not self._advancing and (self._reader.requests or self._unparsed or self._paused):
            self._advance()

    def cut_off(self, *, reset: bool) -> None:
        self._closing = True
        if self._transport is not None:
            if reset:
                self._transport.abort()
            else:
                self._transport.close()

    # For the data plane.

    @property
    def idle(self) -> bool:
        """Between two requests."""
        return not (
            self._exchange is not None
            or self._reader.requests
            or self._reader.expects_more
            or self._unparsed
            or self._closing
        )

    def close(self) -> None:
        """Ends the connection once what was written is sent."""
        self._closing = True
        # Closing twice would make asyncio's TLS transport lose its protocol.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def check(self, now: float) -> None:
        """Enforces the timeouts."""
        transport = self._transport
        if transport is None:
            return
        if self._lingers and self._has_lingered(transport, now):
            return
        exchange = self._exchange
        if exchange is None and self._reader.in_head:
            if self._head_since is None:
                self._head_since = now
            elif now - self._head_since >= self._plane.timeouts.head:
                self._refuse_silent_client()
                return
        else:
            self._head_since = None
        unsent = transport.get_write_buffer_size()
        if exchange is not None:
            unsent += exchange.unsent_to_target
        if unsent != self._unsent:
            # The client reads, if slowly.
            self._unsent = unsent
            self.active = now
            return
        if now - self.active < self._plane.timeouts.idle:
            return
        if self._closing:
            self.abort()
        elif exchange is not None:
            exchange.expire()
        elif self._reader.in_head:
            self._refuse_silent_client()
        else:
            self.close()

    def _has_lingered(self, transport: asyncio.Transport, now: float) -> bool:
        """Ends the connection once its last answer is sent, however slowly the client reads."""
        if transport.get_write_buffer_size():
            self._lingering_until = None
            return False
        if not transport.can_write_eof():
            self.close()
            return True
        if self._lingering_until is None:
            self._lingering_until = now + self._plane.timeouts.linger
        elif now >= self._lingering_until:
            self.abort()
            return True
        return False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A TCP transport; uvloop's does not derive from asyncio's.
        self._transport = transport = cast(asyncio.Transport, transport)
        peer = peer_of(transport, self._plane, self.listener, http2=False)
        if peer is None:
            transport.abort()
            return
        self.peer = peer
        self._plane.clients.add(self)
        self._plane.watch.watched.add(self)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        exchange = self._exchange
        if self._tunnel:
            self.active = self._plane.watch.now
            if exchange is not None:
                exchange.tunnel_from_client(data)
            return
        if exchange is None and not self._unparsed and len(data) <= _READ:
            if data[0] > _HIGHEST_LINE_END or data.strip(b"\r\n"):
                # Empty lines before a request are ignored.
                self.active = self._plane.watch.now
            self._reader.feed(data)
        else:
            if exchange is None or not exchange.request.complete:
                self.active = self._plane.watch.now
            unparsed = self._unparsed
            self._unparsed = memoryview(bytes(unparsed) + data if unparsed else data)
        self._advance()

    def eof_received(self) -> bool:
        """Returns True to keep the connection open for what is still to be written."""
        if self._exchange is not None:
            self._exchange.client_gone(reads=True)
        self.close()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._closing = True
        self._transport = None
        self._plane.watch.watched.discard(self)
        if self._exchange is not None:
            self._exchange.client_gone(reads=False)
        self._plane.client_lost(self)

    def pause_writing(self) -> None:
        self.write_paused = True
        if self._exchange is not None:
            self._exchange.client_paused()

    def resume_writing(self) -> None:
        self.active = self._plane.watch.now
        self.write_paused = False
        if self._exchange is not None:
            self._exchange.client_resumed()
        elif not self._advancing:
            self._advance()

    # Reading

    def update_reading(self) -> None:
        if not self._advancing:
            self._advance()

    def _advance(self) -> None:
        """Processes as much as possible of what was received, then reads on or waits."""
        self._advancing = True
        reader = self._reader
        while not self._closing:
            exchange = self._exchange
            if exchange is None:
                if self.write_paused:
                    # Answers that the client does not read must not accumulate.
                    break
                if reader.requests:
                    request = reader.requests.popleft()
                    self._exchange = exchange = Exchange(self._plane, self, request)
                    exchange.start()
                    if (
                        request.complete
                        and self._exchange is exchange
                        and not (self._unparsed or reader.requests or self._paused)
                    ):
                        # All requests so far are being answered: there is nothing to do here.
                        self._advancing = False
                        return
                    continue
            elif exchange.request.has_body:
                exchange.request_progress()
                if self._exchange is not exchange:
                    continue
            if not self._unparsed or not self._may_parse():
                break
            data, self._unparsed = self._unparsed[:_READ], self._unparsed[_READ:]
            reader.feed(bytes(data))
        self._advancing = False
        self._pause_or_resume()

    def _may_parse(self) -> bool:
        exchange = self._exchange
        return exchange is None or (not exchange.request.complete and exchange.wants_request_bytes)

    def _pause_or_resume(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        exchange = self._exchange
        pause = not self._closing and (
            bool(self._unparsed)
            or bool(self._reader.requests)
            or (exchange is None and self.write_paused)
            or (
                exchange is not None
                and (self._tunnel or not exchange.request.complete)
                and not exchange.wants_request_bytes
            )
        )
        if pause is not self._paused:
            self._paused = pause
            if pause:
                transport.pause_reading()
            else:
                transport.resume_reading()

    # Ending

    def _refuse_silent_client(self) -> None:
        """Answers an incomplete head with 408."""
        self._exchange = Exchange(self._plane, self, self._reader.abandon(408))
        self._exchange.start()

    def _close_after_answer(self) -> None:
        """Closes in such a way that the answer arrives.

        Closing a socket with unread bytes resets the connection, and the reset may destroy the
        answer. So while the client may still be sending, only the gateway's half is closed, and
        what arrives is dropped for a while (RFC 9112, section 9.6).
        """
        self._closing = True
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        reader = self._reader
        if not reader.expects_more and not self._unparsed:
            transport.close()
            return
        self._unparsed = memoryview(b"")
        if transport.can_write_eof():
            transport.write_eof()
        elif not transport.get_write_buffer_size():
            # TLS connections cannot be half-closed here, and closing one gives the client little
            # time to read what is unsent.
            transport.close()
            return
        self._lingers = True
        self._pause_or_resume()
