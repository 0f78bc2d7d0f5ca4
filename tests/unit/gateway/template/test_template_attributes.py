"""Attributes and health checks in templates, and their defaults."""

from collections.abc import Mapping

import pytest

from gateway.gateway import start_gateway
from gateway.http1.desync import DesyncMode
from gateway.routing.settings import (
    Algorithm,
    ForwardedForMode,
    HealthCheckSettings,
    LoadBalancerSettings,
    TargetGroupSettings,
)
from tests.unit.gateway.read_templates import read, refused
from tests.unit.gateway.support import TEMPLATE, Bench, routing_with

CHECKS = (
    "HealthCheckPath: /health\n      UnhealthyThresholdCount: 2\n      HealthyThresholdCount: 2"
)
SILENT = TEMPLATE.replace(f"      {CHECKS}\n", "")


def test_a_health_check_has_the_defaults_of_aws() -> None:
    assert read(SILENT).target_groups["Web"].health_check == HealthCheckSettings(
        path="/",
        port=None,
        interval=30,
        timeout=5,
        healthy_threshold=5,
        unhealthy_threshold=2,
        matcher=frozenset({200}),
    )


def test_attributes_have_the_defaults_of_aws() -> None:
    routing = read(SILENT)
    group = routing.target_groups["Web"]
    assert routing.load_balancer == LoadBalancerSettings(
        "Balancer",
        idle_timeout=60,
        client_keep_alive=3600,
        desync_mode=DesyncMode.DEFENSIVE,
        drop_invalid_header_fields=False,
        preserve_host_header=False,
        tls_headers=False,
        forwarded_for=ForwardedForMode.APPEND,
        forwarded_for_port=False,
        http2=True,
    )
    assert group == TargetGroupSettings(
        "Web",
        ipv6=False,
        health_check=group.health_check,
        deregistration_delay=300,
        algorithm=Algorithm.ROUND_ROBIN,
        slow_start=0,
        stickiness=None,
        minimum_healthy_count=1,
        minimum_healthy_percentage=None,
    )
    [listener] = routing.listeners
    assert (listener.server_header, listener.response_headers) == (True, ())


async def test_the_timeouts_are_those_of_the_template(bench: Bench) -> None:
    gateway = await start_gateway(routing_with(idle_timeout=7, client_keep_alive=70), {}, port=0)
    bench.keep(gateway)
    timeouts = gateway.plane.timeouts
    assert (timeouts.idle, timeouts.client_keep_alive, timeouts.connect) == (7, 70, 10)


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("200", {200}),
        ("'200,202'", {200, 202}),
        ("200-299", set(range(200, 300))),
        ("'200-201, 301,403-404'", {200, 201, 301, 403, 404}),
        ("200-499", set(range(200, 500))),
    ],
)
def test_a_matcher_is_a_list_of_codes_and_ranges(written: str, codes: set[int]) -> None:
    text = TEMPLATE.replace(CHECKS, f"Matcher: {{HttpCode: {written}}}")
    assert read(text).target_groups["Web"].health_check.matcher == codes


@pytest.mark.parametrize("written", ["200-", "'200;201'", "20", "199", "500", "299-200"])
def test_invalid_matcher_is_refused(written: str) -> None:
    text = TEMPLATE.replace(CHECKS, f"Matcher: {{HttpCode: {written}}}")
    [line] = refused(text)
    assert "HttpCode is a list of codes or ranges from 200 to 499" in line


def with_attributes(owner: str, **values: str) -> str:
    """The common template with attributes of the resource before this line."""
    listed = ", ".join(f"{{Key: {key}, Value: '{value}'}}" for key, value in values.items())
    if owner == "LoadBalancer":
        return TEMPLATE.replace(
            "V2::LoadBalancer\n",
            f"V2::LoadBalancer\n    Properties: {{LoadBalancerAttributes: [{listed}]}}\n",
        )
    after = {"TargetGroup": CHECKS, "Listener": "Port: 8080"}[owner]
    return TEMPLATE.replace(after, f"{after}\n      {owner}Attributes: [{listed}]")


@pytest.mark.parametrize(
    ("attribute", "value", "name", "read_as"),
    [
        ("idle_timeout.timeout_seconds", "4000", "idle_timeout", 4000),
        ("client_keep_alive.seconds", "60", "client_keep_alive", 60),
        ("routing.http.desync_mitigation_mode", "monitor", "desync_mode", DesyncMode.MONITOR),
        ("routing.http.desync_mitigation_mode", "strictest", "desync_mode", DesyncMode.STRICTEST),
        (
            "routing.http.drop_invalid_header_fields.enabled",
            "true",
            "drop_invalid_header_fields",
            True,
        ),
        ("routing.http.preserve_host_header.enabled", "true", "preserve_host_header", True),
        ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "true", "tls_headers", True),
        (
            "routing.http.xff_header_processing.mode",
            "remove",
            "forwarded_for",
            ForwardedForMode.REMOVE,
        ),
        ("routing.http.xff_client_port.enabled", "true", "forwarded_for_port", True),
        ("routing.http2.enabled", "false", "http2", False),
    ],
)
def test_an_attribute_of_a_load_balancer_is_read_from_the_template(
    attribute: str, value: str, name: str, read_as: object
) -> None:
    settings = read(with_attributes("LoadBalancer", **{attribute: value})).load_balancer
    assert getattr(settings, name) == read_as
    assert getattr(read(TEMPLATE).load_balancer, name) != read_as


def test_a_listeners_server_header_is_an_attribute_of_the_template() -> None:
    for value in ("true", "false"):
        text = with_attributes("Listener", **{"routing.http.response.server.enabled": value})
        assert read(text).listeners[0].server_header is (value == "true")


@pytest.mark.parametrize(
    ("attributes", "name", "read_as"),
    [
        ({"deregistration_delay.timeout_seconds": "0"}, "deregistration_delay", 0),
        ({"slow_start.duration_seconds": "30"}, "slow_start", 30),
        (
            {"load_balancing.algorithm.type": "weighted_random"},
            "algorithm",
            Algorithm.WEIGHTED_RANDOM,
        ),
    ],
)
def test_an_attribute_of_a_target_group_is_read_from_the_template(
    attributes: Mapping[str, str], name: str, read_as: object
) -> None:
    settings = read(with_attributes("TargetGroup", **attributes)).target_groups["Web"]
    assert getattr(settings, name) == read_as


@pytest.mark.parametrize(
    ("owner", "attribute", "value"),
    [
        ("LoadBalancer", "idle_timeout.timeout_seconds", "4001"),
        ("LoadBalancer", "client_keep_alive.seconds", "59"),
        ("LoadBalancer", "routing.http.desync_mitigation_mode", "off"),
        ("LoadBalancer", "routing.http.preserve_host_header.enabled", "yes"),
        ("Listener", "routing.http.response.server.enabled", "no"),
    ],
)
def test_invalid_attribute_value_is_refused(owner: str, attribute: str, value: str) -> None:
    [line] = refused(with_attributes(owner, **{attribute: value}))
    assert f"attribute {attribute} is " in line
