"""Metrics with CloudWatch's names."""

import asyncio
import dataclasses
import re

import pytest

from gateway.admin.control import Control
from gateway.observe.metrics_server import metrics_server
from gateway.routing.rules import Forward, Rules, WeightedGroup
from gateway.routing.settings import Routing, Stickiness
from tests.unit.gateway.measured import WEB, Measured, measured
from tests.unit.gateway.support import (
    OK,
    Bench,
    Visit,
    routing,
    routing_with,
    says,
    until,
)


async def test_statuses_of_targets_and_load_balancer_are_counted_separately(
    bench: Bench,
) -> None:
    answers = iter([b"200 OK", b"404 No", b"500 No", b"302 Go"])

    async def script(visit: object) -> None:
        status = next(answers)
        await says(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)(visit)  # type: ignore[arg-type] # a Visit

    one = await measured(bench, await bench.target(script))
    client = await bench.client(one.gateway)
    for _ in range(4):
        await client.get()
    await client.get("/fixed")
    client.send(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.answer()
    for status in (2, 3, 4, 5):
        assert one.value(f"HTTPCode_Target_{status}XX_Count", WEB) == 1
    assert one.value("HTTPCode_ELB_4XX_Count") == 1
    assert one.value("HTTPCode_ELB_5XX_Count") == 0
    assert one.value("HTTP_Fixed_Response_Count") == 1
    assert one.value("RequestCount") == 4
    assert one.value("RequestCount", WEB) == 4
    assert one.value("RuleEvaluations") == 5
    assert one.value("TargetResponseTime_count", WEB) == 4
    assert one.value("ProcessedBytes") > 500


async def test_request_without_a_target_is_not_in_request_count(
    bench: Bench,
) -> None:
    one = await measured(bench)
    await (await bench.client(one.gateway)).get()
    assert one.value("RequestCount") == 0
    assert one.value("HTTPCode_ELB_503_Count") == 1
    assert one.value("HTTPCode_ELB_5XX_Count") == 1


async def test_hosts_are_counted_by_health_and_requests_by_healthy_host(bench: Bench) -> None:
    good, bad = await bench.target(), await bench.target()
    one = await measured(bench, good, bad)
    client = await bench.client(one.gateway)
    for _ in range(6):
        await client.get()
    assert one.value("RequestCountPerTarget", WEB) == 3
    bad.health = 500
    await until(lambda: one.value("UnHealthyHostCount", WEB) == 1)
    assert one.value("HealthyHostCount", WEB) == 1
    assert one.value("RequestCountPerTarget", WEB) == 6
    assert one.value("HealthyStateRouting", WEB) == 1
    good.health = 500
    await until(lambda: one.value("UnHealthyHostCount", WEB) == 2)
    assert one.value("UnhealthyStateRouting", WEB) == 1
    await client.get()
    assert one.value("UnhealthyRoutingRequestCount", WEB) == 1


async def test_a_target_that_cannot_be_reached_is_a_connection_error(bench: Bench) -> None:
    target = await bench.target()
    one = await measured(bench, target)
    await target.close()
    await (await bench.client(one.gateway)).get()
    assert one.value("TargetConnectionErrorCount", WEB) == 1
    assert one.value("HTTPCode_ELB_502_Count") == 1


def sticky(stickiness: Stickiness | None, group_stickiness: int | None = None) -> Routing:
    """The common routing with sessions: with the target, or with the target group."""
    plain = routing()
    web = dataclasses.replace(plain.target_groups["Web"], stickiness=stickiness)
    [listener] = plain.listeners
    action = Forward((WeightedGroup("Web", 1),), group_stickiness)
    return dataclasses.replace(
        plain,
        target_groups={"Web": web},
        listeners=(dataclasses.replace(listener, rules=Rules((), action)),),
    )


async def visits_of_one_client(bench: Bench, one: Measured, count: int) -> None:
    """Each request has the cookies of the last response."""
    client = await bench.client(one.gateway)
    cookies = b""
    for _ in range(count):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + cookies + b"\r\n")
        answer = await client.answer()
        pairs = [
            value.partition(b";")[0] for name, value in answer.headers if name == b"Set-Cookie"
        ]
        cookies = b"Cookie: " + b"; ".join(pairs) + b"\r\n"


SETS_COOKIE = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=1\r\n\r\n")


@pytest.mark.parametrize(
    ("made", "by_load_balancer", "by_application"),
    [
        (sticky(Stickiness(60)), 1, 0),
        (sticky(Stickiness(60, "session")), 1, 1),
        (sticky(Stickiness(60), group_stickiness=60), 1, 0),
        (sticky(None, group_stickiness=60), 0, 0),
        (sticky(None), 0, 0),
    ],
)
async def test_a_new_session_with_a_target_is_a_non_sticky_request(
    bench: Bench, made: Routing, by_load_balancer: int, by_application: int
) -> None:
    target = await bench.target(says(SETS_COOKIE))
    one = await measured(bench, target, with_routing=made)
    await visits_of_one_client(bench, one, 4)
    assert one.value("NonStickyRequestCount") == by_load_balancer
    assert one.value("AppCookieNonStickinessCount") == by_application


async def test_rule_evaluations_only_grow(bench: Bench) -> None:
    one = await measured(bench, await bench.target())
    client = await bench.client(one.gateway)
    control = Control(one.gateway, routing)
    for number in range(1, 4):
        await client.get()
        assert one.value("RuleEvaluations") == number
        if number == 1:
            one.gateway.apply(routing())
        else:
            control.weights("Front", {"Web": 5})
        assert one.value("RuleEvaluations") == number


@pytest.mark.parametrize("drop", [False, True])
async def test_invalid_header_names_are_counted_as_forwarded_or_dropped(
    bench: Bench, drop: bool
) -> None:
    made = routing_with(drop_invalid_header_fields=drop)
    one = await measured(bench, await bench.target(), with_routing=made)
    client = await bench.client(one.gateway)
    for path in ("/", "/fixed"):
        client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\na_b: c\r\n\r\n".encode())
        await client.answer()
    await client.get()
    assert one.value("DroppedInvalidHeaderRequestCount") == int(drop)
    assert one.value("ForwardedInvalidHeaderRequestCount") == int(not drop)


async def test_ipv6_bytes_are_counted_in_total_and_separately(bench: Bench) -> None:
    one = await measured(bench, bind="::1")
    await (await bench.client(one.gateway, "::1")).get("/fixed")
    assert one.value("IPv6RequestCount") == 1
    assert one.value("IPv6ProcessedBytes") == one.value("ProcessedBytes") > 100


CLOUDWATCHS = frozenset(
    [
        "ActiveConnectionCount",
        "AppCookieNonStickinessCount",
        "ClientTLSNegotiationErrorCount",
        "DesyncMitigationMode_NonCompliant_Request_Count",
        "DroppedInvalidHeaderRequestCount",
        "ForwardedInvalidHeaderRequestCount",
        "HTTP_Fixed_Response_Count",
        "HTTP_Redirect_Count",
        "HTTP_Redirect_Url_Limit_Exceeded_Count",
        "HTTPCode_ELB_3XX_Count",
        "HTTPCode_ELB_4XX_Count",
        "HTTPCode_ELB_5XX_Count",
        "HTTPCode_ELB_500_Count",
        "HTTPCode_ELB_502_Count",
        "HTTPCode_ELB_503_Count",
        "HTTPCode_ELB_504_Count",
        "IPv6ProcessedBytes",
        "IPv6RequestCount",
        "LambdaInternalError",
        "LambdaTargetProcessedBytes",
        "LambdaUserError",
        "NewConnectionCount",
        "NonStickyRequestCount",
        "ProcessedBytes",
        "RequestCount",
        "RuleEvaluations",
        "HealthyHostCount",
        "HTTPCode_Target_2XX_Count",
        "HTTPCode_Target_3XX_Count",
        "HTTPCode_Target_4XX_Count",
        "HTTPCode_Target_5XX_Count",
        "RequestCountPerTarget",
        "TargetConnectionErrorCount",
        "TargetResponseTime",
        "UnHealthyHostCount",
        "HealthyStateRouting",
        "UnhealthyRoutingRequestCount",
        "UnhealthyStateRouting",
    ]
)


async def test_every_metric_has_a_cloudwatch_name(bench: Bench) -> None:
    statuses = iter(
        [
            b"101 Switching Protocols\r\nUpgrade: websocket",
            *(b"200 OK", b"204 No Content", b"304 Not Modified", b"404 No"),
        ]
    )

    async def script(visit: Visit) -> None:
        await says(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % next(statuses))(visit)

    one = await measured(bench, await bench.target(script))
    upgrading = await bench.client(one.gateway)
    upgrading.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    assert (await upgrading.answer()).status == 101
    upgrading.close()
    client = await bench.client(one.gateway)
    for path in ("/", "/", "/", "/", "/fixed"):
        assert (await client.get(path)).status >= 200
    await until(lambda: one.value("RequestCount") == 5)
    names = set(re.findall(r"^# TYPE (\S+)", one.text, re.MULTILINE))
    assert names <= CLOUDWATCHS
    assert {"HTTPCode_Target_2XX_Count", "HTTP_Fixed_Response_Count"} < names


async def test_classified_requests_are_counted(bench: Bench) -> None:
    one = await measured(bench, await bench.target(says(OK)))
    client = await bench.client(one.gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    await client.answer()
    assert one.value("DesyncMitigationMode_NonCompliant_Request_Count") == 1


async def test_response_times_are_in_cumulative_buckets(bench: Bench) -> None:
    one = await measured(bench, await bench.target())
    await (await bench.client(one.gateway)).get()
    pattern = r'^TargetResponseTime_bucket\{.*,le="([^"]+)"\} (\d+)$'
    buckets = re.findall(pattern, one.text, re.MULTILINE)
    assert buckets[-1] == ("+Inf", "1")
    assert sorted(int(count) for _, count in buckets) == [int(count) for _, count in buckets]


async def scraped(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /metrics HTTP/1.1", b"200 OK"),
        (b"GET /metrics?x=y HTTP/1.0", b"200 OK"),
        (b"POST /metrics HTTP/1.1", b"405 Method Not Allowed"),
        (b"GET / HTTP/1.1", b"404 Not Found"),
        (b"nonsense", b"404 Not Found"),
    ],
)
async def test_only_one_path_serves_metrics(request_line: bytes, status: bytes) -> None:
    server = metrics_server(lambda: "all of it\n")
    await server.start("127.0.0.1", 0)
    try:
        answer = await scraped(server.port, request_line + b"\r\n\r\n")
    finally:
        await server.close()
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert (b"\r\n\r\nall of it\n" in answer) is (status == b"200 OK")


async def test_every_line_is_in_the_prometheus_text_format(bench: Bench) -> None:
    one = await measured(bench, await bench.target())
    await (await bench.client(one.gateway)).get()
    name, label = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r'[a-zA-Z_][a-zA-Z0-9_]*="[^"\\\n]*"'
    sample = rf"{name}\{{{label}(,{label})*\}} -?[0-9.e+]+"
    kind = rf"# TYPE {name} (counter|gauge|histogram)"
    lines = one.text.splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(f"{sample}|{kind}", line), line
    kinds = [line for line in lines if line.startswith("#")]
    assert len(kinds) == len(set(kinds))
