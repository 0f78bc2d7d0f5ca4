"""Responses as they are read."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.response_reader import MalformedResponseError, ResponseReader

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
def test_it_does_not_matter_where_the_network_cuts(step: int) -> None:
    for data, body, line in (
        (SIZED, b"hello", b"HTTP/1.1 200 OK\r\n"),
        (CHUNKED, b"abcde", b"HTTP/1.1 200 All right\r\n"),
    ):
        response = feed(data, step).response
        assert (b"".join(response.body), response.status_line) == (body, line)
        assert response.complete
        assert response.keep_alive


@given(st.integers(1, 100), st.sampled_from([SIZED, CHUNKED]))
def test_surplus_bytes_forbid_to_use_the_connection_again(step: int, data: bytes) -> None:
    response = feed(data + b"HTTP/1.1 200 OK\r\n\r\n", step).response
    assert response.complete
    assert not response.keep_alive


@given(st.integers(1, 100), st.sampled_from([SIZED, CHUNKED]))
def test_after_head_the_same_reader_reads_the_next_response(step: int, data: bytes) -> None:
    head = SIZED[: -len(b"hello")] if data is SIZED else data[: data.index(b"3;x")]
    reader = feed(head, step, head_request=True)
    assert reader.response.complete
    reader.start(head_request=False)
    reader.feed(SIZED)
    assert b"".join(reader.response.body) == b"hello"
    assert reader.response.keep_alive


def test_the_end_of_the_connection_completes_only_what_has_no_other_end() -> None:
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
