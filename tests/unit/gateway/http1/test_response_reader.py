"""Reading responses."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.http1.response_reader import MalformedResponseError, ResponseReader

SIZED = b"HTTP/1.1 200 OK\r\nX:\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 All right\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: r\r\n\r\n"
)


def feed(data: bytes, step: int, *, head_request: bool = False) -> ResponseReader:
    reader = ResponseReader()
    reader.start(head_request=head_request)
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    return reader


@given(st.integers(1, 120))
def test_result_does_not_depend_on_how_bytes_are_split(step: int) -> None:
    for data, body, line in (
        (SIZED, b"hello", b"HTTP/1.1 200 OK\r\n"),
        (CHUNKED, b"abcde", b"HTTP/1.1 200 All right\r\n"),
    ):
        response = feed(data, step).response
        assert (b"".join(response.body), response.status_line) == (body, line)
        assert response.complete
        assert response.keep_alive


@given(st.integers(1, 100), st.sampled_from([SIZED, CHUNKED]))
def test_surplus_bytes_prevent_reuse_of_the_connection(step: int, data: bytes) -> None:
    response = feed(data + b"HTTP/1.1 200 OK\r\n\r\n", step).response
    assert response.complete
    assert not response.keep_alive


@given(st.integers(1, 100), st.sampled_from([SIZED, CHUNKED]))
def test_reader_continues_after_a_response_to_head(step: int, data: bytes) -> None:
    head = SIZED[: -len(b"hello")] if data is SIZED else data[: data.index(b"3;x")]
    reader = feed(head, step, head_request=True)
    assert reader.response.complete
    reader.start(head_request=False)
    reader.feed(SIZED)
    assert b"".join(reader.response.body) == b"hello"
    assert reader.response.keep_alive


def test_end_of_connection_completes_only_bodies_without_another_end() -> None:
    assert feed(b"HTTP/1.1 200 OK\r\n\r\nabc", 9).end_of_stream()
    assert not feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 9).end_of_stream()
    assert not feed(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc", 9
    ).end_of_stream()
    assert not feed(b"HTTP/1.1 200 OK\r\n", 9).end_of_stream()


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(
            st.sampled_from([SIZED, CHUNKED]), st.integers(0, 140), st.binary(max_size=3)
        ).map(lambda made: made[0][: made[1]] + made[2] + made[0][made[1] :]),
    ),
    st.integers(1, 200),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_response_or_malformed(data: bytes, step: int, head: bool) -> None:
    with contextlib.suppress(MalformedResponseError):
        response = feed(data, step, head_request=head).response
        assert 200 <= response.status <= 999 if response.head_complete else not response.complete


_STATUS_LINES = [
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404 \r\n", b"HTTP/1.1 500\r\n", b"HTTP/1.0 200 OK\r\n"),
    *(b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 304 Not Modified\r\n", b"HTTP/1.1 600 x\r\n"),
    *(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", b"HTTP/1.1 199 x\r\n", b"HTTP/1.1 2"),
    *(b"HTTP/1.1 200 a\tb\xe9\r\n", b"HTTP/1.1 200 a\x01\r\n", b"HTTP/1.1 101 x\r\n", b""),
]
_LINES = [
    *(b"Content-Length: 5\r\n", b"content-length: 0\r\n", b"Content-Length: 7\r\n", b"X: 1\r\n"),
    *(b"Content-Length: 05\r\n", b"Content-Length:5\r\n", b"Content-Length: 5 \r\n"),
    *(b"Content-Length: -5\r\n", b"Content-Length: 5_0\r\n", b"Content-Length: 5, 5\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Connection: keep-alive\r\n", b"Connection: X\r\n"),
    *(b"Connection: close\r\n", b"connection: Keep-Alive\r\n", b"Keep-Alive: timeout=5\r\n"),
    *(b"Date: today\r\n", b"Set-Cookie: a=b\r\n", b"X_y: \xe9\r\n", b"X: \r\n", b"X:1\r\n"),
    *(b"X: 1\n", b"X: a\rb\r\n", b" folded\r\n", b"X : 1\r\n", b"bare\r\n", b"X: \x0b\r\n"),
    *(b"Upgrade: x\r\n", b"Trailer: x\r\n", b"X: " + b"a" * 200 + b"\r\n", b"X: a  \r\n", b"\r\n"),
]


def outcome(data: list[bytes], *, quickly: bool) -> tuple[object, ...] | None:
    """The response after all of ``data``; None if it is malformed."""
    reader = ResponseReader()
    reader.start(head_request=False)
    if not quickly:
        reader._untouched = False
        reader._begin_parsing()
    try:
        for piece in data:
            reader.feed(piece)
    except MalformedResponseError:
        return None
    response = reader.response
    framing = (response.has_content_length, response.content_length, response.chunked)
    return (
        *(response.status, response.status_line, response.lines, b"".join(response.body), framing),
        *(response.head_complete, response.complete, response.keep_alive, response.until_close),
    )


@given(
    st.sampled_from(_STATUS_LINES),
    st.lists(st.sampled_from(_LINES), max_size=5),
    st.sampled_from([b"", b"hello", b"hello, world", b"hellHTTP/1.1 200 OK\r\n"]),
    st.integers(1, 300),
)
@settings(max_examples=2000, deadline=None)
def test_fast_path_for_response_heads_agrees_with_the_parser(
    status_line: bytes, lines: list[bytes], body: bytes, cut: int
) -> None:
    whole = status_line + b"".join(lines) + b"\r\n" + body
    data = [piece for piece in (whole[:cut], whole[cut:]) if piece]
    reader = ResponseReader()
    if reader._plain.read(data[0], reader.response):
        assert outcome(data, quickly=True) == outcome(data, quickly=False)


def test_most_response_heads_take_the_fast_path() -> None:
    heads = [
        b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: now\r\nContent-Length: 2\r\n"
        b'Connection: keep-alive\r\nETag: W/"1"\r\n\r\n',
        b"HTTP/1.1 201 Created\r\ndate: now\r\nserver: uvicorn\r\ncontent-length: 9\r\n\r\n",
        b"HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n",
    ]
    reader = ResponseReader()
    assert [reader._plain.read(head + b"x", reader.response) for head in heads] == [
        len(head) for head in heads
    ]
