"""Target groups that a reload removes, and their targets."""

import asyncio
from pathlib import Path

from gateway.admin.control import Control
from gateway.gateway import start_gateway
from gateway.observe.metrics import Metrics
from gateway.template.reader import load_routing
from tests.unit.gateway.support import OK, TEMPLATE, Bench, Visit, until
from tests.unit.gateway.two_groups import TWO_GROUPS, states


async def test_manually_registered_target_is_drained_when_its_group_is_removed(
    bench: Bench, tmp_path: Path
) -> None:
    target = await bench.target()
    template = tmp_path / "t.yml"
    template.write_text(TWO_GROUPS)
    gateway = await start_gateway(load_routing(template, {}), {}, port=0)
    bench.keep(gateway)
    control = Control(gateway, lambda: load_routing(template, {}))
    await control.register("Api", target.url)
    template.write_text(TEMPLATE)
    await control.reload()
    assert gateway.groups["Api"].registered == ()
    assert [str(t.state) for t in gateway.groups["Api"].draining] == ["draining"]


async def test_group_removed_by_a_reload_disappears_once_drained(
    bench: Bench, tmp_path: Path
) -> None:
    release = asyncio.Event()

    async def waits(visit: Visit) -> None:
        await release.wait()
        visit.send(OK)

    target = await bench.target(waits)
    with_delay = TWO_GROUPS.replace(
        "    Properties: {}\n",
        "    Properties:\n      TargetGroupAttributes:\n"
        "        - {Key: deregistration_delay.timeout_seconds, Value: '1'}\n",
    ).replace("Weight: 0", "Weight: 1")
    template = tmp_path / "t.yml"
    template.write_text(with_delay.replace("Weight: 1}, {", "Weight: 0}, {"))
    metrics = Metrics(load_routing(template, {}).load_balancer)
    gateway = await start_gateway(load_routing(template, {}), {}, port=0, metrics=metrics)
    bench.keep(gateway)
    control = Control(gateway, lambda: load_routing(template, {}))
    await control.register("Api", target.url)
    await until(lambda: states(gateway.groups["Api"]) == ["healthy"])
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: target.visits)
    template.write_text(TEMPLATE)
    await control.reload()
    assert control.health("Api")
    assert 'TargetGroup="Api"' in metrics.render(gateway.plane, gateway.acceptors)
    release.set()
    assert (await client.answer()).status == 200
    await until(lambda: list(gateway.groups) == ["Web"])
    assert list(gateway.registrations) == ["Web"]
    assert 'TargetGroup="Api"' not in metrics.render(gateway.plane, gateway.acceptors)
    template.write_text(with_delay)
    await control.reload()
    assert 'RequestCount{LoadBalancer="Balancer",TargetGroup="Api"} 1' in metrics.render(
        gateway.plane, gateway.acceptors
    )


async def test_group_that_returns_while_draining_stays(bench: Bench, tmp_path: Path) -> None:
    template = tmp_path / "t.yml"
    template.write_text(TWO_GROUPS)
    gateway = await start_gateway(load_routing(template, {}), {}, port=0)
    bench.keep(gateway)
    control = Control(gateway, lambda: load_routing(template, {}))
    target = await bench.target()
    await control.register("Api", target.url)
    for text in (TEMPLATE, TWO_GROUPS.replace("{}", "{TargetGroupAttributes: []}")):
        template.write_text(text)
        await control.reload()
    group = gateway.groups["Api"]
    [draining] = group.draining
    group.forget(draining)
    await control.register("Api", target.url)
    assert states(gateway.groups["Api"]) == ["initial"]
