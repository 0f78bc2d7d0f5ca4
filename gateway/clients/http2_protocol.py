"""HTTP/2's frames, as a load balancer needs them: ``ngh2`` with other limits and another ending.

Limits: "HTTP/2" in "Listeners for your Application Load Balancers" of the AWS guide.
"""

from typing import Final

from ngh2 import Configuration, Connection, ErrorCode, Role, Setting, pack_settings_payload

MAX_STREAMS: Final = 128
"""How many requests a client may have under way on one connection."""
_ENFORCED_STREAMS: Final = 2 * MAX_STREAMS
"""Where the library ends the connection. It does so rather than refuse the stream that is one too
many, so it gets a higher limit than the client."""
_MAX_HEADERS: Final = 64 * 1024
_ENFORCED_HEADERS: Final = 4 * _MAX_HEADERS
"""Bytes, with 32 a field, at which the library ends the connection. A request over 64 KiB is
answered as one of HTTP/1.1 is."""
_BYTES_A_FIELD: Final = 32
_STREAM_WINDOW: Final = 65_535
_CONNECTION_WINDOW: Final = 2 * MAX_STREAMS * _STREAM_WINDOW
"""Bytes. Each stream's window holds what one target has not taken; were the connection's no larger,
one slow target would stop the uploads to all others. Twice as large, because the library may keep
half of it back before it acknowledges bytes that were taken."""
_MOST_ANSWERS: Final = 64 * 1024
"""PING and SETTINGS frames that may wait to be acknowledged: more than are read at once. A client
that does not read is not read either."""
_SETTINGS_FRAME: Final = 4
_GOAWAY_FRAME: Final = 7


def server_connection() -> tuple[Connection, bytes]:
    """The load balancer's side of a connection, and what it sends first."""
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
    # Sent by ourselves, because the client gets a lower limit of streams.
    connection.data_to_send()
    payload = pack_settings_payload(_settings(MAX_STREAMS))
    connection.set_local_window_size(_CONNECTION_WINDOW)
    return connection, _frame(_SETTINGS_FRAME, payload) + connection.data_to_send()


def go_away_frame(last_stream: int, code: ErrorCode) -> bytes:
    """A GOAWAY: streams after ``last_stream`` are not answered.

    Those before still are. It is not the library's own because after that one a connection without
    streams is over, and cannot find out whether the client has read its answers.
    """
    return _frame(_GOAWAY_FRAME, last_stream.to_bytes(4, "big") + code.to_bytes(4, "big"))


def _settings(streams: int) -> dict[Setting, int]:
    return {
        Setting.MAX_CONCURRENT_STREAMS: streams,
        Setting.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
        # Without it the library sends one answer after the other, not in turns.
        Setting.NO_RFC7540_PRIORITIES: 1,
    }


def _frame(kind: int, payload: bytes) -> bytes:
    """A frame of the connection (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, 0, 0, 0, 0, 0)) + payload
