"""Responses without a body, whatever their headers say."""

import pytest

from gateway.http1.response_reader import ResponseReader

HEADERS = [b"", b"Content-Length: 0\r\n", b"X: y\r\nContent-Length: 0\r\n"]


def read(head: bytes, *, head_request: bool = False) -> ResponseReader:
    """A reader that has read a head in one piece."""
    reader = ResponseReader()
    reader.start(head_request=head_request)
    reader.feed(head)
    return reader


@pytest.mark.parametrize("headers", [*HEADERS, b"content-length: 3\r\n"])
def test_204_has_no_content_length_and_is_complete(headers: bytes) -> None:
    response = read(b"HTTP/1.1 204 No Content\r\n" + headers + b"\r\n").response
    assert response.complete
    assert not [line for line in response.lines if line.lower().startswith(b"content-length")]
    assert not response.has_content_length
    assert not response.until_close


@pytest.mark.parametrize("status", [b"304 Not Modified", b"200 OK"])
def test_304_and_response_to_head_keep_their_content_length(status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nContent-Length: 3\r\n\r\n"
    response = read(head, head_request=status.startswith(b"200")).response
    assert response.complete
    assert response.lines == [b"Content-Length: 3\r\n"]


def test_205_is_read_like_other_responses() -> None:
    response = read(b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n").response
    assert response.complete
    assert response.lines == [b"Content-Length: 0\r\n"]
