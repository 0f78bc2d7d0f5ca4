"""Bytes of a finished stream still count for the connection's window. They must be acknowledged, or
uploads that nobody reads would stop the whole connection."""

from types import SimpleNamespace
from typing import Any, cast

from gateway.clients.http2_connection import Http2Connection
from gateway.net.timeouts import Timeouts


class Windows:
    """A fake of the library's connection that only counts windows."""

    def __init__(self) -> None:
        self.given_back = 0

    def acknowledge_received_data(self, size: int, _stream: int) -> None:
        self.given_back += size


def test_late_bytes_return_to_the_connections_window() -> None:
    watch = SimpleNamespace(now=0.0, watched=set())
    plane = SimpleNamespace(watch=watch, timeouts=Timeouts())
    connection = Http2Connection(cast(Any, plane), cast(Any, None))
    windows = Windows()
    connection.h2 = cast(Any, windows)
    for size in (16_384, 1, 0):
        late = SimpleNamespace(stream_id=1, data=b"x" * size, end_stream=size == 0)
        connection._body(cast(Any, late))
    assert windows.given_back == 16_385
