"""IPv6: clients, targets, and each without the other."""

import dataclasses
from random import Random

import pytest

from gateway.admin.control import Control
from gateway.gateway import Gateway, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.routing.settings import Routing
from gateway.targets.discovery import resolve
from gateway.targets.target import Address
from tests.unit.gateway.support import Bench, FakeTarget, Lines, routing, until


def ipv6_group() -> Routing:
    made = routing()
    web = dataclasses.replace(made.target_groups["Web"], ipv6=True)
    return dataclasses.replace(made, target_groups={"Web": web})


async def gateway_of(
    bench: Bench, target: FakeTarget, bind: str, with_routing: Routing, lines: Lines
) -> tuple[Gateway, AccessLog]:
    log = AccessLog(AlbFormat("Balancer"), lines)
    gateway = await start_gateway(
        with_routing,
        {"Web": [target.url]},
        port=0,
        bind=bind,
        access_log=log,
        timeouts=Timeouts(tick=0.02),
        random=Random(1),
    )
    bench.keep(gateway)
    await gateway.first_checks()
    return gateway, log


@pytest.mark.parametrize(
    ("bind", "target_host", "with_routing"),
    [
        ("::1", "::1", ipv6_group()),
        ("::1", "127.0.0.1", routing()),
        ("127.0.0.1", "::1", ipv6_group()),
    ],
)
async def test_clients_and_targets_may_use_ipv4_or_ipv6(
    bench: Bench, bind: str, target_host: str, with_routing: Routing
) -> None:
    target = await bench.target(host=target_host)
    lines = Lines()
    gateway, log = await gateway_of(bench, target, bind, with_routing, lines)
    client = await bench.client(gateway, bind)
    for _ in range(2):
        assert (await client.get()).body == b"ok"
    assert [visit.header(b"X-Forwarded-For") for visit in target.visits] == [bind.encode()] * 2
    log.flush()
    fields = lines.lines[0].split()
    port = client.writer.get_extra_info("sockname")[1]
    assert fields[3:5] == [str(Address(bind, port)), str(Address(target_host, target.port))]


async def test_an_ipv6_target_is_checked_by_its_address_in_brackets(bench: Bench) -> None:
    target = await bench.target(host="::1")
    gateway, _ = await gateway_of(bench, target, "127.0.0.1", ipv6_group(), Lines())
    await until(lambda: str(gateway.groups["Web"].registered[0].state) == "healthy")
    assert b"\r\nHost: [::1]:%d\r\n" % target.port in target.health_requests[0]
    described = Control(gateway, ipv6_group).health("Web")
    assert isinstance(described, dict)
    [entry] = described["TargetHealthDescriptions"]
    assert entry["Target"] == {"Id": "::1", "Port": target.port}


async def test_an_appended_ipv6_address_is_in_brackets(bench: Bench) -> None:
    target = await bench.target()
    gateway, _ = await gateway_of(bench, target, "::1", routing(), Lines())
    client = await bench.client(gateway, "::1")
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
    await client.answer()
    assert target.visits[0].header(b"X-Forwarded-For") == b"192.0.2.1, [::1]"


async def test_host_name_resolves_to_its_target_groups_family(bench: Bench) -> None:
    looked_up: list[bool] = []

    async def look_up(_name: str, port: int, ipv6: bool) -> set[Address]:
        looked_up.append(ipv6)
        return {Address("::1" if ipv6 else "127.0.0.1", port)}

    for made, host in ((ipv6_group(), "::1"), (routing(), "127.0.0.1")):
        gateway = await start_gateway(made, {"Web": ["http://web:1"]}, port=0, resolve_name=look_up)
        bench.keep(gateway)
        assert [target.address.host for target in gateway.groups["Web"].registered] == [host]
    assert looked_up[0] is True
    assert looked_up[-1] is False


async def test_resolver_returns_only_addresses_of_the_requested_family() -> None:
    assert await resolve("::1", 80, True) == {Address("::1", 80)}
    assert await resolve("127.0.0.1", 80, False) == {Address("127.0.0.1", 80)}
    for name, ipv6 in (("::1", False), ("127.0.0.1", True)):
        try:
            found = await resolve(name, 80, ipv6)
        except OSError:
            # Some systems report a different error.
            found = set()
        assert found == set()
