"""Templates as tools write them: JSON and YAML, and the CDK's additions."""

import json
import re

import pytest
import yaml

from gateway.routing.rules import FixedResponse
from gateway.routing.settings import Routing
from tests.unit.gateway.read_templates import body, read, refused, with_body
from tests.unit.gateway.support import TEMPLATE


def in_json(indent: int | str | None = None) -> str:
    """The common template in JSON, with BODY for the value of its message body."""
    long_forms = re.sub(r"!Ref (\w+)", r"{Ref: \1}", TEMPLATE)
    written = json.dumps(yaml.safe_load(long_forms), indent=indent)
    return written.replace('"fixed"', "BODY")


def said(routing: Routing) -> list[object]:
    """The content of a template, for comparison."""
    rules = [
        (listener.port, rule.priority, [str(condition) for condition in rule.conditions])
        for listener in routing.listeners
        for rule in listener.rules
    ]
    actions = [rule.action for listener in routing.listeners for rule in listener.rules]
    return [routing.load_balancer, rules, actions, routing.target_groups]


def fixed_body(routing: Routing) -> str:
    for rule in routing.listeners[0].rules:
        if isinstance(rule.action, FixedResponse):
            return rule.action.body.decode()
    raise AssertionError("no fixed response")


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_and_yaml_templates_are_equivalent(indent: int | str | None) -> None:
    text = in_json(indent).replace("BODY", '"fixed"')
    assert said(read("\ufeff\n" + text)) == said(read(TEMPLATE))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\ud83d\ude00"', "😀"),
        ('"😀"', "😀"),
        (r'"\/\"\u00e4\n"', '/"ä\n'),
        ('{"Ref": "AWS::Region"}', "us-east-1"),
        ('{"Fn::Join": ["-", ["a", 1.50, true]]}', "a-1.50-true"),
    ],
)
def test_json_text_is_unescaped(written: str, value: str) -> None:
    assert fixed_body(read(in_json(indent="\t").replace("BODY", written))) == value


def test_surrogate_pair_is_one_character_in_yaml() -> None:
    assert body(r'"\ud83d\ude00"') == "😀"
    [line] = refused(with_body(r'"\ud83d"'))
    assert "half of a surrogate pair is not a character" in line


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ('"fixed', "not JSON: Invalid control character at"),
        ("'fixed'", "not JSON: Expecting value"),
        ('"a" "b"', "not JSON: a comma or } is missing"),
        ('{"Ref" "x"}', "not JSON: a colon follows the name 'Ref'"),
        ("{Ref: x}", "not JSON: a name stands in double quotes"),
        ("[1,]", "not JSON: Expecting value"),
        ("NaN", "not JSON: NaN is not a value"),
        (r'"\ud83d"', "half of a surrogate pair is not a character"),
        ("null", "null has no meaning in a template"),
    ],
)
def test_a_problem_in_json_names_its_line(written: str, problem: str) -> None:
    text = in_json(indent="\t")
    line = text[: text.index("BODY")].count("\n") + 1
    [told] = refused(text.replace("BODY", written))
    assert told.startswith(f"t.yml:{line}: {problem}")


def test_json_with_trailing_text_or_without_end_is_refused() -> None:
    text = in_json().replace("BODY", '"fixed"')
    assert refused(text + "\n}") == ["t.yml:2: not JSON: something follows the template's end"]
    assert refused("{" * 3) == ["t.yml:1: not JSON: a name stands in double quotes"]
    assert refused('{"a": ' + "[" * 100_000) == ["t.yml:1: lists and mappings are nested too deep"]


BOOTSTRAP = """\
Parameters:
  BootstrapVersion:
    Type: AWS::SSM::Parameter::Value<String>
    Default: /cdk-bootstrap/hnb659fds/version
    AllowedPattern: /.*
Rules:
  CheckBootstrapVersion:
    Assertions:
      - Assert: {'Fn::Not': [{'Fn::Contains': [['1', '2'], {Ref: BootstrapVersion}]}]}
        AssertDescription: bootstrap again
"""


def test_a_template_of_the_cdk_runs() -> None:
    assert said(read(BOOTSTRAP + TEMPLATE)) == said(read(TEMPLATE))


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("String", {"Stored": "found"}, "found"),
        ("AWS::EC2::Image::Id", {"Stored": "ami-1"}, "ami-1"),
        ("CommaDelimitedList", {"Stored": "a, b"}, "a-b"),
        ("List<String>", {"Stored": "a,b"}, "a-b"),
        ("List<AWS::EC2::Subnet::Id>", {"Stored": "a,b"}, "a-b"),
    ],
)
def test_stored_parameter_has_the_given_value(kind: str, given: dict[str, str], value: str) -> None:
    declared = f"  Stored:\n    Type: AWS::SSM::Parameter::Value<{kind}>\n    Default: /a/b\n"
    used = "!Join ['-', !Ref Stored]" if "List" in kind else "!Ref Stored"
    text = with_body(used).replace("Parameters:\n", f"Parameters:\n{declared}")
    assert fixed_body(read(text, **given)) == value


def test_target_group_arn_must_match_the_forward_config() -> None:
    plain = "{Type: forward, TargetGroupArn: !Ref Web}"
    both = (
        "{Type: forward, TargetGroupArn: OUTER, "
        "ForwardConfig: {TargetGroups: [{TargetGroupArn: !Ref Web}]}}"
    )
    for outer in ("!Ref Web", "!GetAtt Web.TargetGroupArn", "!Ref AWS::NoValue"):
        text = TEMPLATE.replace(plain, both.replace("OUTER", outer))
        assert said(read(text)) == said(read(TEMPLATE))
    web = TEMPLATE[TEMPLATE.index("  Web:") : TEMPLATE.index("  Front:")]
    text = TEMPLATE.replace("  Front:\n", web.replace("Web:", "Api:") + "  Front:\n")
    [line] = refused(text.replace(plain, both.replace("OUTER", "!Ref Api")))
    assert "TargetGroupArn together with ForwardConfig must be its only target group" in line
