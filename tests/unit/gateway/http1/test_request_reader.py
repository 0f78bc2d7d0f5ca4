"""Reading requests: refusals, and that no bytes are misinterpreted."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.http1.request import Request
from gateway.http1.request_reader import RequestReader
from tests.unit.gateway.support import Bench

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


def read(data: bytes, *, step: int = 65_536) -> list[Request]:
    reader = RequestReader()
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    return list(reader.requests)


REFUSED = {
    "no host in HTTP/1.1": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two lengths": (400, POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "a list of lengths": (400, POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    "a signed length": (400, POST + b"Content-Length: +3\r\n\r\nabc"),
    "a negative length": (400, POST + b"Content-Length: -3\r\n\r\nabc"),
    "a length in hex": (400, POST + b"Content-Length: 0x3\r\n\r\nabc"),
    "an empty length": (400, POST + b"Content-Length: \r\n\r\nabc"),
    "a length beyond 64 bits": (400, POST + b"Content-Length: 99999999999999999999\r\n\r\n"),
    "a folded framing": (400, POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    "an unknown coding": (400, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "chunked twice": (400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked in two headers": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "a vertical tab": (400, POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
    "a bare carriage return": (400, b"GET / HTTP/1.1\rHost: a\r\n\r\n"),
    "a NUL": (400, GET + b"X: a\0b\r\n\r\n"),
    "no target": (400, b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target of another kind": (400, b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a separator in the method": (400, b"G[T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "HTTP/2.0": (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    "an HTTP/2 preface": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "no version": (400, b"GET / HTTP/x.y\r\nHost: a\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "a transfer coding": (
        501,
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    "a request line over 16K": (
        414,
        b"GET /" + b"a" * 16_384 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    "a target without end": (414, b"GET /" + b"a" * 200_000),
    "a header over 16K": (400, GET + b"X: " + b"a" * 16_384 + b"\r\n\r\n"),
    "headers over 64K": (400, GET + b"X: abcdefghijkl\r\n" * 4_000 + b"\r\n"),
    "a header without end": (400, GET + b"X: " + b"a" * 200_000),
    "a name without end": (400, GET + b"a" * 200_000),
}


@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_refused_request_closes_the_connection_and_reaches_no_target(
    bench: Bench, status: int, data: bytes
) -> None:
    assert read(data)[-1].refusal == status
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    client.send(data)
    answer = await client.answer()
    assert (answer.status, answer.header(b"Connection")) == (status, b"close")
    assert await client.closed() == b""
    assert target.visits == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (GET + b"X-Forwarded-For: " + b", ".join([b"1.2.3.4"] * 31) + b"\r\n\r\n", 463),
        (GET + b"X-Forwarded-For: 1.2.3.4\r\n" * 31 + b"\r\n", 463),
        (GET + b"X-Forwarded-For: " + b", ".join([b"1.2.3.4"] * 30) + b"\r\n\r\n", 0),
        (GET + b"Cookie: " + b"a" * 40_000 + b"\r\n\r\n", 0),
    ],
)
def test_other_refusals_have_their_own_status(data: bytes, status: int) -> None:
    assert read(data)[0].refusal == status


async def test_invalid_host_returns_400(bench: Bench) -> None:
    gateway = await bench.gateway(await bench.target())
    for host in (b"", b"a b", b"a/b", b"u@h", b"a:b", b"[::1", b"a, b"):
        client = await bench.client(gateway)
        client.send(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert (await client.answer()).status == 400, host


def facts(request: Request) -> dict[str, object]:
    known = {
        name: getattr(request, name) for name in Request.__slots__ if name not in ("body", "head")
    }
    return known | {"body": b"".join(request.body)}


STREAM = (
    GET
    + b"Empty:\r\nX:  two words \r\n\r\n"
    + POST
    + b"Content-Length: 5\r\n\r\nhello"
    + POST
    + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: r\r\n\r\n"
    + POST
    + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nGET "
    + GET
    + b"Connection: close\r\n\r\n"
)


@given(st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_result_does_not_depend_on_how_bytes_are_split(step: int) -> None:
    whole, cut = read(STREAM), read(STREAM, step=step)
    assert [facts(request) for request in cut] == [facts(request) for request in whole]
    assert [b"".join(request.body) for request in whole] == [b"", b"hello", b"abc", b"GET ", b""]
    assert all(request.complete and not request.refusal for request in whole)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    *(b"GET ", b"POST ", b"/ ", b"http://a ", b"HTTP/1.1", b"\r\n", b"\n", b" "),
                    *(b"Host: a\r\n", b"Content-Length: 3\r\n", b"Upgrade: x\r\n", b"0\r\n\r\n"),
                    *(b"Transfer-Encoding: chunked\r\n", b"Connection: upgrade\r\n", b"3\r\nabc"),
                    *(b"\r\n\r\n", b"Content-Length: 9\r\n", b"Connection: close\r\n", b"\0", b":"),
                ]
            ),
            max_size=25,
        ).map(b"".join),
    ),
    st.integers(1, 400),
)
@example(STREAM, 7)
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_requests_or_refused_and_never_an_error(data: bytes, step: int) -> None:
    requests = read(data, step=step)
    for request in requests:
        assert request.refusal or request.head_complete
        if request.refusal or not request.head_complete:
            continue
        assert not request.chunked or request.content_length is None
        size = sum(map(len, request.body))
        assert size <= len(data)
        if request.complete and request.content_length is not None:
            assert size == request.content_length
