"""One request and its answer: from the rules to a target and back."""

import asyncio
from typing import TYPE_CHECKING, Protocol

from gateway import answers
from gateway.forwarding import (
    LAST_CHUNK,
    chunk,
    forwarded_lines,
    request_head,
    response_head,
    trace_id,
)
from gateway.request_reader import Request
from gateway.rules import FixedResponse, Forward
from gateway.target_group import Target
from gateway.upstream import TargetConnection

if TYPE_CHECKING:
    from gateway.data_plane import DataPlane


class Client(Protocol):
    """What an exchange needs of the client's connection."""

    peer: str
    peer_label: str
    """Address and port, for logs."""
    connection_label: str
    """``TID_`` and 128 random bits, for logs."""
    forwarded: bytes
    """``forwarded_lines`` for a request that brings no X-Forwarded-For."""
    write_paused: bool
    """Whether the client takes no more for now."""

    @property
    def last_answer(self) -> bool:
        """Whether this connection's next answer is its last (age, or the gateway drains)."""

    def write(self, data: bytes) -> None:
        """Sends a piece of the answer."""

    def touch(self) -> None:
        """A byte moved: the idle timeout starts anew."""

    def update_reading(self) -> None:
        """``wants_request_bytes`` may have changed."""

    def exchange_done(self, *, keep_alive: bool) -> None:
        """The answer is complete, or as complete as it gets; without ``keep_alive`` it is the
        last one, and the connection ends after it."""

    def cut_off(self, *, reset: bool) -> None:
        """Ends the connection in the middle of an answer."""


class Exchange:
    """Forwards one request, or answers it.

    It is also the request's line in the access log: what is public and not a method is for that.
    Times are of the clock's monotonic reading, 0 for what did not happen.

    Request and response stream independently; a connection goes back into the target's pool only
    when both are complete. Nothing is ever sent a second time.
    """

    target_group: str = ""
    target: Target | None = None
    rule_priority: int | None = None
    action: str = ""
    status: int = 0
    target_status: int = 0
    sent: int = 0
    trace: bytes = b""
    dispatched: float = 0
    answered: float = 0
    finished: float = 0

    _connection: TargetConnection | None = None
    _connecting: "asyncio.Task[None] | None" = None
    _target_paused: bool = False
    _last_chunk_sent: bool = False
    _chunked: bool = False
    _bodyless: bool = False
    _sized: bool = False
    _keep_alive: bool = False
    _done: bool = False

    def __init__(self, plane: "DataPlane", client: Client, request: Request) -> None:
        self._plane = plane
        self._client = client
        self.request = request
        self.peer_label = client.peer_label
        self.connection_label = client.connection_label
        self.created = plane.clock.wall()
        self.started = plane.clock.monotonic()

    @property
    def wants_request_bytes(self) -> bool:
        """Whether more of the request can be taken now."""
        return not self._target_paused and self._connecting is None

    # From the client's connection.

    def start(self) -> None:
        """Decides, once the request's head is complete."""
        request = self.request
        if request.refusal:
            self._answer(request.refusal)
            return
        rule = self._plane.rules.match(request)
        self.rule_priority = rule.priority
        action = rule.action
        if isinstance(action, FixedResponse):
            self.action = "fixed-response"
            keep_alive = self._may_keep_alive()
            self.status = action.status
            answer = answers.fixed_response(
                action,
                self._plane.date.line(),
                keep_alive=keep_alive,
                head_request=request.method == b"HEAD",
            )
            self._write(answer)
            self._finish(keep_alive=keep_alive)
        else:
            self.action = "forward"
            self._forward(action)

    def request_progress(self) -> None:
        """More of the request's body was received, or its end."""
        if self.request.refusal:
            self._drop_target()
            self._give_up(self.request.refusal)
            return
        connection = self._connection
        if connection is None:
            return
        data = self._framed_body()
        if data:
            connection.write(data)

    def client_gone(self, *, reads: bool) -> None:
        """The client closed its connection, or, when it still ``reads``, its sending half."""
        self._drop_target()
        if not self.status:
            if reads and not self.request.complete:
                self._answer(400)
                return
            self.status = 460 if self.request.complete else 400
        self._finish(keep_alive=False)

    def client_paused(self) -> None:
        """The client takes no more of the answer for now."""
        if self._connection is not None:
            self._connection.pause_reading()

    def client_resumed(self) -> None:
        """It takes more again."""
        if self._connection is not None:
            self._connection.resume_reading()

    def expire(self) -> None:
        """No byte has moved for the idle timeout."""
        self._drop_target()
        waiting_for_client = not self.request.complete and self.wants_request_bytes
        self._give_up(408 if waiting_for_client else 504)

    @property
    def unsent_to_target(self) -> int:
        """Bytes that wait for the target to take them."""
        return self._connection.unsent if self._connection is not None else 0

    # Towards the target.

    def _forward(self, action: Forward) -> None:
        plane, request = self._plane, self.request
        name = action.choose(plane.random)
        group = plane.groups[name] if name is not None else None
        host = plane.host_line(request)
        if host is None:
            self._answer(400)
            return
        self.target_group = name or ""
        target = group.choose() if group is not None else None
        if target is None:
            self._answer(503)
            return
        self.target = target
        self.trace = trace_id(request.trace_id, self.created, plane.random)
        forwarded = self._client.forwarded
        if request.forwarded_for is not None:
            forwarded = forwarded_lines(request.forwarded_for, self._client.peer, plane.port)
        head = request_head(request, forwarded, host, self.trace)
        if request.expects_continue and request.has_body and not request.http10:
            self._write(answers.CONTINUE)
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
            self._give_up(504)
        except OSError:
            self._connecting = None
            self._give_up(502)
        else:
            self._connecting = None
            self._client.touch()
            self._send_head(connection, head)
            self._client.update_reading()

    def _send_head(self, connection: TargetConnection, head: bytes) -> None:
        self._connection = connection
        self.dispatched = self._plane.clock.monotonic()
        connection.begin(self, head_request=self.request.method == b"HEAD")
        if self._client.write_paused:
            connection.pause_reading()
        body = self._framed_body()
        connection.write(head + body if body else head)

    def _framed_body(self) -> bytes:
        request = self.request
        parts = request.body
        if not request.has_body:
            return b""
        if request.transfer_encoding is None:
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

    # TargetUser: from the target's connection.

    def target_paused(self) -> None:
        """See TargetUser."""
        self._target_paused = True
        self._client.update_reading()

    def target_resumed(self) -> None:
        """See TargetUser."""
        self._target_paused = False
        self._client.touch()
        self._client.update_reading()

    def target_failed(self) -> None:
        """See TargetUser."""
        self._connection = None
        self._give_up(502)

    def response_progress(self) -> None:
        """See TargetUser."""
        connection = self._connection
        if connection is None:
            return
        self._client.touch()
        response = connection.reader.response
        if not response.head_complete:
            return
        parts = response.body
        if parts:
            response.body = []
        out = [] if self.status else [self._begin_answer(connection)]
        if parts:
            if self._chunked:
                out.append(chunk(parts, sum(map(len, parts))))
            else:
                out.extend(parts)
        if not response.complete:
            if out:
                self._write(out[0] if len(out) == 1 else b"".join(out))
            return
        if self._chunked and not self._bodyless:
            out.append(LAST_CHUNK)
        if out:
            self._write(out[0] if len(out) == 1 else b"".join(out))
        self._connection = None
        request = self.request
        if response.keep_alive and request.complete:
            connection.release()
        else:
            connection.close()
        self._finish(keep_alive=self._keep_alive and request.complete)

    # Towards the client.

    def _begin_answer(self, connection: TargetConnection) -> bytes:
        request, response = self.request, connection.reader.response
        self.answered = self._plane.clock.monotonic()
        self.status = self.target_status = status = response.status
        self._bodyless = request.method == b"HEAD" or status == 204 or status == 304
        self._sized = response.has_content_length or self._bodyless
        self._chunked = (
            not request.http10
            and status != 204
            and status != 304
            and (response.chunked or response.until_close)
        )
        self._keep_alive = (
            (self._sized or self._chunked)
            and (request.complete or not response.complete)
            and request.keep_alive
            and not self._client.last_answer
        )
        return response_head(
            response,
            None if response.has_date else self._plane.date.line(),
            keep_alive=self._keep_alive,
            chunked=self._chunked,
        )

    def _may_keep_alive(self) -> bool:
        request = self.request
        return request.complete and request.keep_alive and not self._client.last_answer

    def _give_up(self, status: int) -> None:
        """Answers with ``status``, or, when another answer has begun, breaks that off."""
        if not self.status:
            self._answer(status)
            return
        # A length or chunks show that something is missing; without them only a reset does.
        self._client.cut_off(reset=not (self._chunked or self._sized))
        self._finish(keep_alive=False)

    def _answer(self, status: int) -> None:
        self.status = status
        keep_alive = status not in (400, 408) and self._may_keep_alive()
        answer = answers.own_answer(
            status,
            self._plane.date.line(),
            keep_alive=keep_alive,
            head_request=self.request.method == b"HEAD",
        )
        self._write(answer)
        self._finish(keep_alive=keep_alive)

    def _write(self, data: bytes) -> None:
        self.sent += len(data)
        self._client.write(data)

    def _finish(self, *, keep_alive: bool) -> None:
        if self._done:
            return
        self._done = True
        self.request.body = []
        self.finished = self._plane.clock.monotonic()
        self._plane.access_log.record(self)
        self._client.exchange_done(keep_alive=keep_alive)
