"""Metrics of the circuits to other services, for Prometheus."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kernel.calls.breaker import Breaker, State


class BreakerMetrics(Collector):
    """Whether each circuit is broken, and how many calls it has refused."""

    def __init__(self, breakers: Sequence[Breaker]) -> None:
        self._breakers = breakers

    def collect(self) -> Iterable[Metric]:
        """The metrics, for prometheus_client."""
        broken = GaugeMetricFamily(
            "board_breaker_open", "1 while a called service fails.", labels=["callee"]
        )
        refused = CounterMetricFamily(
            "board_breaker_refused", "Calls refused without trying.", labels=["callee"]
        )
        for breaker in self._breakers:
            broken.add_metric([breaker.name], breaker.state is not State.CLOSED)
            refused.add_metric([breaker.name], breaker.refused)
        yield broken
        yield refused
