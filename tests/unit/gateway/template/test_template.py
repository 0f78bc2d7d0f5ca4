"""What is read from a template, and that nothing in it is skipped silently."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.routing.redirect import Redirect
from gateway.routing.rules import FixedResponse, Forward, WeightedGroup
from gateway.routing.settings import ForwardedForMode
from gateway.template.reader import RefusedTemplateError, load_routing, read_routing
from tests.unit.gateway.fake_request import FakeRequest
from tests.unit.gateway.read_templates import HEAD, INTERNAL, body, read, refused
from tests.unit.gateway.support import TEMPLATE


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Ref Name", "web"),
        ("{Ref: Name}", "web"),
        ("!Sub '${Name}-${!Name}-${AWS::StackName}'", "web-${Name}-local"),
        ("!Sub ['${Own}/${Name}', {Own: !Ref Size}]", "small/web"),
        ('{"Fn::Sub": "${Name}!"}', "web!"),
        ("!If [Large, big, little]", "little"),
        ("!If [Small, !Ref Name, other]", "web"),
        ("!If [Both, 'yes', 'no']", "no"),
        ("!If [Either, 'true', 'false']", "true"),
        ("!FindInMap [Weights, !Ref Size, Two]", "2"),
        ("!Join ['-', [a, !Ref Name, !Ref Size]]", "a-web-small"),
        ("!Join ['', !Ref Zones]", "ab"),
        ("!Select [1, !Ref Zones]", "b"),
        ("!Select ['0', [!Ref Name, x]]", "web"),
        ("{'Fn::Select': [0, ['a', 'b']]}", "a"),
        ("'${Name}'", "${Name}"),
    ],
)
def test_intrinsic_functions_evaluate_as_in_cloudformation(expression: str, value: str) -> None:
    assert body(expression) == value


@pytest.mark.parametrize(
    "reference",
    [
        "!Ref Web",
        "!GetAtt Web.TargetGroupArn",
        "!Sub '${Web}'",
        "{'Fn::GetAtt': [Web, TargetGroupArn]}",
    ],
)
def test_reference_may_be_written_in_every_syntax(reference: str) -> None:
    text = TEMPLATE.replace("TargetGroupArn: !Ref Web", f"TargetGroupArn: {reference}")
    assert list(read(text).listeners[0].rules)[-1].action == Forward((WeightedGroup("Web", 1),))
    wrong = reference.replace("TargetGroupArn", "TargetGroupName")
    if wrong != reference:
        [line] = refused(TEMPLATE.replace("TargetGroupArn: !Ref Web", f"TargetGroupArn: {wrong}"))
        assert "Web.TargetGroupName is not an ARN of a TargetGroup" in line


def test_given_parameter_replaces_its_default() -> None:
    assert body("!If [Large, !Sub '${Name}', no]", Size="large", Name="x") == "x"


def test_no_value_removes_the_property() -> None:
    text = HEAD + TEMPLATE.replace(
        "      Protocol: HTTP\n      HealthCheckPath: /health",
        "      Protocol: HTTP\n      HealthCheckPath: !If [Large, /big, !Ref AWS::NoValue]",
    )
    assert read(text).target_groups["Web"].health_check.path == "/"
    assert read(text, Size="large").target_groups["Web"].health_check.path == "/big"


def test_the_listeners_port_may_be_a_parameter() -> None:
    text = HEAD + TEMPLATE.replace("Port: 8080", "Port: !Ref Port")
    assert read(text, Port="8123").listeners[0].port == 8123


def test_resource_with_a_false_condition_is_absent() -> None:
    text = HEAD + TEMPLATE.replace("  FixedRule:\n", "  FixedRule:\n    Condition: Large\n")
    assert [rule.priority for rule in read(text).listeners[0].rules] == [0]
    assert [rule.priority for rule in read(text, Size="large").listeners[0].rules] == [7, 0]


def test_non_routing_resources_are_ignored() -> None:
    text = TEMPLATE + "  Other:\n    Type: AWS::ECS::Service\n    Properties: {X: !GetAZs ''}\n"
    assert read(text).listeners[0].port == 8080


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "{Field: path-pattern, Values: [/fixed]}",
            "{Field: grpc-method, Values: [a]}",
            "t.yml:25: FixedRule: condition field 'grpc-method' is not implemented",
        ),
        (
            "Type: forward, TargetGroupArn",
            "Type: authenticate-oidc, TargetGroupArn",
            "t.yml:18: Front: action type 'authenticate-oidc' is not implemented "
            "without --identity",
        ),
        (
            "      Port: 8080",
            "      Port: 8080\n      Certificates: [{CertificateArn: a}]",
            "t.yml:17: Front: an HTTP listener has no Certificates",
        ),
        (
            "      Protocol: HTTP\n      Port",
            "      Protocol: TLS\n      Port",
            "t.yml:15: Front: Protocol 'TLS' is not implemented",
        ),
        (
            "      Protocol: HTTP\n      Port",
            "      Protocol: HTTPS\n      Port",
            "t.yml:14: Front: an HTTPS listener needs exactly one certificate",
        ),
        (
            "      Port: 8080",
            "      Port: 8080\n      MutualAuthentication: {Mode: verify}",
            "t.yml:17: Front: Mode 'verify' is not implemented",
        ),
        (
            "Port: 8080",
            "Port: 70000",
            "t.yml:16: Front: Port is a number from 1 to 65535, not '70000'",
        ),
        ("Port: 8080", "Port: !GetAZs ''", "t.yml:16: Front: Fn::GetAZs is not implemented here"),
        (
            "TargetGroupArn: !Ref Web",
            "TargetGroupArn: !Ref Front",
            "Front is not a TargetGroup here",
        ),
        ("TargetGroupArn: !Ref Web", "TargetGroupArn: !Ref Wub", "no parameter or resource 'Wub'"),
        ("ListenerArn: !Ref Front", "ListenerArn: !Ref Web", "Web is not a Listener here"),
        ("Priority: 7", "Priority: 0", "Priority is a number from 1 to 50000, not '0'"),
        ("Values: [/fixed]", "Values: [a, b, c, d, e, f]", "at most 5 condition values, not 6"),
        ("Values: [/fixed]", "Values: ['*a*b*c', '????']", "at most 6 wildcards, not 7"),
        ("Values: [/fixed]", "Values: ['/a b']", "path pattern '/a b'"),
        ("StatusCode: '200'", "StatusCode: '301'", "StatusCode is 2xx, 4xx or 5xx, not '301'"),
        ("MessageBody: fixed", f"MessageBody: {'x' * 1025}", "at most 1024 characters"),
        (
            "ContentType: text/plain",
            "ContentType: text/xml",
            "'text/xml' is not one that AWS allows",
        ),
        (
            "HealthCheckPath: /health",
            "TargetGroupAttributes: "
            "[{Key: load_balancing.algorithm.anomaly_mitigation, Value: 'on'}]",
            "anomaly_mitigation is not implemented with another value than 'off'",
        ),
        (
            "HealthCheckPath: /health",
            "TargetGroupAttributes: [{Key: made.up, Value: x}]",
            "attribute 'made.up' is not implemented",
        ),
        (
            "HealthCheckPath: /health",
            "TargetGroupAttributes: [{Key: deregistration_delay.timeout_seconds, Value: '9999'}]",
            "deregistration_delay.timeout_seconds is a number from 0 to 3600, not '9999'",
        ),
        (
            "Type: forward, TargetGroupArn",
            "Type: authenticate-cognito, TargetGroupArn",
            "action type 'authenticate-cognito' is not implemented",
        ),
        (
            "Type: forward, TargetGroupArn",
            "Type: jwt-validation, TargetGroupArn",
            "action type 'jwt-validation' is not implemented",
        ),
        (
            "- {Type: forward,",
            "- {Type: authenticate-oidc, Order: 1}\n        - {Type: forward, Order: 2,",
            "t.yml:18: Front: action type 'authenticate-oidc' is not implemented "
            "without --identity",
        ),
        (
            "HealthCheckPath: /health",
            "ProtocolVersion: GRPC",
            "ProtocolVersion 'GRPC' is not implemented",
        ),
        (
            "HealthCheckPath: /health",
            "ProtocolVersion: HTTP2",
            "ProtocolVersion 'HTTP2' is not implemented",
        ),
        (
            "      Protocol: HTTP\n      HealthCheckPath",
            "      Protocol: HTTPS\n      HealthCheckPath",
            "Web: Protocol 'HTTPS' is not implemented",
        ),
        (
            "HealthCheckPath: /health",
            "TargetType: lambda",
            "Web: a target group of type lambda has no Protocol",
        ),
        ("HealthCheckPath: /health", "Matcher: {HttpCode: 200-600}", "from 200 to 499"),
        ("HealthCheckPath: /health", "Matcher: {GrpcCode: '0'}", "GrpcCode is not implemented"),
        ("UnhealthyThresholdCount: 2", "UnhealthyThresholdCount: 1", "a number from 2 to 10"),
        ("!Ref Web", "!Ref Web, Order: 0", "Order is a number from 1 to 50000"),
        ("Priority: 7", "Priority: &p 7\n      X: *p", "no YAML anchors and aliases"),
        ("Priority: 7", "Priority: [", "not YAML"),
        ("Priority: 7", "Priority: null", "null has no meaning"),
        (
            "Resources:",
            "Transform: Own\nResources:",
            "t.yml:1: Transform: what the macro Own makes",
        ),
        (
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            "AWS::ElasticLoadBalancingV2::TrustStore",
            "AWS::ElasticLoadBalancingV2::TrustStore is not implemented",
        ),
    ],
)
def test_unsupported_features_are_refused_by_name_and_line(old: str, new: str, line: str) -> None:
    assert TEMPLATE.count(old) >= 1
    lines = refused(TEMPLATE.replace(old, new, 1))
    assert any(line in found for found in lines), lines


def test_all_problems_are_reported_at_once_in_the_templates_order() -> None:
    lines = refused(
        TEMPLATE.replace("Port: 8080", "Port: x").replace("path-pattern", "grpc-method"),
    )
    assert [line.split(": ")[:2] for line in lines] == [
        ["t.yml:16", "Front"],
        ["t.yml:25", "FixedRule"],
    ]


def test_duplicate_priority_is_refused() -> None:
    rule = TEMPLATE[TEMPLATE.index("  FixedRule:") :]
    rule = rule.replace("Priority: 7", "Priority: '07'")
    lines = refused(TEMPLATE + rule.replace("FixedRule", "OtherRule"))
    assert lines == ["t.yml:33: OtherRule: priority 7 is already that of FixedRule"]


def test_no_or_several_load_balancers_are_refused() -> None:
    balancer = TEMPLATE[TEMPLATE.index("  Balancer:") : TEMPLATE.index("  Web:")]
    lines = refused(TEMPLATE + balancer.replace("Balancer:", "Other:"))
    assert lines == [
        "t.yml:30: Other: Balancer and this LoadBalancer could both be run, and only one can: "
        "--load-balancer says which"
    ]
    lines = refused(TEMPLATE.replace("V2::LoadBalancer", "V2x::X"))
    assert "t.yml:1: there is no AWS::ElasticLoadBalancingV2::LoadBalancer to run" in lines


def test_internet_facing_load_balancer_is_run_by_default() -> None:
    routing = read(TEMPLATE + INTERNAL)
    assert routing.load_balancer.logical_id == "Balancer"
    assert [listener.logical_id for listener in routing.listeners] == ["Front"]
    assert routing.target_groups.keys() == {"Web"}


def test_requested_load_balancer_is_run() -> None:
    routing = read_routing(TEMPLATE + INTERNAL, {}, "t.yml", "Inside")
    assert routing.load_balancer.logical_id == "Inside"
    assert [listener.logical_id for listener in routing.listeners] == ["Back"]
    assert routing.target_groups.keys() == {"Api"}
    with pytest.raises(RefusedTemplateError, match="LoadBalancer 'Nobody', only Balancer, Inside"):
        read_routing(TEMPLATE + INTERNAL, {}, "t.yml", "Nobody")


def test_only_load_balancer_is_run_regardless_of_its_scheme() -> None:
    text = TEMPLATE.replace(
        "V2::LoadBalancer", "V2::LoadBalancer\n    Properties: {Scheme: internal}"
    )
    assert read(text).load_balancer.logical_id == "Balancer"


def test_resources_of_other_load_balancers_are_checked_as_well() -> None:
    [line] = refused(TEMPLATE + INTERNAL.replace("Protocol: HTTP}", "Protocol: GENEVE}"))
    assert "Api: this target group is for a network or a gateway load balancer" in line


def test_a_target_group_belongs_to_one_load_balancer() -> None:
    [line] = refused(TEMPLATE + INTERNAL.replace("!Ref Api", "!Ref Web"))
    assert "Web: Balancer and Inside both forward to it" in line


def test_listeners_have_ports_of_their_own_and_each_its_own_rules() -> None:
    front = TEMPLATE[TEMPLATE.index("  Front:") : TEMPLATE.index("  FixedRule:")]
    back = front.replace("Front", "Back").replace("8080", "8081")
    rule = TEMPLATE[TEMPLATE.index("  FixedRule:") :].replace("FixedRule", "BackRule")
    routing = read(TEMPLATE + back + rule.replace("!Ref Front", "!Ref Back"))
    assert [
        (listener.logical_id, listener.port, [rule.logical_id for rule in listener.rules])
        for listener in routing.listeners
    ] == [("Front", 8080, ["FixedRule", ""]), ("Back", 8081, ["BackRule", ""])]
    [line] = refused(TEMPLATE + front.replace("Front", "Back"))
    assert "Back: port 8080 is already that of Front" in line


def test_an_action_has_at_most_five_target_groups_with_weights_up_to_999() -> None:
    group = "{TargetGroupArn: !Ref Web, Weight: 1}"

    def forward(*groups: str) -> str:
        action = f"ForwardConfig: {{TargetGroups: [{', '.join(groups)}]}}"
        return TEMPLATE.replace("TargetGroupArn: !Ref Web", action)

    default = list(read(forward(group, group)).listeners[0].rules)[-1].action
    assert default == Forward((WeightedGroup("Web", 1), WeightedGroup("Web", 1)))
    assert "1 to 5 target groups, not 6" in refused(forward(*[group] * 6))[0]
    heavy = group.replace("1}", "1000}")
    assert "Weight is a number from 0 to 999, not '1000'" in refused(forward(heavy))[0]


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"Size": "medium"}, "t.yml:5: Size: 'medium' is not one of 'small', 'large'"),
        ({"Port": "79"}, "t.yml:4: Port: '79' is under MinValue 80"),
        ({"Port": "9001"}, "t.yml:4: Port: '9001' is over MaxValue 9000"),
        ({"Port": "http"}, "t.yml:4: Port: 'http' is not a number"),
        ({"Nonsense": "1"}, "Nonsense: there is no such parameter"),
    ],
)
def test_a_parameter_that_the_template_does_not_allow_is_refused(
    parameters: Mapping[str, str], line: str
) -> None:
    [found] = refused(HEAD + TEMPLATE, **parameters)
    assert line in found


def test_a_parameter_without_default_needs_a_value() -> None:
    text = "Parameters:\n  Vpc:\n    Type: AWS::EC2::VPC::Id\n" + TEMPLATE
    assert refused(text) == ["t.yml:2: Vpc: has no default, so a value is needed: --parameter"]
    assert read(text, Vpc="vpc-1").listeners[0].port == 8080


@pytest.mark.parametrize(
    ("conditions", "line"),
    [
        ("  Large: !Equals [a, a]\n  Loop: !Not [!Condition Loop]", "depends on itself"),
        ("  Loop: !Or [!Condition Missing, !Condition Missing]", "no condition 'Missing'"),
        ("  Loop: !Equals [a]", "Fn::Equals takes 2 arguments"),
    ],
)
def test_condition_that_cannot_be_evaluated_is_refused(conditions: str, line: str) -> None:
    text = TEMPLATE.replace("  FixedRule:\n", "  FixedRule:\n    Condition: Loop\n")
    [found] = refused(f"Conditions:\n{conditions}\n" + text)
    assert line in found


PLACES = {
    "VpcId": "vpc-0",
    "PublicSubnets": "subnet-0,subnet-1",
    "PrivateSubnets": "subnet-2,subnet-3",
    "AlbSecurityGroup": "sg-0",
    "InternalAlbSecurityGroup": "sg-1",
}
ROUTING = Path(__file__).parents[4] / "infra" / "routing.yml"


@pytest.mark.parametrize("share", ["0", "1", "5", "10", "25", "50", "75", "90", "95", "99", "100"])
def test_the_deployed_template_splits_each_contexts_requests_by_its_share(share: str) -> None:
    routing = load_routing(ROUTING, PLACES | {"ThreadsShare": share, "ListenerPort": "8080"})
    by_priority = {rule.priority: rule.action for rule in routing.listeners[0].rules}
    assert by_priority[30] == Forward(
        (
            WeightedGroup("ThreadsTargets", int(share)),
            WeightedGroup("MonolithTargets", 100 - int(share)),
        )
    )
    assert by_priority[40] == Forward(
        (WeightedGroup("PostsTargets", 100), WeightedGroup("MonolithTargets", 0))
    )
    assert routing.listeners[0].port == 8080


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b"


def test_the_deployed_template_redirects_to_https_when_there_is_a_certificate() -> None:
    routing = load_routing(ROUTING, PLACES | {"CertificateArn": CERTIFICATE})
    plain = load_routing(ROUTING, PLACES)
    [redirecting, secure] = routing.listeners
    assert (secure.protocol, secure.port) == ("HTTPS", 443)
    assert secure.certificates == (CERTIFICATE,)
    assert [(rule.priority, rule.action) for rule in secure.rules] == [
        (rule.priority, rule.action) for rule in plain.listeners[0].rules
    ]
    [rule] = redirecting.rules
    assert (redirecting.protocol, redirecting.port) == ("HTTP", 80)
    assert isinstance(rule.action, Redirect)
    location = rule.action.location(
        FakeRequest(b"/threads/1?page=2", routing_host=b"board.example"), "HTTP", 80
    )
    assert location == b"https://board.example:443/threads/1?page=2"


def test_deployed_template_has_an_internal_load_balancer_for_services() -> None:
    routing = load_routing(ROUTING, PLACES, "InternalLoadBalancer")
    [listener] = routing.listeners
    assert routing.load_balancer.forwarded_for is ForwardedForMode.PRESERVE
    for path, group in (
        (b"/internal/users/authenticate", "UsersInternalTargets"),
        (b"/internal/threads/1", "ThreadsInternalTargets"),
    ):
        action = listener.rules.match(FakeRequest(path)).action
        assert action == Forward((WeightedGroup(group, 1),))
    for path in (b"/", b"/api/users", b"/internal/usersfoo", b"/internal"):
        action = listener.rules.match(FakeRequest(path)).action
        assert isinstance(action, FixedResponse)
        assert action.status == 404


def test_deployed_template_cannot_be_run_while_paused() -> None:
    with pytest.raises(RefusedTemplateError, match=r"no .*LoadBalancer to run"):
        load_routing(ROUTING, PLACES | {"Paused": "true"})


def test_deployed_template_requires_its_network_parameters() -> None:
    with pytest.raises(RefusedTemplateError) as caught:
        load_routing(ROUTING, {})
    assert len(caught.value.lines) == len(PLACES)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("right", [True, False])
def test_conditions_are_combined_as_in_logic(left: bool, right: bool) -> None:
    sides = [f"!Equals [a, {'a' if side else 'b'}]" for side in (left, right)]
    ports = {}
    for function in ("And", "Or"):
        conditions = f"Conditions:\n  Both: !{function} [{sides[0]}, {sides[1]}]\n"
        text = conditions + TEMPLATE.replace("Port: 8080", "Port: !If [Both, 8081, 8082]")
        assert text.count("!If") == 1
        ports[function] = read(text).listeners[0].port
    assert ports == {
        "And": 8081 if left and right else 8082,
        "Or": 8081 if left or right else 8082,
    }
