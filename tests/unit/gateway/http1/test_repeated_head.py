"""Repeated headers are understood as the first time."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.http1.repeated_head import RepeatedHead
from gateway.http1.request import Request
from gateway.http1.request_head import HeadReader
from gateway.http1.request_reader import RequestReader
from tests.unit.gateway.support import Bench

_LINES = [
    *(b"Host: a\r\n", b"Host: b:80\r\n", b"Accept: x\r\n", b"x_y: 1\r\n", b"User-Agent: me\r\n"),
    *(b"Connection: close\r\n", b"Connection: X\r\n", b"Connection: keep-alive\r\n", b"X: 1\r\n"),
    *(b"X-Forwarded-For: 1.2.3.4\r\n", b"X-Amzn-Trace-Id: Root=1-1-1\r\n", b"Cookie: a=b\r\n"),
    *(b"Content-Length: 0\r\n", b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Upgrade: websocket\r\n", b"Connection: upgrade\r\n", b"Expect: 100-continue\r\n"),
    *(b"X : 1\r\n", b" folded\r\n", b"X: \x01\r\n", b"bare\r\n", b"\n", b"X:1\n"),
]
_REQUEST_LINES = [
    *(b"GET / HTTP/1.1\r\n", b"GET /a?b=c HTTP/1.1\r\n", b"HEAD /a HTTP/1.1\r\n"),
    *(b"POST /b HTTP/1.1\r\n", b"DELETE /b/%2e/.. HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n"),
    *(b"GET / HTTP/1.0\r\n", b"TRACE / HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n"),
    *(b"GET http://b/ HTTP/1.1\r\n", b"get / HTTP/1.1\r\n", b"GET /\xe9 HTTP/1.1\r\n"),
    *(b"GET /a b HTTP/1.1\r\n", b"GET / HTTP/1.1\n", b"GET /\rX: 1 HTTP/1.1\r\n", b"GET /\r\n"),
    *(b"GET / HTTP/1.1\r\nX: 9\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\r\nGET / HTTP/1.1\r\n", b""),
]


def facts(request: Request) -> dict[str, object]:
    known = {name: getattr(request, name) for name in Request.__slots__ if name != "body"}
    return known | {"path": request.path}


@given(
    st.lists(st.sampled_from(_LINES), max_size=5),
    st.sampled_from(_REQUEST_LINES),
    st.sampled_from(_REQUEST_LINES),
    st.booleans(),
)
@settings(max_examples=1500, deadline=None)
def test_repeated_headers_are_read_as_the_first_time(
    lines: list[bytes], first: bytes, second: bytes, drop_invalid: bool
) -> None:
    headers = b"".join(lines) + b"\r\n"
    heads = HeadReader(drop_invalid=drop_invalid, source="192.0.2.1")
    if (first + headers).find(b"\n\r\n") != len(first + headers) - 3:
        return
    repeated = RepeatedHead()
    repeated.remember(heads.read(first + headers))
    again = repeated.read(second + headers)
    if again is not None:
        as_new = heads.read(second + headers)
        assert not as_new.refusal
        as_new.complete = True
        assert facts(again) == facts(as_new)


@given(
    st.lists(st.sampled_from(_LINES), max_size=4),
    st.lists(st.sampled_from(_REQUEST_LINES), min_size=2, max_size=4),
)
@example(
    [b"Host: a\r\n", b"Upgrade: websocket\r\n", b"Connection: upgrade\r\n"],
    [b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n"],
)
@settings(max_examples=500, deadline=None)
def test_reader_reads_each_request_as_if_it_were_the_first(
    lines: list[bytes], request_lines: list[bytes]
) -> None:
    headers = b"".join(lines) + b"\r\n"
    reader = RequestReader()
    for request_line in request_lines:
        data = request_line + headers
        alone = RequestReader()
        alone.feed(data)
        reader.feed(data)
        assert [facts(request) for request in reader.requests] == [
            facts(request) for request in alone.requests
        ]
        reader.requests.clear()
        if reader.expects_more or alone.expects_more or alone.beyond_http() or not alone.requests:
            # What follows is the rest of this request, or nothing.
            return
        reader.resume()  # a request to upgrade was answered without an upgrade


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_most_repeated_requests_take_the_fast_path(method: str) -> None:
    heads, repeated = HeadReader(), RepeatedHead()
    headers = b"Host: a\r\nConnection: keep-alive\r\nCookie: session=1\r\n\r\n"
    repeated.remember(heads.read(b"GET /first HTTP/1.1\r\n" + headers))
    again = repeated.read(f"{method} /second?x HTTP/1.1\r\n".encode() + headers)
    assert again is not None
    assert (again.method, again.target, again.host) == (method.encode(), b"/second?x", b"a")
    assert repeated.read(b"GET / HTTP/1.1\r\n" + headers + headers) is None
    assert repeated.read(headers) is None


async def test_second_request_of_a_connection_reaches_the_target_unchanged(
    bench: Bench,
) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    for _ in range(3):
        client.send(b"GET /x HTTP/1.1\r\nHost: A\r\nX-Forwarded-For: 1.2.3.4\r\nx_y: 1\r\n\r\n")
        assert (await client.answer()).status == 200
    heads = [
        [(name, value) for name, value in visit.headers if name != b"X-Amzn-Trace-Id"]
        for visit in target.visits
    ]
    assert heads[0] == heads[1] == heads[2]
    assert heads[0][0] == (b"X-Forwarded-For", b"1.2.3.4, 127.0.0.1")
    assert len({visit.header(b"X-Amzn-Trace-Id") for visit in target.visits}) == 3
