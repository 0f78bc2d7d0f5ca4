"""Passes the records of finished exchanges to several recorders."""

from typing import Protocol

from gateway.proxy.record import ExchangeRecord


class Recorder(Protocol):
    """Receives the records of finished exchanges."""

    def record(self, record: ExchangeRecord) -> None:
        """Receives one record. Must not block."""


class Recorders:
    """Passes each record to every one of them."""

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def record(self, record: ExchangeRecord) -> None:
        """Receives one record. Must not block."""
        for recorder in self._recorders:
            recorder.record(record)
