"""One request and its answer: finds the rule, forwards the request, and passes the answer back."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from gateway.http1.request import Request
from gateway.proxy import local_replies
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.heads import (
    LAST_CHUNK,
    ResponseHead,
    chunk,
    request_head,
    trace_id,
)
from gateway.proxy.identities import UnknownIdentityError
from gateway.proxy.listener import Listener
from gateway.proxy.peer import Peer
from gateway.proxy.record import ExchangeRecord
from gateway.routing.redirect import MAX_LOCATION, Redirect
from gateway.routing.rules import FixedResponse, Forward, Rule
from gateway.routing.sign_in import OnUnauthenticated, SignIn
from gateway.routing.transforms import NO_TRANSFORMS, TransformFailedError
from gateway.targets.target import PooledConnection, Target

_SWITCHING_PROTOCOLS: Final = 101
_ENDING: Final = frozenset({400, 408})
"""Statuses after which the client's connection is closed."""


class Client(Protocol):
    """What an exchange needs of the client's connection."""

    listener: Listener
    peer: Peer
    write_paused: bool
    """Whether the client's buffers are full."""

    @property
    def last_answer(self) -> bool:
        """Whether this connection's next answer is its last one, because of its age or a drain."""

    def send_continue(self) -> None:
        """Sends 100 Continue."""

    def send(
        self, head: ResponseHead | None, parts: Sequence[bytes], *, chunked: bool, end: bool
    ) -> int:
        """Sends a piece of the answer: the first one with ``head``, the last one with ``end``.

        ``chunked`` bodies get chunk framing if the client's HTTP version has it. Returns the number
        of bytes sent.
        """

    def begin_tunnel(self) -> bytes:
        """From now on, passes what the client sends to the exchange's ``tunnel_from_client``.
        Returns the bytes that were received already."""

    def write(self, data: bytes) -> None:
        """Sends bytes that are not HTTP, through a tunnel."""

    def touch(self) -> None:
        """Restarts the idle timeout, because a byte has moved."""

    def update_reading(self) -> None:
        """Called when ``wants_request_bytes`` may have changed."""

    def exchange_done(self, *, keep_alive: bool) -> None:
        """Called when the answer has ended. Without ``keep_alive`` it is the last one, and the
        connection is closed after it."""

    def cut_off(self, *, reset: bool) -> None:
        """Ends the connection in the middle of an answer."""


class Exchange:
    """Forwards one request to a target, or answers it without one. Records the facts about it for
    the access log and the metrics.

    Request and response stream independently; a connection returns to the target's pool only if
    both are complete. Requests are never retried.
    """

    __slots__ = (
        "_bodyless",
        "_chunked",
        "_client",
        "_connecting",
        "_connection",
        "_done",
        "_keep_alive",
        "_last_chunk_sent",
        "_plane",
        "_record",
        "_sized",
        "_target_paused",
        "_tunnel",
        "listener",
        "request",
    )

    def __init__(self, plane: DataPlane, client: Client, request: Request) -> None:
        self._plane = plane
        self._client = client
        self.request = request
        self.listener = listener = client.listener
        peer = client.peer
        clock = plane.clock
        self._record = ExchangeRecord(request, peer, listener.port, clock.wall(), clock.monotonic())
        self._tunnel = False
        """Whether both connections have switched to another protocol."""
        self._connection: PooledConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._target_paused = False
        """Whether the target's buffers are full."""
        self._last_chunk_sent = False
        """Whether the target has got the end of a chunked request."""
        self._chunked = False
        """Whether the answer is sent to the client in chunks."""
        self._bodyless = False
        """Whether the answer never has a body, as after HEAD."""
        self._sized = False
        """Whether the answer's head says how long its body is."""
        self._keep_alive = False
        """Whether the answer's head says that the connection stays open."""
        self._done = False
        request.source = peer.address
        request.port_in_template = listener.port_in_template

    @property
    def wants_request_bytes(self) -> bool:
        """Whether more of the request can be accepted now."""
        return not self._target_paused and self._connecting is None

    # Called by the client's connection.

    def start(self) -> None:
        """Called once the request's head is complete: finds its rule and carries out the action."""
        request = self.request
        if request.refusal:
            self._reply_with(request.refusal)
            return
        plane, record = self._plane, self._record
        if request.expects_continue and request.has_body and not request.http10:
            # Before the rule is known, because an ALB sends it "immediately", says the AWS guide.
            self._client.send_continue()
            record.sent += len(local_replies.CONTINUE)
        rule = self.listener.rules.match(request)
        record.rule_priority = rule.priority
        record.trace = trace_id(request.trace_id, record.created, plane.random)
        if rule.sign_in is not None and not self._sign_in(rule.sign_in):
            return
        action = rule.action
        if isinstance(action, Forward):
            if rule.transforms is NO_TRANSFORMS or self._transform(rule):
                record.action += "forward"
                self._forward(action)
        elif self.listener.host_line(request, plane.load_balancer.preserve_host_header) is None:
            self._reply_with(400)
        elif isinstance(action, FixedResponse):
            record.action += "fixed-response"
            self._reply(local_replies.fixed_response(action, plane.date.line()))
        else:
            record.action += "redirect"
            self._redirect(action)

    def request_progress(self) -> None:
        """Called when more of the request's body was received, or its end."""
        if self.request.refusal:
            self._drop_target()
            self._fail_with(self.request.refusal)
            return
        connection = self._connection
        if connection is None:
            return
        data = self._framed_body()
        if data:
            connection.write(data)

    def client_gone(self, *, reads: bool) -> None:
        """Called when the client has closed its connection, or, if it still ``reads``, only its
        sending half."""
        self._drop_target()
        if not self._record.status:
            if reads and not self.request.complete:
                self._reply_with(400)
                return
            # Nothing is sent any more; an ALB logs 460 when the client did not wait for the answer.
            self._record.status = 460 if self.request.complete else 400
        self._finish(keep_alive=False)

    def client_paused(self) -> None:
        """Called when the client's buffers are full."""
        if self._connection is not None:
            self._connection.pause_reading()

    def client_resumed(self) -> None:
        """Called when the client's buffers have space again."""
        if self._connection is not None:
            self._connection.resume_reading()

    def expire(self) -> None:
        """Called when no byte has moved for the idle timeout."""
        waiting_for_client = not self.request.complete and self.wants_request_bytes
        self._drop_target()
        self._fail_with(408 if waiting_for_client else 504)

    @property
    def unsent_to_target(self) -> int:
        """The number of bytes that the target has not taken yet."""
        return self._connection.unsent if self._connection is not None else 0

    def _redirect(self, action: Redirect) -> None:
        listener = self.listener
        location = action.location(self.request, listener.settings.protocol, listener.port)
        if len(location) > MAX_LOCATION:
            self._reply_with(507)
            return
        self._record.redirect_url = location
        self._reply(local_replies.redirect(action.status, location, self._plane.date.line()))

    def _sign_in(self, sign_in: SignIn) -> bool:
        """Sets the headers about the request's user. Returns False if the request was answered."""
        plane, record, request = self._plane, self._record, self.request
        assert plane.identities is not None  # noqa: S101 - without them, sign-in is refused at the start
        record.action = "authenticate"
        try:
            identity = plane.identities.of(request)
        except UnknownIdentityError:
            self._reply_with(400)
            return False
        plane.identities.apply(request, sign_in, identity, record.created)
        if identity is None and sign_in.on_unauthenticated is not OnUnauthenticated.ALLOW:
            if sign_in.on_unauthenticated is OnUnauthenticated.DENY:
                self._reply_with(401)
            else:
                host = request.authority if request.authority is not None else request.host or b""
                state = f"{plane.random.getrandbits(128):032x}"
                record.redirect_url = sign_in.location(host.decode("latin-1"), state).encode()
                self._reply(local_replies.redirect(302, record.redirect_url, plane.date.line()))
            return False
        record.action = "authenticate,"  # the caller appends the action, such as "forward"
        return True

    def _transform(self, rule: Rule) -> bool:
        """Applies the rule's transforms. Returns False if they failed and the request was
        answered."""
        request = self.request
        try:
            request.sent_host = rule.transforms.rewritten_host(request.routing_host)
            request.sent_target = rule.transforms.rewritten_target(request.target)
        except TransformFailedError:
            self._record.transform_failed = True
            self._reply_with(500)
            return False
        return True

    # Sends the request to the target.

    def _forward(self, action: Forward) -> None:
        plane, request = self._plane, self.request
        selection = plane.selector.select(action, request)
        host = self.listener.host_line(request, plane.load_balancer.preserve_host_header)
        if host is None:
            self._reply_with(400)
            return
        record = self._record
        record.target_group = selection.target_group
        record.selection = selection
        target = selection.target
        if target is None:
            self._reply_with(503)
            return
        record.target = target
        target.outstanding += 1
        forwarded = self._client.peer.forwarded.lines(request)
        head = request_head(request, forwarded, host, record.trace)
        connection = target.take()
        if connection is not None:
            self._send_head(connection, head)
        else:
            self._connecting = plane.spawn(self._connect(target, head))

    async def _connect(self, target: Target, head: bytes) -> None:
        plane = self._plane
        try:
            async with asyncio.timeout(plane.timeouts.connect):
                connection = await plane.connect(target)
        except TimeoutError:
            self._connecting = None
            self._fail_with(504)
        except OSError:
            self._connecting = None
            self._fail_with(502)
        else:
            self._connecting = None
            self._client.touch()
            self._send_head(connection, head)
            self._client.update_reading()

    def _send_head(self, connection: PooledConnection, head: bytes) -> None:
        self._connection = connection
        self._record.dispatched = self._plane.clock.monotonic()
        request = self.request
        connection.begin(self, head_request=request.method == b"HEAD", upgrade=request.websocket)
        if self._client.write_paused:
            connection.pause_reading()
        if request.chunked or request.content_length:
            head += self._framed_body()
        connection.write(head)

    def _framed_body(self) -> bytes:
        request = self.request
        parts = request.body
        if not request.has_body:
            return b""
        if not request.chunked:
            if not parts:
                return b""
            request.body = []
            return parts[0] if len(parts) == 1 else b"".join(parts)
        data = b""
        if parts:
            request.body = []
            data = chunk(parts, sum(map(len, parts)))
        if request.complete and not self._last_chunk_sent:
            self._last_chunk_sent = True
            data += LAST_CHUNK
        return data

    def _drop_target(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # Called by the target's connection: implements TargetUser.

    def target_paused(self) -> None:
        self._target_paused = True
        self._client.update_reading()

    def target_resumed(self) -> None:
        self._target_paused = False
        self._client.touch()
        self._client.update_reading()

    def target_failed(self) -> None:
        self._connection = None
        self._fail_with(502)

    def target_refused(self, status: int, reason: str) -> None:
        self._connection = None
        self._record.error_reason = reason
        self._fail_with(status)

    def response_progress(self) -> None:
        connection = self._connection
        if connection is None:
            return
        response = connection.reader.response
        if not response.complete:
            self._client.touch()
            if not response.head_complete:
                return
        parts = response.body
        if parts:
            response.body = []
        head = None if self._record.status else self._begin_answer(connection)
        if response.status == _SWITCHING_PROTOCOLS:
            self._begin_tunnel(connection, head)
            return
        complete = response.complete
        if head is not None or parts or complete:
            self._record.sent += self._client.send(
                head, parts, chunked=self._chunked and not self._bodyless, end=complete
            )
        if not complete:
            return
        self._connection = None
        request = self.request
        if response.keep_alive and request.complete and not request.close_after:
            connection.release()
        else:
            connection.close()
        self._finish(keep_alive=self._keep_alive and request.complete)

    # Sends the answer to the client.

    def _begin_answer(self, connection: PooledConnection) -> ResponseHead:
        request, response = self.request, connection.reader.response
        record = self._record
        record.answered = self._plane.clock.monotonic()
        lines = response.lines
        selection = record.selection
        if selection is not None and selection.sticky is not None:
            lines += selection.sticky.set_cookie_lines(lines)
        record.status = record.target_status = status = response.status
        self._bodyless = request.method == b"HEAD" or status == 204 or status == 304
        self._sized = response.has_content_length or self._bodyless
        self._chunked = (
            (response.chunked or response.until_close)
            and not request.http10
            and status != 204
            and status != 304
        )
        # The connection can stay open only if the whole request arrives. The head has to say now
        # whether it stays open, so if the request is not complete yet, it says that it does not.
        self._keep_alive = (self._sized or self._chunked) and self._may_keep_alive()
        lines.append(self._plane.date.line())
        return ResponseHead(
            status,
            response.status_line,
            self.listener.response_lines(lines),
            keep_alive=self._keep_alive,
            chunked=self._chunked,
            upgrade=status == _SWITCHING_PROTOCOLS,
        )

    def _begin_tunnel(self, connection: PooledConnection, head: ResponseHead | None) -> None:
        """Called when the target has answered 101: from now on, forwards all bytes as they are."""
        self._tunnel = connection.tunnel = True
        self._record.sent += self._client.send(head, (), chunked=False, end=False)
        early = self._client.begin_tunnel()
        if early:
            self.tunnel_from_client(early)
        if connection.reader.beyond:
            self.tunnelled(connection.reader.beyond)

    def tunnel_from_client(self, data: bytes) -> None:
        """Forwards bytes from the client through the tunnel."""
        self.request.body_size += len(data)
        if self._connection is not None:
            self._connection.write(data)

    def tunnelled(self, data: bytes) -> None:
        self._client.touch()
        self._record.sent += len(data)
        self._client.write(data)

    def _may_keep_alive(self) -> bool:
        request = self.request
        return request.complete and request.keep_alive and not self._client.last_answer

    def _fail_with(self, status: int) -> None:
        """Answers with ``status``, or aborts the answer if one has begun."""
        if not self._record.status:
            self._reply_with(status)
            return
        if self._tunnel:
            self._client.cut_off(reset=False)
            self._finish(keep_alive=False)
            return
        # A client that knows the length or reads chunks notices that bytes are missing. Any other
        # would take a normal close for the end of the answer, so its connection is reset.
        self._client.cut_off(reset=not (self._chunked or self._sized))
        self._finish(keep_alive=False)

    def _reply_with(self, status: int) -> None:
        if status in _ENDING:
            self.request.keep_alive = False
        self._reply(local_replies.status_reply(status, self._plane.date.line()))

    def _reply(self, answer: local_replies.LocalReply) -> None:
        """Answers without a target."""
        record = self._record
        record.status = answer.status
        keep_alive = self._may_keep_alive()
        head = ResponseHead(
            answer.status,
            answer.status_line,
            self.listener.response_lines(answer.lines),
            keep_alive=keep_alive,
        )
        body = () if self.request.method == b"HEAD" or not answer.body else (answer.body,)
        record.sent += self._client.send(head, body, chunked=False, end=True)
        self._finish(keep_alive=keep_alive)

    def _finish(self, *, keep_alive: bool) -> None:
        if self._done:
            return
        self._done = True
        record = self._record
        if record.target is not None:
            record.target.outstanding -= 1
        self.request.body = []
        record.finished = self._plane.clock.monotonic()
        self._plane.access_log.record(record)
        self._client.exchange_done(keep_alive=keep_alive)
