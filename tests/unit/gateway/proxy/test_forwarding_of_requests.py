"""What targets receive of requests, and clients of responses, over real sockets."""

import asyncio
import re
from functools import partial

import pytest

from gateway.template.reader import read_routing
from tests.unit.gateway.support import OK, TEMPLATE, Bench, Visit, read_answer, says, until


async def test_request_is_forwarded_to_a_healthy_target_and_answered(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    answer = await client.get("/some/path?q=1")
    assert (answer.status, answer.body) == (200, b"ok")
    assert target.visits[0].request_line == b"GET /some/path?q=1 HTTP/1.1"


async def test_both_connections_are_used_again(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    for _ in range(5):
        assert (await client.get()).body == b"ok"
    assert target.connections == 1


async def test_the_connection_that_was_used_last_is_used_first(bench: Bench) -> None:
    gates = [asyncio.Event() for _ in range(2)]

    async def script(visit: Visit) -> None:
        number = int(visit.request_line[5:6])
        if number < 2:
            await gates[number].wait()
        visit.send(OK)

    target = await bench.target(script)

    def arrived(number: int) -> bool:
        return len(target.visits) > number

    gateway = await bench.gateway(target)
    clients = [await bench.client(gateway) for _ in range(2)]
    for number, client in enumerate(clients):
        client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        await until(partial(arrived, number))
    for number in (1, 0):
        gates[number].set()
        await clients[number].answer()
    for _ in range(3):
        await clients[1].get("/2")
    last_used = target.visits[0].writer
    assert [visit.writer for visit in target.visits[2:]] == [last_used] * 3


async def test_forwarded_headers_name_the_client_protocol_and_port(bench: Bench) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target)
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: Example.COM:99\r\nX-Forwarded-Proto: https\r\n\r\n")
    await client.answer()
    visit = target.visits[0]
    assert visit.header(b"X-Forwarded-For") == b"127.0.0.1"
    assert visit.header(b"X-Forwarded-Proto") == b"http"
    assert visit.header(b"X-Forwarded-Port") == b"%d" % gateway.port
    assert visit.header(b"Host") == b"example.com:%d" % gateway.port
    trace = visit.header(b"X-Amzn-Trace-Id")
    assert trace
    assert re.fullmatch(rb"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace)


@pytest.mark.parametrize(
    ("port", "expression"), [(8080, "^example\\.com:8080$"), (80, "^example\\.com$")]
)
async def test_a_regular_expression_sees_the_listeners_port_as_the_template_has_it(
    bench: Bench, port: int, expression: str
) -> None:
    template = TEMPLATE.replace("Port: 8080", f"Port: {port}").replace(
        "{Field: path-pattern, Values: [/fixed]}",
        f"{{Field: host-header, HostHeaderConfig: {{RegexValues: ['{expression}']}}}}",
    )
    gateway = await bench.gateway(with_routing=read_routing(template, {}, "t.yml"))
    client = await bench.client(gateway)
    for wrote, status in ((gateway.port, 200), (gateway.port + 1, 503)):
        client.send(b"GET / HTTP/1.1\r\nHost: Example.com:%d\r\n\r\n" % wrote)
        assert (await client.answer()).status == status


async def test_header_order_case_and_repetitions_are_kept_both_ways(bench: Bench) -> None:
    target = await bench.target(
        says(
            b"HTTP/1.1 200 Fine\r\nX-B: 1\r\nSet-Cookie: a=1\r\nx-a: 2\r\nSet-Cookie: b=2\r\n"
            b"Content-Length: 0\r\n\r\n"
        )
    )
    client = await bench.client(await bench.gateway(target))
    client.send(b"GET / HTTP/1.1\r\nzZ: 1\r\nHost: a\r\nAccept: x\r\nAccept: y\r\naA: 2\r\n\r\n")
    answer = await client.answer()
    assert answer.status_line == b"HTTP/1.1 200 Fine"
    assert [header for header in answer.headers if header[0] != b"Date"] == [
        (b"X-B", b"1"),
        (b"Set-Cookie", b"a=1"),
        (b"x-a", b"2"),
        (b"Set-Cookie", b"b=2"),
        (b"Content-Length", b"0"),
        (b"Connection", b"keep-alive"),
    ]
    kept = [(name, value) for name, value in target.visits[0].headers if len(value) == 1]
    assert kept == [(b"zZ", b"1"), (b"Accept", b"x"), (b"Accept", b"y"), (b"aA", b"2")]


async def test_hop_by_hop_headers_and_those_named_by_connection_are_removed(bench: Bench) -> None:
    target = await bench.target(
        says(
            b"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
            b"Upgrade: h2c\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n"
        )
    )
    client = await bench.client(await bench.gateway(target))
    client.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Mine: 1\r\nConnection: keep-alive, X-Mine, Host\r\n"
        b"Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: x\r\nProxy-Connection: close\r\nX-E: 1\r\n\r\n"
    )
    answer = await client.answer()
    assert {name for name, _ in answer.headers} == {
        b"X-End",
        b"Content-Length",
        b"Date",
        b"Connection",
    }
    assert [name for name, _ in target.visits[0].headers] == [
        b"X-Forwarded-For",
        b"X-Forwarded-Proto",
        b"X-Forwarded-Port",
        b"Host",
        b"X-Amzn-Trace-Id",
        b"X-E",
    ]


@pytest.mark.parametrize("framing", ["sized", "chunked"])
async def test_bodies_arrive_complete_in_their_original_framing(bench: Bench, framing: str) -> None:
    bodies: list[bytes] = []

    async def echo(visit: Visit) -> None:
        body = await visit.body()
        bodies.append(body)
        if framing == "chunked":
            visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            visit.send(b"%x;ext=1\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(body), body))
        else:
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    target = await bench.target(echo)
    client = await bench.client(await bench.gateway(target))
    body = bytes(range(256)) * 2000
    for _ in range(3):
        if framing == "chunked":
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(body), 100_000):
                piece = body[start : start + 100_000]
                client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            client.send(b"0\r\n\r\n")
        else:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.send(body)
        answer = await client.answer()
        assert answer.body == body
    assert bodies == [body] * 3
    expected = (b"Transfer-Encoding", b"chunked") if framing == "chunked" else None
    assert expected is None or expected in target.visits[0].headers
    assert target.connections == 1


async def test_an_empty_chunked_body_is_still_a_body(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert (await client.answer()).status == 200
    assert target.visits[0].header(b"Transfer-Encoding") == b"chunked"


@pytest.mark.parametrize(("path", "status"), [("/fixed", 200), ("/nobody", 503)])
async def test_expect_100_is_answered_for_every_rule(bench: Bench, path: str, status: int) -> None:
    client = await bench.client(await bench.gateway())
    client.send(
        b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        % path.encode()
    )
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"ok")
    assert (await client.answer()).status == status


async def test_expect_100_is_answered_by_the_gateway(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert (await client.answer()).status_line == b"HTTP/1.1 100 Continue"
    client.send(b"hi")
    assert (await client.answer()).status == 200
    assert target.visits[0].header(b"Expect") is None


async def test_pipelined_requests_are_answered_in_order_one_at_a_time(bench: Bench) -> None:
    in_flight = 0

    async def script(visit: Visit) -> None:
        nonlocal in_flight
        in_flight += 1
        assert in_flight == 1
        body = await visit.body()
        await asyncio.sleep(0.01 if visit.request_line.startswith(b"GET /0") else 0)
        in_flight -= 1
        said = visit.request_line[5:6] + body
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))

    target = await bench.target(script)
    client = await bench.client(await bench.gateway(target))
    client.send(
        b"GET /0 HTTP/1.1\r\nHost: a\r\n\r\n"
        b"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n"
        b"PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
        b"GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /5 HTTP/1.1\r\n\r\n"
    )
    assert [(await client.answer()).body for _ in range(5)] == [
        b"0",
        b"1abc",
        b"fixed",
        b"3de",
        b"4",
    ]
    assert await client.closed() == b""
    assert len(target.visits) == 4


async def test_ten_thousand_pipelined_requests_are_all_answered(bench: Bench) -> None:
    client = await bench.client(await bench.gateway(await bench.target()))
    client.send(b"GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n" * 10_000)
    for _ in range(10_000):
        assert (await read_answer(client.reader)).body == b"fixed"


async def test_an_http_1_0_client_gets_a_body_that_ends_with_the_connection(bench: Bench) -> None:
    target = await bench.target(
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    )
    gateway = await bench.gateway(target)
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer = await client.answer()
    assert answer.header(b"Transfer-Encoding") is None
    assert answer.header(b"Connection") == b"close"
    assert answer.body == b"abc"
    assert target.visits[0].request_line == b"GET / HTTP/1.1"
    assert target.visits[0].header(b"Host") == b"localhost:%d" % gateway.port


async def test_an_http_1_0_client_may_keep_its_connection(bench: Bench) -> None:
    client = await bench.client(await bench.gateway(await bench.target()))
    for _ in range(2):
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await client.answer()).header(b"Connection") == b"keep-alive"


async def test_a_response_without_length_is_chunked_for_http_1_1(bench: Bench) -> None:
    async def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        await visit.writer.drain()
        visit.close()

    target = await bench.target(script)
    client = await bench.client(await bench.gateway(target))
    for _ in range(2):
        answer = await client.get()
        assert answer.header(b"Transfer-Encoding") == b"chunked"
        assert (answer.body, answer.complete) == (b"until the end", True)
    assert target.connections == 2


async def test_a_response_to_head_has_a_length_and_no_body(bench: Bench) -> None:
    target = await bench.target(says(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"))
    client = await bench.client(await bench.gateway(target))
    for _ in range(3):
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await client.answer(head=True)
        assert answer.header(b"Content-Length") == b"1234"
    target.script = says(OK)
    assert (await client.get()).body == b"ok"
    assert target.connections == 1


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_a_status_without_body_leaves_both_connections_usable(
    bench: Bench, status: bytes
) -> None:
    target = await bench.target(says(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n"))
    client = await bench.client(await bench.gateway(target))
    for _ in range(2):
        answer = await client.get()
        assert answer.status_line == b"HTTP/1.1 " + status
        assert answer.header(b"Transfer-Encoding") is None
    assert target.connections == 1


async def test_informational_responses_are_skipped(bench: Bench) -> None:
    target = await bench.target(
        says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
    )
    client = await bench.client(await bench.gateway(target))
    answer = await client.get()
    assert (answer.status, answer.body, answer.header(b"Link")) == (200, b"ok", None)


async def test_upgrade_with_a_body_is_not_forwarded_but_the_body_is(bench: Bench) -> None:
    async def echo(visit: Visit) -> None:
        body = await visit.body()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    target = await bench.target(echo)
    client = await bench.client(await bench.gateway(target))
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"
    client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\n" + upgrade + b"Content-Length: 3\r\n\r\nabc"
        b"POST / HTTP/1.1\r\nHost: a\r\n" + upgrade + b"Transfer-Encoding: chunked\r\n\r\n2\r\n"
    )
    assert (await client.answer()).body == b"abc"
    client.send(b"de\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n" + upgrade + b"\r\n")
    assert (await client.answer()).body == b"de"
    assert (await client.answer()).body == b""
    for visit in target.visits:
        assert visit.header(b"Upgrade") is None
        assert visit.header(b"HTTP2-Settings") is None


async def test_an_absolute_request_target_wins_over_host(bench: Bench) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target)
    client = await bench.client(gateway)
    client.send(b"GET http://Real.example:1/p?q HTTP/1.1\r\nHost: other\r\n\r\n")
    assert (await client.answer()).status == 200
    assert target.visits[0].request_line == b"GET /p?q HTTP/1.1"
    assert target.visits[0].header(b"Host") == b"real.example:%d" % gateway.port


async def test_the_target_gets_the_path_as_it_was_written(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    await client.get("/a/../%62//c%2f")
    assert target.visits[0].request_line == b"GET /a/../%62//c%2f HTTP/1.1"


@pytest.mark.parametrize(
    "answer",
    [OK, OK.replace(b"\r\n\r\n", b"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n")],
)
async def test_the_date_is_the_gateways(bench: Bench, answer: bytes) -> None:
    client = await bench.client(await bench.gateway(await bench.target(says(answer))))
    date = (await client.get()).header(b"Date")
    assert date
    assert re.fullmatch(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
    assert b"1970" not in date
