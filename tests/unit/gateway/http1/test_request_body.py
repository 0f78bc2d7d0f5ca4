"""Where a chunked body ends: every line of its framing ends in CRLF, or the body is refused."""

import re

import pytest

from gateway.http1.request_body import ChunkedBody, MalformedBodyError, SizedBody

CHUNKED = b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: z\r\n\r\n"
ENDS = [found.start() for found in re.finditer(rb"\r\n", CHUNKED)]


def body_of(data: bytes, *cuts: int) -> tuple[bytes, bool]:
    """The content of a chunked body received in pieces, and whether it was complete."""
    body, parts = ChunkedBody(), list[bytes]()
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        assert body.take(data[start:end], 0, parts) == end - start
    return b"".join(parts), body.complete


@pytest.mark.parametrize("cut", range(1, len(CHUNKED)))
def test_body_does_not_depend_on_how_it_is_split(cut: int) -> None:
    assert body_of(CHUNKED, cut) == (b"abcdefg", True)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("instead", [b"\n", b"\r", b"\n\r", b"\r\r\n", b" \n"])
def test_framing_that_does_not_end_in_crlf_is_refused_or_never_ends(
    end: int, instead: bytes
) -> None:
    data = CHUNKED[:end] + instead + CHUNKED[end + 2 :]
    try:
        _, complete = body_of(data)
    except MalformedBodyError:
        return
    assert not complete


@pytest.mark.parametrize("end", ENDS)
def test_bare_line_feed_is_refused(end: int) -> None:
    data = CHUNKED[:end] + b"\n" + CHUNKED[end + 2 :]
    with pytest.raises(MalformedBodyError):
        body_of(data)


def test_bytes_after_a_body_are_not_part_of_it() -> None:
    parts: list[bytes] = []
    assert ChunkedBody().take(CHUNKED + b"GET /", 0, parts) == len(CHUNKED)
    assert SizedBody(3).take(b"abcGET /", 0, parts) == 3
    assert b"".join(parts) == b"abcdefgabc"
