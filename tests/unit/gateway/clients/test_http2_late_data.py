"""Bytes of a stream that is over still count for the connection's window: each is given back, or
uploads that nobody reads would stop the whole connection."""

from types import SimpleNamespace
from typing import Any, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived

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
    client.receive_data(server.data_to_send())
    whole = client.outbound_flow_control_window
    sent, stream = 0, 1
    while sent < 3 * whole:
        client.send_headers(stream, HEADERS)
        while min(client.local_flow_control_window(stream), whole * 3 - sent) >= PIECE:
            client.send_data(stream, b"x" * PIECE)
            sent += PIECE
            for event in server.receive_data(client.data_to_send()):
                # The connection has no such stream: its answer is over.
                if isinstance(event, DataReceived):
                    connection._body(event)
            client.receive_data(server.data_to_send())
        assert client.outbound_flow_control_window >= PIECE, f"the window is used up after {sent}"
        client.reset_stream(stream)
        server.receive_data(client.data_to_send())
        stream += 2
        if whole * 3 - sent < PIECE:
            break
    assert sent > 2 * whole
