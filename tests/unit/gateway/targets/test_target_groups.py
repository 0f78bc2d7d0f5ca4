"""Which target gets the next request: health, round robin, fail-open, discovery, draining."""

import asyncio
import dataclasses
import socket
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from gateway.gateway import UnknownTargetGroupError, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.routing.settings import TargetGroupSettings
from gateway.targets.discovery import Endpoint, InvalidTargetError, parse_endpoint, resolve
from gateway.targets.health import check, check_request
from gateway.targets.target import Address, CheckResult, HealthReason, Target, TargetState
from gateway.targets.target_group import TargetGroup
from tests.unit.gateway.support import OK, Bench, Visit, routing, says, until

SETTINGS = routing().target_groups["Web"]
OFTEN = Timeouts(look_up=0.05, tick=0.02)
PASSED = CheckResult(True)
FAILED = CheckResult(False, HealthReason.TIMEOUT, "Request timed out")


def group_of(
    *states: TargetState,
    settings: TargetGroupSettings = SETTINGS,
    now: Callable[[], float] | None = None,
) -> tuple[TargetGroup, list[Target]]:
    group = TargetGroup(settings, now or (lambda: 0.0), Random(1))
    targets = [group.register(Address("192.0.2.1", 8000 + n)) for n in range(len(states))]
    for target, state in zip(targets, states, strict=True):
        if state is TargetState.HEALTHY:
            group.record(target, PASSED)
        elif state is TargetState.UNHEALTHY:
            group.record(target, FAILED)
            group.record(target, FAILED)
    assert [target.state for target in targets] == list(states)
    return group, targets


def served(group: TargetGroup, count: int = 12) -> Counter[Target | None]:
    return Counter(group.choose() for _ in range(count))


H, U, I = TargetState.HEALTHY, TargetState.UNHEALTHY, TargetState.INITIAL  # noqa: E741 - initials


def test_healthy_targets_take_turns() -> None:
    group, targets = group_of(H, H, H)
    assert [group.choose() for _ in range(7)] == [*targets, *targets, targets[0]]


def test_only_healthy_targets_get_requests_while_there_are_any() -> None:
    group, targets = group_of(U, H, I, H)
    assert served(group) == {targets[1]: 6, targets[3]: 6}


def test_a_group_with_only_unhealthy_targets_fails_open_to_all_of_them() -> None:
    group, targets = group_of(U, U, I)
    assert served(group) == {targets[0]: 6, targets[1]: 6}


def test_a_target_gets_nothing_before_its_first_check_has_passed() -> None:
    group, _ = group_of(I, I)
    assert group.choose() is None


def test_group_without_targets_selects_none() -> None:
    group, _ = group_of()
    assert group.choose() is None


def test_first_passed_check_makes_a_target_healthy_and_later_the_thresholds_apply() -> None:
    group, [target] = group_of(I)
    group.record(target, FAILED)
    assert (target.state, target.reason) == (I, HealthReason.FIRST_CHECKS)
    group.record(target, PASSED)
    assert target.state is H
    group.record(target, FAILED)
    group.record(target, PASSED)
    group.record(target, FAILED)
    assert target.state is H
    group.record(target, FAILED)
    assert (target.state, target.reason, target.description) == (
        U,
        HealthReason.TIMEOUT,
        "Request timed out",
    )
    group.record(target, PASSED)
    assert target.state is U
    group.record(target, PASSED)
    assert (target.state, target.reason) == (H, HealthReason.NONE)


def test_a_drained_target_gets_no_new_request() -> None:
    group, targets = group_of(H, H)
    group.deregister(targets[0].address)
    assert served(group) == {targets[1]: 12}
    assert targets[0].reason is HealthReason.DEREGISTRATION
    group.record(targets[0], PASSED)
    assert targets[0].state is TargetState.DRAINING


def test_health_check_has_the_bytes_of_an_alb() -> None:
    checks = dataclasses.replace(SETTINGS.health_check, path="/")
    sent = check_request(checks, Address("10.0.7.140", 8080))
    assert sent == (
        b"GET / HTTP/1.1\r\nHost: 10.0.7.140:8080\r\nConnection: close\r\n"
        b"User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n"
    )
    assert len(sent) == 130
    assert b"\r\nHost: 10.0.7.140\r\n" in check_request(checks, Address("10.0.7.140", 80))
    assert b"\r\nHost: [2001:db8::1]:81\r\n" in check_request(checks, Address("2001:db8::1", 81))


async def test_a_check_has_the_reason_of_its_failure(bench: Bench) -> None:
    target = await bench.target()
    checks = dataclasses.replace(SETTINGS.health_check, timeout=0.1)
    address = Address("127.0.0.1", target.port)
    assert (await check(checks, address)).passed
    target.health = 503
    assert await check(checks, address) == CheckResult(
        False, HealthReason.CODE_MISMATCH, "Health checks failed with these codes: [503]"
    )
    wider = dataclasses.replace(checks, matcher=frozenset({200, 503}))
    assert (await check(wider, address)).passed
    target.health_delay = 1
    assert await check(checks, address) == FAILED
    await target.close()
    assert (await check(checks, address)).reason is HealthReason.FAILED


async def checked(answer: bytes) -> CheckResult:
    """The result of a check whose target sends these bytes and closes the connection."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        return await check(SETTINGS.health_check, Address("127.0.0.1", port))
    finally:
        server.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokay",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_health_check_depends_only_on_the_head_of_the_response(answer: bytes) -> None:
    assert await checked(answer) == CheckResult(True)


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 100 Continue\r\n\r\n"],
)
async def test_health_check_without_a_complete_head_fails(answer: bytes) -> None:
    assert await checked(answer) == CheckResult(
        False, HealthReason.FAILED, "Health checks failed: no HTTP response"
    )


async def test_a_check_may_have_a_port_of_its_own(bench: Bench) -> None:
    target = await bench.target()
    checks = dataclasses.replace(SETTINGS.health_check, port=target.port)
    assert (await check(checks, Address("127.0.0.1", 1))).passed


async def test_slow_health_check_delays_no_other_check(
    bench: Bench,
) -> None:
    slow, quick = await bench.target(), await bench.target()
    slow.health_delay = 10
    with_routing = routing(interval=0.05, check_timeout=1)
    starting = asyncio.create_task(bench.gateway(slow, quick, with_routing=with_routing))
    await until(lambda: len(slow.health_requests) >= 5 and len(quick.health_requests) >= 5)
    gateway = await starting
    await until(lambda: {target.state for target in gateway.groups["Web"].registered} == {H, U})


async def test_requests_follow_the_targets_health(bench: Bench) -> None:
    one, two = await bench.target(says(OK)), await bench.target(says(OK.replace(b"ok", b"2!")))
    gateway = await bench.gateway(one, two)
    client = await bench.client(gateway)
    assert {(await client.get()).body for _ in range(4)} == {b"ok", b"2!"}
    one.health = 500
    await until(lambda: U in {target.state for target in gateway.groups["Web"].registered})
    assert {(await client.get()).body for _ in range(4)} == {b"2!"}
    two.health = 500
    await until(lambda: {target.state for target in gateway.groups["Web"].registered} == {U})
    assert {(await client.get()).body for _ in range(4)} == {b"ok", b"2!"}
    one.health = 200
    await until(lambda: H in {target.state for target in gateway.groups["Web"].registered})
    assert {(await client.get()).body for _ in range(4)} == {b"ok"}


async def test_a_group_without_targets_answers_503(bench: Bench) -> None:
    client = await bench.client(await bench.gateway())
    assert (await client.get()).status_line == b"HTTP/1.1 503 Service Temporarily Unavailable"


class Names:
    """A name server that a test can change."""

    def __init__(self) -> None:
        self.known: dict[str, set[Address]] = {}
        self.down = False
        self.calls = 0

    async def __call__(self, name: str, _port: int, _ipv6: bool) -> set[Address]:
        self.calls += 1
        if self.down:
            raise socket.gaierror(socket.EAI_AGAIN, "no name server")
        return self.known.get(name, set())


async def test_targets_change_when_their_host_name_resolves_differently(bench: Bench) -> None:
    release = asyncio.Event()

    async def waits(visit: Visit) -> None:
        await release.wait()
        visit.send(OK)

    old, new = await bench.target(waits), await bench.target()
    names = Names()
    names.known["web"] = {Address("127.0.0.1", old.port)}
    gateway = await start_gateway(
        routing(deregistration_delay=0.4),
        {"Web": ["http://web:80"]},
        port=0,
        timeouts=OFTEN,
        resolve_name=names,
    )
    group = gateway.groups["Web"]
    try:
        await gateway.first_checks()
        slow, cut = await bench.client(gateway), await bench.client(gateway)
        slow.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: old.visits)
        names.known["web"] = {Address("127.0.0.1", new.port)}
        await until(lambda: group.draining)
        [draining] = group.draining
        await until(lambda: [target.state for target in group.registered] == [H])
        assert draining.address.port == old.port
        assert (await cut.get()).status == 200
        assert len(old.visits) == 1
        release.set()
        assert (await slow.answer()).body == b"ok"
        await until(lambda: not group.draining)
        names.down = True
        before = names.calls
        await until(lambda: names.calls > before + 2)
        assert len(group.registered) == 1
        names.down = False
        names.known.clear()
        await until(lambda: not group.registered)
        assert (await cut.get()).status == 503
    finally:
        await gateway.close()


async def test_a_request_that_outlasts_the_deregistration_delay_is_502(bench: Bench) -> None:
    async def never(visit: Visit) -> None:
        await visit.reader.read()

    target = await bench.target(never)
    names = Names()
    names.known["web"] = {Address("127.0.0.1", target.port)}
    gateway = await start_gateway(
        routing(deregistration_delay=0.1),
        {"Web": ["http://web"]},
        port=0,
        timeouts=OFTEN,
        resolve_name=names,
    )
    try:
        await gateway.first_checks()
        client = await bench.client(gateway)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: target.visits)
        names.known.clear()
        assert (await client.answer()).status == 502
        assert gateway.groups["Web"].draining == ()
    finally:
        await gateway.close()


async def test_every_address_of_a_host_name_is_a_target() -> None:
    names = Names()
    names.known["web"] = {Address(f"127.0.0.{n}", 1) for n in range(1, 4)}
    gateway = await start_gateway(
        routing(), {"Web": ["http://web:1", "http://127.0.0.3:1"]}, port=0, resolve_name=names
    )
    try:
        addresses = {target.address for target in gateway.groups["Web"].registered}
        assert addresses == names.known["web"]
    finally:
        await gateway.close()


async def test_localhost_resolves_to_one_address_of_the_groups_family() -> None:
    assert await resolve("localhost", 8000, False) == {Address("127.0.0.1", 8000)}
    assert await resolve("no-such-name.invalid", 8000, False) == set()


@pytest.mark.parametrize(
    "url", ["users:8000", "https://users", "http://", "http://users/path", "http://users:99999", ""]
)
def test_a_target_is_a_plain_http_url(url: str) -> None:
    with pytest.raises(InvalidTargetError):
        parse_endpoint(url)


@pytest.mark.parametrize(
    "name",
    ["a" * 64, f"web.{'a' * 64}.example", "a..b", ".".join(["abcd"] * 51), "a b", "a\0b", "ä" * 64],
)
def test_target_with_an_invalid_host_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidTargetError, match="is not a host name"):
        parse_endpoint(f"http://{name}:80")


@pytest.mark.parametrize("name", ["a" * 63, "web_1", "bücher.example", "users.", "127.0.0.1"])
def test_a_target_may_have_any_host_name(name: str) -> None:
    assert parse_endpoint(f"http://{name}:80") == Endpoint(name, 80)


def test_default_port_of_a_target_is_80() -> None:
    assert parse_endpoint("http://users") == Endpoint("users", 80)
    assert parse_endpoint("http://[::1]:81/") == Endpoint("::1", 81)


async def test_a_target_of_a_group_that_the_template_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownTargetGroupError, match="'Wub' in the template, only Web"):
        await start_gateway(routing(), {"Wub": ["http://127.0.0.1:1"]}, port=0)
