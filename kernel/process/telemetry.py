"""What a process counts about itself, for Prometheus."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; the bounds of prometheus_client's own histograms."""


class Telemetry(Collector):
    """Requests by method, status and operation. The operation is the path's template, so that the
    number of series is bounded whatever clients ask for.

    A request adds to plain numbers, and they become metrics when Prometheus asks for them: that
    costs a request a fraction of what prometheus_client's own counters do, which take a lock each.
    Only the thread of the event loop may count.
    """

    def __init__(self, process: str) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._process = process
        self._in_flight = 0
        self._requests: dict[tuple[str, str, int], int] = {}
        self._seconds: dict[str, _Histogram] = {}
        self._collectors: list[Collector] = []

    def include(self, collector: Collector) -> None:
        """Show the metrics of a part of the process, too."""
        self._collectors.append(collector)

    def begin(self) -> None:
        """A request came in."""
        self._in_flight += 1

    def end(self, operation: str, method: str, status: int, seconds: float) -> None:
        """And was answered."""
        self._in_flight -= 1
        key = (operation, method, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        histogram = self._seconds.get(operation)
        if histogram is None:
            histogram = self._seconds[operation] = _Histogram()
        histogram.counts[bisect_left(_BOUNDS, seconds)] += 1
        histogram.sum += seconds

    def collect(self) -> Iterable[Metric]:
        """The metrics, as prometheus_client asks for them."""
        requests = CounterMetricFamily(
            "board_requests", "Requests answered.",
            labels=["process", "operation", "method", "status"],
        )  # fmt: skip
        for (operation, method, status), count in self._requests.items():
            requests.add_metric([self._process, operation, method, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily(
            "board_request_seconds", "From the first byte in to the last byte out.",
            labels=["process", "operation"],
        )  # fmt: skip
        for operation, histogram in self._seconds.items():
            buckets = list(histogram.buckets())
            seconds.add_metric([self._process, operation], buckets, histogram.sum)
        yield seconds
        in_flight = GaugeMetricFamily(
            "board_requests_in_flight", "Requests being answered.", labels=["process"]
        )
        in_flight.add_metric([self._process], self._in_flight)
        yield in_flight
        for collector in self._collectors:
            yield from collector.collect()


class _Histogram:
    """How many were at most as long as each bound, and no shorter; `sum` is in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.sum = 0.0

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Each bound, and how many were at most as long."""
        total = 0
        for bound, count in zip((*_BOUNDS, "+Inf"), self.counts, strict=True):
            total += count
            yield str(bound), total
