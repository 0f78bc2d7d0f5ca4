"""HTTP/2's frames for a load balancer: ``ngh2`` with different limits and a different GOAWAY.

Limits: "HTTP/2" in "Listeners for your Application Load Balancers" of the AWS guide.
"""

from typing import Final

from ngh2 import Configuration, Connection, ErrorCode, Role, Setting, pack_settings_payload

MAX_STREAMS: Final = 128
"""How many concurrent requests a client may have on one connection."""
_ENFORCED_STREAMS: Final = 2 * MAX_STREAMS
"""The number of streams at which the library ends the connection, instead of refusing one stream;
hence it is higher than the limit for clients."""
_MAX_HEADERS: Final = 64 * 1024
_ENFORCED_HEADERS: Final = 4 * _MAX_HEADERS
"""Bytes, with 32 added for each field, at which the library ends the connection. A smaller request
over 64 KiB is answered as over HTTP/1.1."""
_BYTES_A_FIELD: Final = 32
_STREAM_WINDOW: Final = 65_535
_CONNECTION_WINDOW: Final = 2 * MAX_STREAMS * _STREAM_WINDOW
"""Bytes. A stream's window is the most that its target has not read yet. If the connection's window
were as small, one slow target would stop uploads to all others. It is twice the sum of the streams'
windows, because the library may delay acknowledging half of it."""
_MOST_ANSWERS: Final = 64 * 1024
"""The most unsent acknowledgements of PING and SETTINGS frames: more than a read can contain. The
gateway does not read from a client that does not read."""
_SETTINGS_FRAME: Final = 4
_GOAWAY_FRAME: Final = 7


def server_connection() -> tuple[Connection, bytes]:
    """The load balancer's side of a connection, and the first bytes that it sends."""
    connection = Connection(
        Role.SERVER,
        Configuration(
            auto_window_update=False,
            max_outbound_ack=_MOST_ANSWERS,
            max_inbound_header_list_size=_ENFORCED_HEADERS,
            max_inbound_header_count=_ENFORCED_HEADERS // _BYTES_A_FIELD,
        ),
    )
    connection.initiate_connection(_settings(_ENFORCED_STREAMS))
    # Not the library's own, because the client gets a lower limit of streams.
    connection.data_to_send()
    payload = pack_settings_payload(_settings(MAX_STREAMS))
    connection.set_local_window_size(_CONNECTION_WINDOW)
    return connection, _frame(_SETTINGS_FRAME, payload) + connection.data_to_send()


def go_away_frame(last_stream: int, code: ErrorCode) -> bytes:
    """A GOAWAY: streams after ``last_stream`` are not answered.

    Streams before it still are. After the library's own GOAWAY, a connection without streams would
    end, and the gateway could not find out whether the client has read its answers.
    """
    return _frame(_GOAWAY_FRAME, last_stream.to_bytes(4, "big") + code.to_bytes(4, "big"))


def _settings(streams: int) -> dict[Setting, int]:
    return {
        Setting.MAX_CONCURRENT_STREAMS: streams,
        Setting.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
        # Without it the library sends one answer after another, not in turns.
        Setting.NO_RFC7540_PRIORITIES: 1,
    }


def _frame(kind: int, payload: bytes) -> bytes:
    """A frame of the connection (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, 0, 0, 0, 0, 0)) + payload
