"""HTTP/2's frames, as a load balancer needs them: ``h2`` with other limits and another ending.

Limits: "HTTP/2" in "Listeners for your Application Load Balancers" of the AWS guide.
"""

from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, GoAwayFrame

MAX_STREAMS: Final = 128
"""How many requests a client may have under way on one connection."""
_MAX_UNSEEN_STREAMS: Final = 2 * MAX_STREAMS
"""How many it may open before the first that is too many has been refused: ``h2`` reads all that
was received before it reports any, and then ends the connection rather than the stream."""
_MAX_HEADERS: Final = 64 * 1024
_STREAM_WINDOW: Final = 65_535
_CONNECTION_WINDOW: Final = 2 * MAX_STREAMS * _STREAM_WINDOW
"""Bytes. Each stream's window holds what one target has not taken; were the connection's no larger,
one slow target would stop the uploads to all others. Twice as large, because ``h2`` may keep half
of it back before it acknowledges bytes that were taken."""


class ServerConnection(H2Connection):
    """The load balancer's side of one connection."""

    def __init__(self) -> None:
        super().__init__(
            H2Configuration(
                client_side=False,
                header_encoding=None,
                # Ours are made from a target's, and cleaned on the way.
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )

    def begin(self) -> None:
        """Has the settings and the connection's window ready to be sent."""
        self.local_settings = _settings(MAX_STREAMS)
        self.initiate_connection()
        self.local_settings = _settings(_MAX_UNSEEN_STREAMS)
        self.increment_flow_control_window(_CONNECTION_WINDOW - _STREAM_WINDOW)

    def go_away(self, last_stream: int, code: ErrorCodes) -> bytes:
        """What is ready to be sent, and a GOAWAY: streams after ``last_stream`` are not answered.

        Those before still are, which is why it is not the library's own: after that one nothing
        else can be sent.
        """
        frame = GoAwayFrame(0, last_stream_id=last_stream, error_code=code)
        return self.data_to_send() + frame.serialize()

    def _receive_goaway_frame(
        self,
        frame: GoAwayFrame,  # noqa: ARG002 - the library's name
    ) -> tuple[list[Frame], list[Event]]:
        """A client that sends no more requests still waits for its answers (RFC 9113, 6.8); the
        library would send nothing from here on."""
        return [], []


def _settings(streams: int) -> Settings:
    return Settings(
        client=False,
        initial_values={
            SettingCodes.MAX_CONCURRENT_STREAMS: streams,
            SettingCodes.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
        },
    )
