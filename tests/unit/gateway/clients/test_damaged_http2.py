"""Whatever an HTTP/2 client sends, and however it disconnects, there is no error, nothing leaks,
and no bytes become another client's request."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pytest
import uvloop
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.gateway import Gateway, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.template.reader import read_routing
from tests.effort import Effort
from tests.unit.gateway.browser import WITH_FIXED, Protocol
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.complaints import Complaints
from tests.unit.gateway.https import ARN
from tests.unit.gateway.support import (
    OK,
    FakeTarget,
    Script,
    Visit,
    read_answer,
    until_nothing_is_left,
)

LARGER_THAN_A_WINDOW = 200_000

PATHS = ["/small", "/large", "/slow", "/broken", "/early", "/fixed"]


@dataclass(frozen=True)
class FakeRequest:
    """A request: the body that it sends, and the length that it announces."""

    path: str
    method: str
    length: int | None
    """The value of its content-length, or None."""
    pieces: int
    """Frames of three bytes each."""
    end: str


REQUESTS = st.lists(
    st.builds(
        FakeRequest,
        st.sampled_from(PATHS),
        st.sampled_from(["GET", "POST", "HEAD"]),
        st.sampled_from([None, 0, 3, 6, 40]),
        st.integers(0, 2),
        st.sampled_from(["with the last", "trailers", "reset", "none"]),
    ),
    min_size=1,
    max_size=4,
)
DAMAGES = st.lists(
    st.tuples(
        st.sampled_from(["change", "remove", "insert", "repeat"]),
        st.integers(0, 2**16),
        st.binary(min_size=1, max_size=9),
    ),
    max_size=4,
)


def script_that_notes(stolen: list[bytes]) -> Script:
    """A target that records bodies with another request in them in ``stolen``."""

    async def script(visit: Visit) -> None:
        path = visit.request_line.split(b" ")[1]
        if path == b"/broken":
            visit.abort()
            return
        if path == b"/early":
            # Like many servers, it sends the answer first, and then reads the rest of the body.
            visit.send(OK)
        body = await visit.body()
        if b"HTTP/1.1" in body:
            stolen.append(body)
        if path == b"/slow":
            await asyncio.sleep(0.01)
        if path == b"/large":
            length = b"Content-Length: %d" % LARGER_THAN_A_WINDOW
            visit.send(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + b"x" * LARGER_THAN_A_WINDOW)
        elif path != b"/early":
            visit.send(OK)

    return script


def sent(requests: list[FakeRequest]) -> bytes:
    """The frames that a client sends for these requests."""
    client = Protocol()
    client.initiate_connection()
    for index, request in enumerate(requests):
        number = 2 * index + 1
        only_head = request.end == "with the last" and not request.pieces
        fields = [
            (":method", request.method),
            (":path", request.path),
            (":scheme", "https"),
            (":authority", NAME),
        ]
        if request.length is not None:
            fields.append(("content-length", str(request.length)))
        client.send_headers(number, fields, end_stream=only_head)
        for left in reversed(range(request.pieces)):
            last = request.end == "with the last" and not left
            client.send_data(number, b"abc", end_stream=last)
        if request.end == "trailers":
            client.send_headers(number, [("x-trailer", "1")], end_stream=True)
        elif request.end == "reset":
            client.reset_stream(number)
    return client.data_to_send()


def damaged(data: bytes, damages: list[tuple[str, int, bytes]]) -> bytes:
    spoiled = bytearray(data)
    for kind, place, other in damages:
        at = place % max(len(spoiled), 1)
        if kind == "change":
            spoiled[at : at + 1] = other[:1]
        elif kind == "remove":
            del spoiled[at : at + len(other)]
        elif kind == "insert":
            spoiled[at:at] = other
        else:
            spoiled += spoiled[at : at + 40]
    return bytes(spoiled)


async def begin(certificate: SelfSigned, stolen: list[bytes]) -> tuple[Gateway, FakeTarget]:
    target = FakeTarget(script_that_notes(stolen))
    await target.start()
    gateway = await start_gateway(
        read_routing(WITH_FIXED, {}, "t.yml"),
        {"Web": [target.url]},
        port=0,
        certificates={ARN: certificate.files},
        timeouts=Timeouts(idle=0.05, tick=0.01),
        random=Random(1),
    )
    await gateway.first_checks()
    return gateway, target


async def visit(gateway: Gateway, context: ssl.SSLContext, data: bytes, *, stays: bool) -> None:
    """Sends the frames, disconnects at once or when the gateway does, and waits until nothing is
    left."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.ports["Secure"], ssl=context, server_hostname=NAME
    )
    writer.write(data)
    try:
        async with asyncio.timeout(20):
            while await reader.read(65_536) and stays:
                pass
    except (ConnectionError, ssl.SSLError):
        pass
    writer.transport.abort()
    await until_nothing_is_left(gateway)


async def another(gateway: Gateway, context: ssl.SSLContext) -> None:
    """The next client, whose request uses the remaining connections to the target."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.ports["Secure"], ssl=context, server_hostname=NAME
    )
    writer.write(b"GET /small HTTP/1.1\r\nHost: " + b"a" * 40 + b"\r\n\r\n")
    await read_answer(reader)
    writer.transport.abort()


@pytest.mark.prove
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.timeout(3_600)
def test_damaged_http_2_connection_leaks_nothing(
    certificate: SelfSigned, new_loop: Callable[[], asyncio.AbstractEventLoop], effort: Effort
) -> None:
    complaints = Complaints()
    stolen: list[bytes] = []
    logging.getLogger("asyncio").addHandler(complaints)
    context, plain = certificate.client("h2"), certificate.client("http/1.1")
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            gateway, target = runner.run(begin(certificate, stolen))

            @given(REQUESTS, DAMAGES, st.booleans())
            @example([FakeRequest("/early", "POST", 40, 0, "with the last")], [], True)
            @example([FakeRequest("/early", "POST", 40, 1, "trailers")], [], True)
            @settings(
                max_examples=effort.clients,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            )
            def anything(
                requests: list[FakeRequest],
                damages: list[tuple[str, int, bytes]],
                stays: bool,
            ) -> None:
                data = damaged(sent(requests), damages)
                runner.run(visit(gateway, context, data, stays=stays))
                runner.run(another(gateway, plain))
                assert not stolen
                assert not complaints.lines

            try:
                anything()
            finally:
                runner.run(gateway.close())
                runner.run(target.close())
    finally:
        logging.getLogger("asyncio").removeHandler(complaints)
