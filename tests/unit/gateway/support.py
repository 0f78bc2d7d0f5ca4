"""Fake targets that a test controls exactly, and a client that sees raw bytes."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from random import Random

from gateway.gateway import Gateway, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.observe.access_log import AccessLog, short_line
from gateway.routing.settings import Routing
from gateway.template.reader import read_routing
from tests.eventually import eventually

DEADLINE = 5.0
"""Seconds after which waiting fails a test."""

TEMPLATE = """\
Resources:
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
  Web:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      Protocol: HTTP
      HealthCheckPath: /health
      UnhealthyThresholdCount: 2
      HealthyThresholdCount: 2
  Front:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: HTTP
      Port: 8080
      DefaultActions:
        - {Type: forward, TargetGroupArn: !Ref Web}
  FixedRule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Front
      Priority: 7
      Conditions:
        - {Field: path-pattern, Values: [/fixed]}
      Actions:
        - Type: fixed-response
          FixedResponseConfig: {StatusCode: '200', ContentType: text/plain, MessageBody: fixed}
"""


def routing(
    *, interval: float = 0.05, check_timeout: float = 0.5, deregistration_delay: float = 1
) -> Routing:
    """The template above, with faster health checks than a template allows."""
    read = read_routing(TEMPLATE, {}, "test.yml")
    settings = read.target_groups["Web"]
    faster = dataclasses.replace(
        settings,
        deregistration_delay=deregistration_delay,
        health_check=dataclasses.replace(
            settings.health_check, interval=interval, timeout=check_timeout
        ),
    )
    return dataclasses.replace(read, target_groups={"Web": faster})


def routing_with(**load_balancer: object) -> Routing:
    """``routing()`` with other load balancer attributes, by their names in the settings."""
    made = routing()
    return dataclasses.replace(
        made,
        load_balancer=dataclasses.replace(made.load_balancer, **load_balancer),  # type: ignore[arg-type]  # names are given by the test
    )


class Lines:
    """A log sink that records the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, data: bytes) -> None:
        self.lines += data.decode().splitlines()


@dataclasses.dataclass
class Visit:
    """A request that arrived at a fake target."""

    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def request_line(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        lines = self.head.split(b"\r\n")[1:-2]
        return [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]

    def header(self, name: bytes) -> bytes | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name!r} came {len(values)} times"
        return values[0] if values else None

    async def body(self) -> bytes:
        if self.header(b"Transfer-Encoding"):
            return await read_chunks(self.reader)
        return await self.reader.readexactly(int(self.header(b"Content-Length") or 0))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        self.writer.transport.abort()


Script = Callable[[Visit], Awaitable[None]]


def says(answer: bytes) -> Script:
    """A target that reads the request and sends these bytes."""

    async def script(visit: Visit) -> None:
        await visit.body()
        visit.send(answer)

    return script


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


_ok: Script = says(OK)


class FakeTarget:
    """Answers health checks with ``health``, and runs ``script`` for every other request."""

    def __init__(self, script: Script, host: str = "127.0.0.1") -> None:
        self.script = script
        self.host = host
        self.health = 200
        self.health_delay = 0.0
        self.health_requests: list[bytes] = []
        self.visits: list[Visit] = []
        self.connections = 0
        self.requests = 0
        self.open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connected, self.host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in tuple(self.open):
            writer.transport.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open.add(writer)
        counted = False
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                if b"\r\nUser-Agent: ELB-HealthChecker/2.0\r\n" in head:
                    self.health_requests.append(head)
                    health = self.health
                    await asyncio.sleep(self.health_delay)
                    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % health)
                    writer.close()
                    return
                if not counted:
                    counted = True
                    self.connections += 1
                self.requests += 1
                visit = Visit(head, reader, writer)
                self.visits.append(visit)
                await self.script(visit)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            self._tasks.discard(task)
            if not writer.is_closing():
                writer.close()


@dataclasses.dataclass
class Response:
    """A response as a client reads it."""

    status_line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    complete: bool

    @property
    def status(self) -> int:
        return int(self.status_line.split(b" ")[1])

    def header(self, name: bytes) -> bytes | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name!r} came {len(values)} times"
        return values[0] if values else None


class Client:
    """A connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, *, head: bool = False) -> Response:
        async with asyncio.timeout(DEADLINE):
            return await read_answer(self.reader, head=head)

    async def get(self, path: str = "/") -> Response:
        self.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        return await self.answer()

    async def closed(self) -> bytes:
        """The bytes until the gateway closes the connection."""
        async with asyncio.timeout(DEADLINE):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    def close(self) -> None:
        self.writer.transport.abort()


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        assert await reader.readexactly(2) == b"\r\n"
    assert await reader.readexactly(2) == b"\r\n"
    return body


async def read_answer(reader: asyncio.StreamReader, *, head: bool = False) -> Response:
    lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines[1:])]
    answer = Response(lines[0], headers, b"", True)
    if head or answer.status < 200 or answer.status in (204, 304):
        return answer
    length = answer.header(b"Content-Length")
    try:
        if answer.header(b"Transfer-Encoding") == b"chunked":
            answer.body = await read_chunks(reader)
        elif length is None:
            answer.body = await reader.read()
        else:
            answer.body = await reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        answer.complete = False
    return answer


class Bench:
    """A gateway in front of fake targets, all of it closed at the end of the test."""

    def __init__(self) -> None:
        self.log = Lines()
        self._gateways: list[Gateway] = []
        self.targets: list[FakeTarget] = []
        self._clients: list[Client] = []
        self._logs: list[AccessLog] = []

    async def target(self, script: Script = _ok, host: str = "127.0.0.1") -> FakeTarget:
        target = FakeTarget(script, host)
        await target.start()
        self.targets.append(target)
        return target

    async def gateway(
        self,
        *targets: FakeTarget,
        timeouts: Timeouts | None = None,
        with_routing: Routing | None = None,
        bind: str = "127.0.0.1",
    ) -> Gateway:
        log = AccessLog(short_line, self.log)
        gateway = await start_gateway(
            with_routing or routing(),
            {"Web": [target.url for target in targets]},
            port=0,
            bind=bind,
            access_log=log,
            timeouts=timeouts or Timeouts(tick=0.02),
            random=Random(1),
        )
        self._gateways.append(gateway)
        self._logs.append(log)
        await gateway.first_checks()
        return gateway

    async def client(self, gateway: Gateway, host: str = "127.0.0.1") -> Client:
        reader, writer = await asyncio.open_connection(host, gateway.port)
        client = Client(reader, writer)
        self._clients.append(client)
        return client

    def keep(self, gateway: Gateway) -> None:
        """Closes a gateway that the test started itself."""
        self._gateways.append(gateway)

    def keep_client(self, client: Client) -> None:
        """Closes a client that the test connected itself."""
        self._clients.append(client)

    async def logged(self, count: int = 1) -> list[str]:
        """The access log, once it has ``count`` lines."""

        def enough() -> bool:
            for log in self._logs:
                log.flush()
            return len(self.log.lines) >= count

        await until(enough)
        return self.log.lines

    async def close(self) -> None:
        for client in self._clients:
            client.close()
        for gateway in self._gateways:
            await gateway.close()
        for target in self.targets:
            await target.close()


@asynccontextmanager
async def bench_of_one_test() -> AsyncIterator[Bench]:
    bench = Bench()
    try:
        yield bench
    finally:
        await bench.close()


@contextmanager
def full_backlog(port: int) -> Iterator[None]:
    """A port that listens but accepts no connections."""
    with socket.socket() as deaf, ExitStack() as fillers:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deaf.bind(("127.0.0.1", port))
        deaf.listen(0)
        for _ in range(2):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield


async def until(holds: Callable[[], object], what: str = "it", *, within: float = DEADLINE) -> None:
    """`eventually` for a synchronous condition."""

    async def condition() -> bool:
        return bool(holds())

    await eventually(condition, within, what)


async def until_nothing_is_left(gateway: Gateway) -> None:
    """Waits until no client is connected and no target has a request."""
    await until(
        lambda: (
            not gateway.open_clients
            and not any(
                target.outstanding or len(target.connections) > len(target.idle)
                for group in gateway.groups.values()
                for target in group.registered
            )
        )
    )


async def until_it_stands_still(count: Callable[[], int]) -> None:
    """Waits until `count` has not changed for 0.2 s."""
    before, since = -1, 0.0
    loop = asyncio.get_running_loop()

    def unchanged() -> bool:
        nonlocal before, since
        now = count()
        if now != before:
            before, since = now, loop.time()
        return loop.time() - since >= 0.2

    await until(unchanged, within=10)
