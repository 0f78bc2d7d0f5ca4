"""Several takers of finished exchanges."""

from typing import Protocol

from gateway.proxy.exchange import Exchange


class Recorder(Protocol):
    """Something that finished exchanges go to."""

    def record(self, exchange: Exchange) -> None:
        """Notes one. It does not block."""


class Recorders:
    """Hands each exchange to every one of them."""

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def record(self, exchange: Exchange) -> None:
        """See Recorder."""
        for recorder in self._recorders:
            recorder.record(exchange)
