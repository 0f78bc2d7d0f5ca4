"""HTTP/2 clients for tests, and a gateway for them."""

import asyncio
import socket
from dataclasses import dataclass, field
from random import Random

import h2.connection
import h2.events
from h2.config import H2Configuration
from hyperframe.frame import Frame, GoAwayFrame

from gateway.gateway import Gateway, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.template.reader import read_routing
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.https import ARN, SECURE
from tests.unit.gateway.support import Bench, Lines, until

WITH_FIXED = f"""{SECURE}\
  SecureFixedRule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Secure
      Priority: 7
      Conditions:
        - {{Field: path-pattern, Values: [/fixed]}}
      Actions:
        - Type: fixed-response
          FixedResponseConfig: {{StatusCode: '200', ContentType: text/plain, MessageBody: fixed}}
"""
"""The TLS tests' template, with a fixed response as well."""


class Protocol(h2.connection.H2Connection):
    """A protocol state that may send invalid frames, and continues after GOAWAY as browsers do."""

    def __init__(self) -> None:
        super().__init__(
            H2Configuration(
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )

    def _receive_goaway_frame(
        self, frame: GoAwayFrame
    ) -> tuple[list[Frame], list[h2.events.Event]]:
        event = h2.events.ConnectionTerminated()
        event.error_code = frame.error_code
        event.last_stream_id = frame.last_stream_id
        return [], [event]


@dataclass
class Reply:
    """The response on one stream."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    informational: list[bytes] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(dict(self.headers)[b":status"])


class Browser:
    """An HTTP/2 client that tests control step by step.

    If ``reads`` is false, it never opens a window again; while ``reading`` is not set, it reads
    nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.h2 = Protocol()
        self.replies: dict[int, Reply] = {}
        self.order: list[int] = []
        """The streams of received body pieces, in order."""
        self.terminated: int | None = None
        self.last_stream: int | None = None
        self.closed = False
        self.received = 0
        """Bytes of frames."""
        self.reads = True
        self.reading = asyncio.Event()
        self.reading.set()
        self.h2.initiate_connection()
        self.flush()
        self._task = asyncio.create_task(self._read())

    def flush(self) -> None:
        self._writer.write(self.h2.data_to_send())

    @property
    def unsent(self) -> int:
        """Bytes that are still unsent."""
        return self._writer.transport.get_write_buffer_size()

    @property
    def ending(self) -> bool:
        return self._writer.transport.is_closing()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def ask(
        self,
        path: str = "/",
        *fields: tuple[str, str],
        method: str = "GET",
        end: bool = True,
        flush: bool = True,
    ) -> int:
        number = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":path", path), (":scheme", "https"), (":authority", NAME)]
        self.replies[number] = Reply()
        self.h2.send_headers(number, [*pseudo, *fields], end_stream=end)
        if flush:
            self.flush()
        return number

    async def reply(self, number: int) -> Reply:
        await until(lambda: self.replies[number].ended or self.replies[number].reset is not None)
        return self.replies[number]

    async def send_body(self, number: int, data: bytes) -> None:
        for start in range(0, len(data), 16_000):
            piece = data[start : start + 16_000]
            await until(
                lambda piece=piece: self.h2.local_flow_control_window(number) >= len(piece)  # type: ignore[misc]  # a default argument
            )
            self.h2.send_data(number, piece)
            self.flush()
        self.h2.end_stream(number)
        self.flush()

    def close(self) -> None:
        self._task.cancel()
        self._writer.transport.abort()

    async def _read(self) -> None:
        try:
            await self.reading.wait()
            while data := await self._reader.read(65_536):
                self.received += len(data)
                for event in self.h2.receive_data(data):
                    self._take(event)
                self.flush()
                await self.reading.wait()
        except ConnectionError:
            pass
        self.closed = True

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            self.replies[event.stream_id or 0].headers = list(event.headers or [])
        elif isinstance(event, h2.events.InformationalResponseReceived):
            self.replies[event.stream_id or 0].informational.append(dict(event.headers)[b":status"])
        elif isinstance(event, h2.events.DataReceived):
            self.order.append(event.stream_id or 0)
            self.replies[event.stream_id or 0].body += event.data or b""
            if self.reads and event.flow_controlled_length:
                self.h2.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id or 0
                )
        elif isinstance(event, h2.events.StreamEnded):
            self.replies[event.stream_id or 0].ended = True
        elif isinstance(event, h2.events.StreamReset):
            self.replies[event.stream_id or 0].reset = int(event.error_code or 0)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.terminated = int(event.error_code or 0)
            self.last_stream = event.last_stream_id


class Front:
    """A gateway with an HTTPS listener, and its clients."""

    def __init__(self, bench: Bench, certificate: SelfSigned) -> None:
        self.bench = bench
        self.lines = Lines()
        self.log = AccessLog(AlbFormat("Balancer"), self.lines)
        self._certificate = certificate
        self._browsers: list[Browser] = []
        self.gateway: Gateway | None = None

    async def start(self, timeouts: Timeouts | None = None, text: str = WITH_FIXED) -> None:
        target = self.bench.targets[0] if self.bench.targets else await self.bench.target()
        self.gateway = await start_gateway(
            read_routing(text, {}, "t.yml"),
            {"Web": [target.url]},
            port=0,
            certificates={ARN: self._certificate.files},
            timeouts=timeouts or Timeouts(tick=0.02),
            random=Random(1),
            access_log=self.log,
        )
        self.bench.keep(self.gateway)
        await self.gateway.first_checks()

    async def browser(self, *, little_between: bool = False) -> Browser:
        """Connects a client; with ``little_between``, the sockets' buffers are small."""
        if self.gateway is None:
            await self.start()
        assert self.gateway is not None
        connection = socket.socket(proto=socket.IPPROTO_TCP)
        if little_between:
            listening = [end for acceptor in self.gateway.acceptors for end in acceptor.sockets]
            for end in [connection, *listening]:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        connection.setblocking(False)
        address = ("127.0.0.1", self.gateway.ports["Secure"])
        await asyncio.get_running_loop().sock_connect(connection, address)
        reader, writer = await asyncio.open_connection(
            sock=connection,
            ssl=self._certificate.client("h2", "http/1.1"),
            server_hostname=NAME,
        )
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        browser = Browser(reader, writer)
        self._browsers.append(browser)
        return browser

    def close(self) -> None:
        for browser in self._browsers:
            browser.close()
