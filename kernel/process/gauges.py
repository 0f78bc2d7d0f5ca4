"""Single numbers of a process, for Prometheus."""

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class Gauge(Collector):
    """A number that is read when Prometheus collects it."""

    def __init__(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        self._name = name
        self._help = help_text
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """The metric, for prometheus_client."""
        yield GaugeMetricFamily(self._name, self._help, self._read())
