"""Whatever an HTTP/2 client sends, and however it leaves: no error, and nothing left over.

`GATEWAY_EXAMPLES` says how many clients are tried in each event loop (default 150).
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from random import Random

import pytest
import uvloop
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.gateway import Gateway, start_gateway
from gateway.routing import read_routing
from gateway.timeouts import Timeouts
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.support import OK, FakeTarget, Visit
from tests.unit.gateway.test_any_bytes import EXAMPLES, Complaints
from tests.unit.gateway.test_tls import ARN, SECURE

LARGER_THAN_A_WINDOW = 200_000

REQUESTS = st.lists(
    st.tuples(st.sampled_from(["/small", "/large", "/slow", "/broken"]), st.booleans()),
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


async def script(visit: Visit) -> None:
    path = visit.request_line.split(b" ")[1]
    if path == b"/broken":
        visit.abort()
        return
    await visit.body()
    if path == b"/slow":
        await asyncio.sleep(0.01)
    if path == b"/large":
        length = b"Content-Length: %d" % LARGER_THAN_A_WINDOW
        visit.send(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + b"x" * LARGER_THAN_A_WINDOW)
    else:
        visit.send(OK)


def asked(requests: list[tuple[str, bool]]) -> bytes:
    """What a client sends for these paths, each with a body or without."""
    client = H2Connection(H2Configuration())
    client.initiate_connection()
    for index, (path, body) in enumerate(requests):
        number = 2 * index + 1
        client.send_headers(
            number,
            [
                (":method", "POST" if body else "GET"),
                (":path", path),
                (":scheme", "https"),
                (":authority", NAME),
            ],
            end_stream=not body,
        )
        if body:
            client.send_data(number, b"abc", end_stream=index % 2 == 0)
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


async def begin(certificate: SelfSigned) -> tuple[Gateway, FakeTarget]:
    target = FakeTarget(script)
    await target.start()
    gateway = await start_gateway(
        read_routing(SECURE, {}, "t.yml"),
        {"Web": [target.url]},
        port=0,
        certificates={ARN: certificate.files},
        timeouts=Timeouts(idle=0.05, tick=0.01),
        random=Random(1),
    )
    await gateway.first_checks()
    return gateway, target


async def visit(gateway: Gateway, context: ssl.SSLContext, data: bytes, *, stays: bool) -> None:
    """Sends it, leaves at once or when the gateway ends it, and waits until nothing is left."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.ports["Secure"], ssl=context, server_hostname=NAME
    )
    writer.write(data)
    try:
        async with asyncio.timeout(5):
            while await reader.read(65_536) and stays:
                pass
    except (ConnectionError, ssl.SSLError):
        pass
    writer.transport.abort()
    targets = [target for group in gateway.groups.values() for target in group.registered]
    async with asyncio.timeout(5):
        while gateway.open_clients or any(  # noqa: ASYNC110 - nothing says when
            target.outstanding or len(target.connections) > len(target.idle) for target in targets
        ):
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.timeout(600)
def test_however_damaged_it_is_nothing_is_left_of_it(
    certificate: SelfSigned, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    complaints = Complaints()
    logging.getLogger("asyncio").addHandler(complaints)
    context = certificate.client("h2")
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            gateway, target = runner.run(begin(certificate))

            @given(REQUESTS, DAMAGES, st.booleans())
            @settings(
                max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
            )
            def anything(
                requests: list[tuple[str, bool]],
                damages: list[tuple[str, int, bytes]],
                stays: bool,
            ) -> None:
                data = damaged(asked(requests), damages)
                runner.run(visit(gateway, context, data, stays=stays))
                assert not complaints.lines

            try:
                anything()
            finally:
                runner.run(gateway.close())
                runner.run(target.close())
    finally:
        logging.getLogger("asyncio").removeHandler(complaints)
