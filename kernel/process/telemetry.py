"""Metrics of a process, for Prometheus."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; the default bounds of prometheus_client's histograms."""


class Telemetry(Collector):
    """Requests by method, status and operation. The operation is the path's template, so the
    number of time series is bounded.

    A request increments plain numbers, which become metrics when Prometheus collects them. This is
    much cheaper than prometheus_client's counters, which take a lock each. Only the event loop's
    thread may count.
    """

    def __init__(self, process: str) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        self._process = process
        self._in_flight = 0
        self._requests: dict[tuple[str, str, int], int] = {}
        self._seconds: dict[str, _Histogram] = {}
        self._collectors: list[Collector] = []

    def include(self, *collectors: Collector) -> None:
        """Include the metrics of other collectors. Two of one kind may have different labels."""
        self._collectors += collectors

    def begin(self) -> None:
        """Count a request that has begun."""
        self._in_flight += 1

    def end(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a request that has begun, and was answered."""
        self._in_flight -= 1
        self.count(operation, method, status, seconds)

    def count(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        key = (operation, method, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        histogram = self._seconds.get(operation)
        if histogram is None:
            histogram = self._seconds[operation] = _Histogram()
        histogram.counts[bisect_left(_BOUNDS, seconds)] += 1
        histogram.sum += seconds

    def collect(self) -> Iterable[Metric]:
        """The metrics, for prometheus_client."""
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
        families: dict[str, Metric] = {}
        for collector in self._collectors:
            for family in collector.collect():
                # A family may occur once in the text that Prometheus reads.
                merged = families.setdefault(family.name, family)
                if merged is not family:
                    merged.samples += family.samples
        yield from families.values()


class _Histogram:
    """Counts durations between each two bounds; `sum` is in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.sum = 0.0

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Each bound, and the number of durations up to it."""
        total = 0
        for bound, count in zip((*_BOUNDS, "+Inf"), self.counts, strict=True):
            total += count
            yield str(bound), total
