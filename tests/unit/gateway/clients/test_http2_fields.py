"""Converts HTTP/2 fields to HTTP/1.1 lines, without a connection."""

import pytest

from gateway.clients.http2_request import Http2Requests

PSEUDO = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b":authority", b"a")]


def lines(*fields: tuple[bytes, bytes]) -> list[bytes]:
    """The lines that the target gets for a request with these fields."""
    request = Http2Requests().read([*PSEUDO, *fields], ended=True)
    assert request is not None
    return request.lines


@pytest.mark.parametrize("cookies", [[b"a=1"], [b"a=1", b"b=2"], [b"a=1", b"b=2", b"c=3"]])
def test_cookie_fields_become_one_line(cookies: list[bytes]) -> None:
    # RFC 9113, section 8.2.3: HTTP/1.1 has one Cookie field, with "; " between its pairs.
    between = [(b"x", b"y")]
    fields = [(b"cookie", cookie) for cookie in cookies]
    for order in ([*between, *fields], [*fields[:1], *between, *fields[1:]]):
        found = [line for line in lines(*order) if line.startswith(b"cookie")]
        assert found == [b"cookie: " + b"; ".join(cookies) + b"\r\n"]


def test_other_fields_of_one_name_stay_several_lines() -> None:
    assert lines((b"x", b"1"), (b"x", b"2")) == [b"x: 1\r\n", b"x: 2\r\n"]


@pytest.mark.parametrize(("host", "accepted"), [(b"a", True), (b"A:443", True), (b"b", False)])
def test_host_that_is_not_the_authority_makes_a_request_malformed(
    host: bytes, accepted: bool
) -> None:
    request = Http2Requests().read([*PSEUDO, (b"host", host)], ended=True)
    assert (request is not None and request.host == b"a") is accepted
