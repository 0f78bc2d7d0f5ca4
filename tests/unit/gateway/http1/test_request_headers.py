"""The meaning of header names, and the bounds on remembering them."""

import sys

import pytest

from gateway.http1.request_headers import meaning


@pytest.mark.parametrize("size", [65, 1000, 16_000])
def test_long_header_name_is_not_remembered(size: int) -> None:
    name = b"x" * size
    before = sys.getrefcount(name)
    meaning(name)
    assert sys.getrefcount(name) == before


def test_number_of_remembered_header_names_is_bounded() -> None:
    names = [b"x-%d" % number for number in range(10_000)]
    before = sum(map(sys.getrefcount, names))
    for name in names:
        meaning(name)
    assert 0 < sum(map(sys.getrefcount, names)) - before <= 4096


def test_header_name_means_the_same_remembered_or_not() -> None:
    for name in (b"Host", b"X-A", b"a_b", b"Content_Length", b"Content-Length" + b"-" * 80):
        assert meaning(name) is meaning(name)
    assert meaning(b"Content-Length" + b"-" * 80) is meaning(b"Content_Length")
    assert meaning(b"x" * 80) is meaning(b"X-A") is None
