"""Whatever a client sends: an answer or an end, no error, nothing left over, nothing smuggled."""

import asyncio
import logging
import re
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.gateway import Gateway, start_gateway
from gateway.http1.desync import DesyncMode, Verdict, verdict
from gateway.http1.request_reader import RequestReader
from gateway.net.timeouts import Timeouts
from tests.effort import Effort
from tests.unit.gateway.complaints import Complaints
from tests.unit.gateway.support import (
    FakeTarget,
    Visit,
    read_answer,
    routing_with,
    says,
    until_nothing_is_left,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

PIECES = [
    *(b"GET ", b"POST ", b"HEAD ", b"TRACE ", b"/ ", b"/fixed ", b"http://b/ ", b"HTTP/1.1\r\n"),
    *(b"HTTP/1.0\r\n", b"HTTP/1.2\r\n", b"HTTP/2.0\r\n", b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0"),
    *(b"Host: a\r\n", b"Host : a\r\n", b"X: y\r\n", b" folded\r\n", b": z\r\n", b"no colon\r\n"),
    *(b"Content-Length: 3\r\n", b"Content-Length: 5\r\n", b"Content-Length: +3\r\n"),
    *(b"Content_Length: 3\r\n", b"Content-Length : 40\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n"),
    *(b"Transfer_Encoding: chunked\r\n", b"transfer-encoding: identity\r\n", b"TE: trailers\r\n"),
    *(b"Connection: close\r\n", b"Connection: keep-alive, X\r\n", b"Expect: 100-continue\r\n"),
    *(b"Connection: Upgrade\r\n", b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n", b"abc", b"hello"),
    *(b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\nT: r\r\n\r\n", b"3;x=y\r\nabc\r\n", b"-1\r\n", b"ffff"),
    *(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", b"X-Forwarded-For: 9.9.9.9\r\n", b"\xff"),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]
HEADERS = [piece for piece in PIECES if piece.endswith(b"\r\n") and b":" in piece]
NEARLY_REQUESTS = st.builds(
    lambda line, headers, body: line + b"Host: a\r\n" + b"".join(headers) + b"\r\n" + body,
    st.sampled_from([b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n", b"PUT /a b HTTP/1.1\r\n"]),
    st.lists(st.sampled_from(HEADERS), max_size=3),
    st.sampled_from([b"", b"abc", b"hello", b"3\r\nabc\r\n0\r\n\r\n"]),
)
ANY = st.one_of(
    st.lists(NEARLY_REQUESTS, min_size=1, max_size=3).map(b"".join),
    st.binary(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join),
    st.lists(st.sampled_from(PIECES), max_size=14).map(
        lambda pieces: b"POST / HTTP/1.1\r\nHost: a\r\n" + b"".join(pieces)
    ),
)


async def begin(mode: DesyncMode) -> tuple[Gateway, FakeTarget]:
    target = FakeTarget(says(OK))
    await target.start()
    gateway = await start_gateway(
        routing_with(desync_mode=mode, forwarded_for_port=True),
        {"Web": [target.url]},
        port=0,
        timeouts=Timeouts(idle=0.05, head=0.1, linger=0.05, tick=0.01),
        random=Random(1),
    )
    await gateway.first_checks()
    return gateway, target


async def send(gateway: Gateway, data: bytes, cut: int, *, acquainted: bool) -> int:
    """Sends ``data`` in two pieces, after a request that is answered when the two are to be
    ``acquainted``, and waits until nothing of it is left anywhere. The client's port, by which the
    target's visits tell whose they are: one may arrive when its client has long gone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    port: int = writer.get_extra_info("sockname")[1]
    try:
        async with asyncio.timeout(30):
            if acquainted:
                writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await read_answer(reader)
            writer.write(data[:cut])
            await asyncio.sleep(0)
            writer.write(data[cut:])
            await reader.read()
    except (ConnectionError, asyncio.IncompleteReadError):
        # On a busy machine the idle timeout may come before the first request.
        pass
    writer.transport.abort()
    await until_nothing_is_left(gateway)
    return port


def sender(visit: Visit) -> int:
    """The port of the client whose request this is: only the gateway writes the line that says so,
    and always as the second one."""
    lines = visit.head.split(b"\r\n")
    line = re.fullmatch(rb"X-Forwarded-For: (?:.*, )?127\.0\.0\.1:([0-9]+)", lines[1])
    assert line, visit.head
    assert lines[2] == b"X-Forwarded-Proto: http", visit.head
    return int(line[1])


def allowed(mode: DesyncMode, data: bytes) -> int:
    """How many requests may reach a target: none from the first forbidden one on."""
    reader = RequestReader(DesyncMode.MONITOR)
    reader.feed(data)
    count = 0
    while reader.requests:
        request = reader.requests.popleft()
        if request.websocket:
            # The target answers with 200, so what follows is HTTP.
            reader.resume()
        if request.finding is not None:
            decided = verdict(mode, request.finding.tier)
            if decided is not Verdict.ALLOW:
                return count + (decided is Verdict.ALLOW_AND_CLOSE)
        count += 1
    return count


@pytest.mark.prove
@pytest.mark.parametrize("mode", DesyncMode)
@pytest.mark.timeout(3_600)
def test_any_bytes_are_answered_or_disconnected_and_leak_nothing(
    mode: DesyncMode, effort: Effort
) -> None:
    complaints = Complaints()
    logging.getLogger("asyncio").addHandler(complaints)
    try:
        with asyncio.Runner() as runner:
            gateway, target = runner.run(begin(mode))
            may_arrive: Counter[int] = Counter()

            @given(ANY, st.integers(0, 60), st.booleans())
            @example(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
                9,
                False,
            )
            @example(
                b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\nGET /smuggled ", 0, True
            )
            @example(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"
                b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
                9,
                True,
            )
            @example(
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                0,
                False,
            )
            @settings(
                max_examples=effort.clients,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            )
            def anything(data: bytes, cut: int, acquainted: bool) -> None:
                port = runner.run(send(gateway, data, cut, acquainted=acquainted))
                # The system may use a port again.
                may_arrive[port] += acquainted + allowed(mode, data)
                visits, target.visits = target.visits, []
                for visit in visits:
                    may_arrive[sender(visit)] -= 1
                assert min(may_arrive.values()) >= 0, visits
                assert not complaints.lines

            try:
                anything()
            finally:
                runner.run(gateway.close())
                runner.run(target.close())
    finally:
        logging.getLogger("asyncio").removeHandler(complaints)
