"""What a process counts about itself, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Telemetry:
    """Requests by method, status and operation. The operation is the path's template, so that the
    number of series is bounded whatever clients ask for."""

    def __init__(self, process: str) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "board_requests", "Requests answered.", ["process", "operation", "method", "status"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "board_request_seconds", "From the first byte in to the last byte out.",
            ["process", "operation"], registry=self.registry,
        )  # fmt: skip
        self._in_flight = Gauge(
            "board_requests_in_flight", "Requests being answered.", ["process"],
            registry=self.registry,
        ).labels(process)  # fmt: skip
        self._process = process

    def begin(self) -> None:
        """A request came in."""
        self._in_flight.inc()

    def end(self, operation: str, method: str, status: int, seconds: float) -> None:
        """And was answered."""
        self._in_flight.dec()
        self._requests.labels(self._process, operation, method, str(status)).inc()
        self._seconds.labels(self._process, operation).observe(seconds)
