"""Metrics of a context's database, for Prometheus."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kernel.data.database import Database


class DatabaseMetrics(Collector):
    """The pool's connections, those who wait for one, and outages. Labelled with the context, of
    which the monolith has several."""

    def __init__(self, context: str, database: Database) -> None:
        self._labels = [context]
        self._database = database

    def collect(self) -> Iterable[Metric]:
        """The metrics, for prometheus_client."""
        use = self._database.use
        connections = GaugeMetricFamily(
            "board_pool_connections", "Connections to PostgreSQL.", labels=["context", "state"]
        )
        connections.add_metric([*self._labels, "used"], use.used)
        connections.add_metric([*self._labels, "idle"], use.idle)
        yield connections
        for name, help_text, value in (
            ("board_pool_connections_max", "Connections at most.", use.most),
            ("board_pool_waiting", "Tasks that wait for a connection.", use.waiting),
        ):
            gauge = GaugeMetricFamily(name, help_text, labels=["context"])
            gauge.add_metric(self._labels, value)
            yield gauge
        failed = CounterMetricFamily(
            "board_database_failures", "Uses that failed as PostgreSQL did not answer.",
            labels=["context"],
        )  # fmt: skip
        failed.add_metric(self._labels, use.failed)
        yield failed
