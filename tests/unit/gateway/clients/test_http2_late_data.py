"""Bytes of a stream that is over still count for the connection's window: each is given back, or
uploads that nobody reads would stop the whole connection."""

from types import SimpleNamespace
from typing import Any, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, WindowUpdated

from gateway.clients.http2_connection import Http2Connection
from gateway.clients.http2_protocol import ServerConnection
from gateway.net.timeouts import Timeouts

HEADERS = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
PIECE = 16_384


def test_late_bytes_are_given_back_to_the_connections_window() -> None:
    watch = SimpleNamespace(now=0.0, watched=set())
    plane = SimpleNamespace(watch=watch, timeouts=Timeouts())
    connection = Http2Connection(cast(Any, plane), cast(Any, None))
    server: ServerConnection = connection.h2
    server.begin()
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    client.send_headers(1, HEADERS)
    client.receive_data(server.data_to_send())
    returned, sent = 0, 0
    server.receive_data(client.data_to_send())
    for _ in range(8):
        if client.local_flow_control_window(1) < PIECE:
            break
        client.send_data(1, b"x" * PIECE)
        sent += PIECE
        for event in server.receive_data(client.data_to_send()):
            # The connection has no stream 1: its answer is over.
            if isinstance(event, DataReceived):
                connection._body(event)
        for event in client.receive_data(server.data_to_send()):
            if isinstance(event, WindowUpdated) and event.stream_id == 0:
                returned += event.delta or 0
    assert sent > 0
    assert returned >= sent // 2  # the library gives back in portions
