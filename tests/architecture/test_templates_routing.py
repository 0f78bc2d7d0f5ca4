"""routing.yml: which target group answers which path. The tests evaluate the template with code of
their own, and the gateway must come to the same result."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway.routing.rules import FixedResponse, Forward
from gateway.template.reader import load_routing
from tests.cloudformation import (
    INFRA,
    ROOT,
    SERVICES,
    Deployment,
    RefusedError,
    Resource,
    template,
)
from tests.unit.gateway.fake_request import FakeRequest
from topology.contexts import CALLED, CONTEXTS
from topology.deployments import SERVICES as SERVICES_OF_CLIENTS
from topology.routing import LOCAL_PARAMETERS, SHARES, STAND_INS, share_parameter

ALLOWED = tuple(str(share) for share in range(101))
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
HTTPS = {"CertificateArn": CERTIFICATE, "DomainName": "board.example"}
PATHS = (
    "/",
    "/index.html",
    "/threads/1",
    "/api",
    "/api/",
    "/api/nothing",
    "/api/users",
    "/api/users/",
    "/api/users/1",
    "/api/users/openapi.json",
    "/api/usersettings",
    "/API/users",
    "/api/sessions",
    "/api/sessions/current",
    "/api/sessionsx",
    "/api/threads",
    "/api/threads/1/lock",
    "/api/threadsfoo",
    "/api/posts",
    "/api/posts/in-thread/1",
    "/api/postscript",
    "/api/cases",
    "/api/cases/1/decision",
    "/api/casestudy",
    "/internal/users/authenticate",
    "/internal/threads/1",
    "/internal/posts/1",
    "/internal/usersx",
    "/internal",
    "/readyz",
    "/shares.json",
)

Answer = Mapping[str, int] | str
"""Each target group's weight, or a status."""


def _fits(pattern: str, path: str) -> bool:
    """Whether a path-pattern condition holds: * matches anything, ? one character, and case
    matters."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, path) is not None


def _rules(deployment: Deployment, listener: Resource) -> Iterator[Resource]:
    """The listener's rules, in the order in which they are tried."""
    found = [
        rule
        for rule in deployment.of_kind("ElasticLoadBalancingV2::ListenerRule")
        if rule["ListenerArn"] == listener.name
    ]
    yield from sorted(found, key=lambda rule: int(rule["Priority"]))


def _answer(actions: list[dict[str, Any]]) -> Answer:
    [action] = actions
    if action["Type"] == "forward":
        return {
            group["TargetGroupArn"].removeprefix("routing."): int(group["Weight"])
            for group in action["ForwardConfig"]["TargetGroups"]
        }
    assert action["Type"] == "fixed-response"
    return str(action["FixedResponseConfig"]["StatusCode"])


def _read(deployment: Deployment, listener: str, path: str) -> Answer:
    """The target groups that answer, as the tests read the template."""
    found = deployment.resource(f"routing.{listener}")
    for rule in _rules(deployment, found):
        [condition] = rule["Conditions"]
        assert condition["Field"] == "path-pattern"
        if any(_fits(value, path) for value in condition["PathPatternConfig"]["Values"]):
            return _answer(rule["Actions"])
    return _answer(found["DefaultActions"])


def _gateway(
    parameters: Mapping[str, str], balancer: str | None, listener: str
) -> dict[str, Answer]:
    """The target groups that answer each path on the listener, as the gateway reads the
    template."""
    routing = load_routing(INFRA / "routing.yml", {**STAND_INS, **parameters}, balancer)
    [rules] = [one.rules for one in routing.listeners if one.logical_id == listener]
    answers: dict[str, Answer] = {}
    for path in PATHS:
        action = rules.match(FakeRequest(path.encode())).action
        if isinstance(action, Forward):
            answers[path] = {group.target_group: group.weight for group in action.groups}
        else:
            assert isinstance(action, FixedResponse)
            answers[path] = str(action.status)
    return answers


@pytest.mark.parametrize(
    "shares",
    [
        ("100", "100", "100", "100", "100"),
        ("0", "0", "0", "0", "0"),
        ("50", "25", "1", "75", "99"),
        ("10", "0", "95", "90", "5"),
    ],
)
@pytest.mark.parametrize("https", [{}, HTTPS])
def test_gateway_routes_the_deployed_template_as_expected(
    shares: tuple[str, ...], https: dict[str, str]
) -> None:
    parameters = {**dict(zip(SHARES, shares, strict=True)), **https}
    deployment = Deployment(**parameters)
    listener = "SecureListener" if https else "Listener"
    answers = {path: _read(deployment, listener, path) for path in PATHS}
    assert answers == _gateway(parameters, None, listener)
    # The answers are not all the same.
    assert len({str(answer) for answer in answers.values()}) >= 3


def test_load_balancer_shows_the_shares_of_every_service() -> None:
    shares = {share_parameter(name): str(number) for number, name in enumerate(SERVICES_OF_CLIENTS)}
    [action] = Deployment(**shares).resource("routing.SharesRule")["Actions"]
    assert action["FixedResponseConfig"]["ContentType"] == "application/json"
    body = json.loads(action["FixedResponseConfig"]["MessageBody"])
    assert body == {name: number for number, name in enumerate(SERVICES_OF_CLIENTS)}


def test_load_balancer_shows_no_shares_where_instances_are_not_named() -> None:
    assert _read(Deployment(), "Listener", "/shares.json") == "200"
    hidden = _read(Deployment(ShowInstance="0"), "Listener", "/shares.json")
    assert hidden == _read(Deployment(), "Listener", "/")


def test_page_shows_the_shares_behind_a_local_gateway() -> None:
    assert LOCAL_PARAMETERS.items() > STAND_INS.items()
    parameters = {name: LOCAL_PARAMETERS[name] for name in LOCAL_PARAMETERS.keys() - STAND_INS}
    answers = _gateway(parameters, None, "Listener")
    assert answers["/shares.json"] == answers["/"]


def test_gateway_routes_internal_calls_as_expected() -> None:
    deployment = Deployment()
    answers = {path: _read(deployment, "InternalListener", path) for path in PATHS}
    assert answers == _gateway({}, "InternalLoadBalancer", "InternalListener")


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("/api/users/1", "Users"),
        ("/api/sessions", "Users"),
        ("/api/threads", "Threads"),
        ("/api/posts/1", "Posts"),
        ("/api/cases", "Cases"),
        ("/", "Web"),
        ("/api/usersettings", "Web"),
        ("/nothing", "Web"),
    ],
)
@pytest.mark.parametrize("share", ["0", "1", "37", "99", "100"])
def test_share_of_a_context_follows_its_parameter(path: str, context: str, share: str) -> None:
    deployment = Deployment(**{f"{context}Share": share})
    assert _read(deployment, "Listener", path) == {
        f"{context}Targets": int(share),
        "MonolithTargets": 100 - int(share),
    }


def test_every_share_that_may_be_given_has_its_weights() -> None:
    body = template("routing")
    weights = body["Mappings"]["Weights"]
    assert set(weights) == set(ALLOWED)
    for share, pair in weights.items():
        assert (pair["Service"], pair["Monolith"]) == (int(share), 100 - int(share))
    for name in SHARES:
        declared = body["Parameters"][name]
        allowed = re.compile(declared["AllowedPattern"])
        assert all(allowed.fullmatch(share) for share in ALLOWED)
        for refused in ("101", "-1", "ten", "", "05", "1.5", "100 "):
            assert not allowed.fullmatch(refused)
        assert declared["Default"] == "100"


def test_a_target_group_belongs_to_one_load_balancer() -> None:
    # AWS: TargetGroupAssociationLimitException.
    deployment = Deployment()
    owners: dict[str, set[str]] = {}
    for listener in deployment.of_kind("ElasticLoadBalancingV2::Listener"):
        for path in PATHS:
            answer = _read(deployment, listener.name.removeprefix("routing."), path)
            for group in answer if isinstance(answer, Mapping) else ():
                owners.setdefault(group, set()).add(listener["LoadBalancerArn"])
    made = {
        group.name.removeprefix("routing.")
        for group in deployment.of_kind("ElasticLoadBalancingV2::TargetGroup")
    }
    assert owners.keys() == made
    assert all(len(balancers) == 1 for balancers in owners.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_registers_in_its_own_groups_and_in_no_others(name: str) -> None:
    deployment = Deployment()
    registered = {
        balanced["TargetGroupArn"]
        for balanced in deployment.resource(f"{name}.Service")["LoadBalancers"]
    }
    made = {
        group.name
        for group in deployment.of_kind("ElasticLoadBalancingV2::TargetGroup")
        if re.fullmatch(rf"routing\.{name.capitalize()}(Internal)?Targets", group.name)
    }
    assert made
    assert registered == made


def test_every_target_group_has_the_same_health_check() -> None:
    groups = [
        {name: value for name, value in group.properties.items() if name != "Name"}
        for group in Deployment().of_kind("ElasticLoadBalancingV2::TargetGroup")
    ]
    assert len(groups) == len(SERVICES) + len(CALLED)
    assert all(group == groups[0] for group in groups)


def test_internal_paths_are_routed_to_their_services() -> None:
    deployment = Deployment()
    called = set(
        re.findall(r'"(/internal/[a-z]+/[a-z{]+)', (ROOT / "kernel" / "clients.py").read_text())
    )
    assert {path.split("/")[2] for path in called} == set(CALLED)
    for path in called:
        context = path.split("/")[2]
        assert _read(deployment, "InternalListener", path.replace("{", "1")) == {
            f"{context.capitalize()}InternalTargets": 1
        }


def test_calls_between_services_have_no_x_forwarded_for() -> None:
    internal = Deployment().resource("routing.InternalLoadBalancer")
    attributes = {entry["Key"]: entry["Value"] for entry in internal["LoadBalancerAttributes"]}
    # /internal is for requests without X-Forwarded-For, which this load balancer does not add.
    assert attributes["routing.http.xff_header_processing.mode"] == "preserve"
    [record] = Deployment().of_kind("Route53::RecordSet")
    assert Deployment().output("InternalOrigin") == f"http://{record['Name']}"
    assert record["AliasTarget"]["DNSName"] == "routing.InternalLoadBalancer.DNSName"


def test_with_a_certificate_plain_http_only_redirects() -> None:
    deployment = Deployment(**HTTPS, ListenerPort="8080")
    listeners = {
        listener["Port"]: listener
        for listener in deployment.of_kind("ElasticLoadBalancingV2::Listener")
        if listener["LoadBalancerArn"] == "routing.LoadBalancer"
    }
    assert listeners.keys() == {"8080", 443}
    assert listeners[443]["Certificates"] == [{"CertificateArn": CERTIFICATE}]
    # TLS 1.2 at least.
    assert listeners[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-")
    [action] = listeners["8080"]["DefaultActions"]
    assert action["RedirectConfig"] == {
        "Protocol": "HTTPS",
        "Port": "443",
        "StatusCode": "HTTP_301",
    }
    assert not list(_rules(deployment, listeners["8080"]))
    prefixes = [prefix for context in CONTEXTS for prefix in context.public_prefixes]
    # Also /api and /shares.json.
    assert len(list(_rules(deployment, listeners[443]))) == len(prefixes) + 2


def test_without_a_certificate_there_is_one_listener() -> None:
    [listener] = [
        listener
        for listener in Deployment().of_kind("ElasticLoadBalancingV2::Listener")
        if listener["LoadBalancerArn"] == "routing.LoadBalancer"
    ]
    assert (listener["Protocol"], listener["Port"]) == ("HTTP", "80")


@pytest.mark.parametrize(
    ("parameters", "origin"),
    [
        ({}, "http://routing.LoadBalancer.DNSName"),
        ({"ListenerPort": "8080"}, "http://routing.LoadBalancer.DNSName:8080"),
        (HTTPS, "https://board.example"),
        ({**HTTPS, "ListenerPort": "8080"}, "https://board.example"),
    ],
)
def test_public_origin_is_the_address_of_the_load_balancer(
    parameters: dict[str, str], origin: str
) -> None:
    assert Deployment(**parameters).output("PublicOrigin") == origin


def test_pause_removes_load_balancers_and_keeps_target_groups() -> None:
    up, paused = Deployment(), Deployment(Paused="true")
    gone = ("LoadBalancer", "Listener", "ListenerRule")
    for kind in gone:
        assert list(up.of_kind(f"ElasticLoadBalancingV2::{kind}"))
        assert not list(paused.of_kind(f"ElasticLoadBalancingV2::{kind}"))
    for kind in ("Route53::RecordSet", "EC2::NatGateway", "EC2::EIP"):
        assert list(up.of_kind(kind))
        assert not list(paused.of_kind(kind))
    kept = "ElasticLoadBalancingV2::TargetGroup"
    assert list(paused.of_kind(kept)) == list(up.of_kind(kept))


@pytest.mark.parametrize(
    "parameters",
    [
        {"CertificateArn": CERTIFICATE},
        {"DomainName": "board.example"},
        {**HTTPS, "ListenerPort": "443"},
    ],
)
def test_a_certificate_without_a_domain_is_refused_and_so_is_a_second_listener_on_443(
    parameters: dict[str, str],
) -> None:
    with pytest.raises(RefusedError):
        Deployment(**parameters)


def test_access_log_bucket_remains_after_logging_ends() -> None:
    logged, ending = Deployment(AccessLogs="true"), Deployment(AccessLogs="ending")
    for kind in ("S3::Bucket", "S3::BucketPolicy"):
        assert list(ending.of_kind(kind)) == list(logged.of_kind(kind)) != []
    attributes = ending.resource("routing.LoadBalancer")["LoadBalancerAttributes"]
    assert {"Key": "access_logs.s3.enabled", "Value": "false"} in attributes
    assert ending.output("AccessLogBucket") == logged.output("AccessLogBucket")


@pytest.mark.parametrize("logged", ["false", "true"])
def test_access_logs_go_to_the_bucket_if_enabled(logged: str) -> None:
    deployment = Deployment(AccessLogs=logged)
    entrance = deployment.resource("routing.LoadBalancer")
    attributes = {entry["Key"]: entry["Value"] for entry in entrance["LoadBalancerAttributes"]}
    buckets = [bucket.name for bucket in deployment.of_kind("S3::Bucket")]
    assert attributes["access_logs.s3.enabled"] == logged
    if logged == "true":
        assert [attributes["access_logs.s3.bucket"]] == buckets == ["routing.AccessLogBucket"]
    else:
        assert not buckets
        assert "access_logs.s3.bucket" not in attributes
