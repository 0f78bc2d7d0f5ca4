"""A gateway with metrics."""

import re
from collections.abc import Mapping

from gateway.gateway import Gateway, start_gateway
from gateway.net.tls import CertificateFiles
from gateway.observe.metrics import Metrics
from gateway.routing.settings import Routing
from tests.unit.gateway.support import (
    Bench,
    FakeTarget,
    routing,
)

BALANCER = '{LoadBalancer="Balancer"}'


WEB = '{LoadBalancer="Balancer",TargetGroup="Web"}'


class Measured:
    """A gateway with metrics."""

    def __init__(self, gateway: Gateway, metrics: Metrics) -> None:
        self.gateway = gateway
        self._metrics = metrics

    @property
    def text(self) -> str:
        return self._metrics.render(self.gateway.plane, self.gateway.acceptors)

    def value(self, name: str, labels: str = BALANCER) -> float:
        found = re.findall(rf"^{re.escape(name + labels)} (\S+)$", self.text, re.MULTILINE)
        assert len(found) <= 1
        return float(found[0]) if found else 0.0


async def measured(
    bench: Bench,
    *targets: FakeTarget,
    with_routing: Routing | None = None,
    bind: str = "127.0.0.1",
    certificates: Mapping[str, CertificateFiles] | None = None,
) -> Measured:
    settings = with_routing or routing()
    metrics = Metrics(settings.load_balancer)
    gateway = await start_gateway(
        settings,
        {"Web": [target.url for target in targets]},
        port=0,
        bind=bind,
        certificates=certificates,
        metrics=metrics,
    )
    bench.keep(gateway)
    await gateway.first_checks()
    return Measured(gateway, metrics)
