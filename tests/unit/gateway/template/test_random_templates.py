"""Random templates of valid parts, in one file or several: none is refused, and each routes as a
simple reference implementation does."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.rules import FixedResponse, Forward
from gateway.template.inputs import Choices, Source
from gateway.template.reader import load
from tests.unit.gateway.fake_request import FakeRequest

Json = Any
Tree = dict[str, Json]


def glob(pattern: str, text: str) -> bool:
    """A simple, slow implementation of globs."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and glob(pattern[1:], text[1:])


@dataclass(frozen=True)
class PlainRule:
    """A rule as lists of values; an empty list is no condition. ``weights`` are its target groups'
    shares; if they are empty, it answers with a status."""

    priority: int
    path: str
    hosts: list[str]
    method: str | None
    header: str | None
    weights: list[int]
    status: int

    def applies(self, path: str, host: str, method: str, header: str) -> bool:
        return (
            glob(self.path, path)
            and (not self.hosts or any(glob(each.lower(), host.lower()) for each in self.hosts))
            and self.method in (None, method)
            and (self.header is None or glob(self.header.lower(), header.lower()))
        )


@dataclass(frozen=True)
class Way:
    """The choices between equivalent spellings: each place uses the next of these numbers."""

    numbers: list[int]
    taken: list[int] = field(default_factory=list)

    def next(self, choices: int) -> int:
        self.taken.append(0)
        return self.numbers[len(self.taken) % len(self.numbers)] % choices


class Writer:
    """Writes one template, in any of the spellings that CloudFormation accepts."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self.parameters: Tree = {}
        self.mappings: Tree = {}
        self.resources: Tree = {}
        self.outputs: Tree = {}

    def text(self, value: str) -> Json:
        ways: list[Callable[[str], Json]] = [
            lambda text: text,
            self._by_parameter,
            self._by_mapping,
            lambda text: {"Fn::Join": ["", [text[: len(text) // 2], text[len(text) // 2 :]]]},
            lambda text: {"Fn::If": ["Always", text, {"Ref": "AWS::NoValue"}]},
            lambda text: {"Fn::If": ["Never", "wrong", text]},
            lambda text: {"Fn::Select": ["1", {"Fn::Split": ["|", f"wrong|{text}|wrong"]}]},
            lambda text: {"Fn::Sub": ["${Own}", {"Own": self._by_parameter(text)}]},
            lambda text: {"Fn::FindInMap": ["None", "at", "all", {"DefaultValue": text}]},
        ]
        return ways[self._way.next(len(ways))](value)

    def listed(self, values: list[str]) -> Json:
        nothing = {"Ref": "AWS::NoValue"}
        written = [self.text(value) for value in values]
        ways: list[Callable[[], Json]] = [
            lambda: written,
            lambda: [nothing, *written, {"Fn::If": ["Never", "x", nothing]}],
            lambda: {"Fn::If": ["Always", written, nothing]},
            lambda: {"Fn::Split": ["|", {"Fn::Join": ["|", values]}]},
        ]
        return ways[self._way.next(len(ways))]()

    def number(self, value: int) -> Json:
        return value if self._way.next(2) else self.text(str(value))

    def _by_parameter(self, text: str) -> Json:
        name = f"P{len(self.parameters)}"
        self.parameters[name] = {"Type": "String", "Default": text}
        return {"Ref": name}

    def _by_mapping(self, text: str) -> Json:
        name = f"M{len(self.mappings)}"
        self.mappings[name] = {"a": {"b": text}}
        return {"Fn::FindInMap": [name, "a", "b"]}

    def add(self, name: str, kind: str, properties: Tree) -> None:
        resource: Tree = {
            "Type": f"AWS::ElasticLoadBalancingV2::{kind}",
            "Properties": {**properties, "Unknown": {"Ref": "AWS::NoValue"}},
        }
        if self._way.next(2):
            resource["Condition"] = "Always"
        self.resources[name] = resource

    def write(self) -> str:
        always = {"Fn::Equals": ["a", "a"]}
        template: Tree = {
            "Transform": "AWS::LanguageExtensions",
            "Conditions": {"Always": always, "Never": {"Fn::Not": [{"Condition": "Always"}]}},
            "Resources": self.resources,
        }
        for name, section in (
            ("Parameters", self.parameters),
            ("Mappings", self.mappings),
            ("Outputs", self.outputs),
        ):
            if section:
                template[name] = section
        if self._way.next(2):
            # Copies, because YAML would write a repeated part as an alias.
            copied = json.loads(json.dumps(template))
            return yaml.safe_dump(copied, sort_keys=bool(self._way.next(2)))
        return json.dumps(template, indent=self._way.next(3))


LINKS = ("together", "export", "parameter", "nested", "stored", "arn")


def write(rules: list[PlainRule], links: list[str], way: Way, folder: Path) -> Choices:
    """Writes the templates. Each rule has its own, with a link to the listener's."""
    main = Writer(way)
    main.add("Balancer", "LoadBalancer", {"Scheme": main.text("internal")})
    not_found = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": main.number(404)}}
    main.add(
        "Listener",
        "Listener",
        {
            "LoadBalancerArn": {"Ref": "Balancer"},
            "Port": main.number(80),
            "Protocol": main.text("HTTP"),
            "DefaultActions": [not_found],
        },
    )
    main.outputs["Out"] = {"Value": {"Ref": "Listener"}, "Export": {"Name": main.text("listener")}}
    main.resources["Stored"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": main.text("/listener"), "Value": {"Ref": "Listener"}},
    }
    ties: dict[str, str] = {}
    for rule, link in zip(rules, links, strict=True):
        name = f"t{rule.priority}"
        writer = main if link == "together" else Writer(way)
        listener: Json = {
            "together": {"Ref": "Listener"},
            "export": {"Fn::ImportValue": writer.text("listener")},
            "parameter": {"Ref": "Given"},
            "nested": {"Ref": "Given"},
            "stored": "{{resolve:ssm:/listener}}",
            "arn": "arn:aws:elasticloadbalancing:x",
        }[link]
        add_rule(writer, rule, listener)
        if link in ("parameter", "nested"):
            writer.parameters["Given"] = {"Type": "String"}
        if link == "parameter":
            ties[f"{name}.Given"] = "main.Listener"
        if link == "arn":
            ties["arn:aws:elasticloadbalancing:x"] = "main.Listener"
        if link == "nested":
            main.resources[name] = {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {
                    "TemplateURL": {"Fn::Sub": f"https://${{AWS::Region}}.x/{name}.template"},
                    "Parameters": {"Given": {"Ref": "Listener"}},
                },
            }
        if link != "together":
            (folder / f"{name}.template").write_text(writer.write())
    (folder / "main.template").write_text(main.write())
    return Choices(ties=ties)


def add_rule(writer: Writer, rule: PlainRule, listener: Json) -> None:
    conditions: list[Json] = [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": writer.listed([rule.path])}}
    ]
    if rule.hosts:
        conditions.append(
            {"Field": writer.text("host-header"), "Values": writer.listed(rule.hosts)}
        )
    if rule.method is not None:
        config = {"Values": writer.listed([rule.method])}
        conditions.append({"Field": "http-request-method", "HttpRequestMethodConfig": config})
    if rule.header is not None:
        header = {"HttpHeaderName": "X-Test", "Values": writer.listed([rule.header])}
        conditions.append({"Field": "http-header", "HttpHeaderConfig": header})
    groups = []
    for number, weight in enumerate(rule.weights):
        group = f"Group{rule.priority}x{number}"
        writer.add(group, "TargetGroup", {"Protocol": writer.text("HTTP"), "Port": 80})
        groups.append({"TargetGroupArn": {"Ref": group}, "Weight": writer.number(weight)})
    action: Json = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    if not groups:
        config = {"StatusCode": writer.number(rule.status)}
        action = {"Type": "fixed-response", "FixedResponseConfig": config}
    writer.add(
        f"Rule{rule.priority}",
        "ListenerRule",
        {
            "ListenerArn": listener,
            "Priority": writer.number(rule.priority),
            "Conditions": conditions,
            "Actions": [action],
        },
    )


LETTERS = st.text("ab", max_size=3)
RULES = st.lists(
    st.builds(
        PlainRule,
        priority=st.integers(1, 50),
        path=st.text("ab*?", max_size=3).map(lambda text: f"/{text}"),
        hosts=st.lists(st.text("ab*", min_size=1, max_size=2).map("{}.test".format), max_size=2),
        method=st.sampled_from([None, "GET", "PUT"]),
        header=st.none() | st.text("ab", min_size=1, max_size=2),
        weights=st.lists(st.integers(0, 999), max_size=3),
        status=st.sampled_from([200, 403, 503]),
    ),
    max_size=4,
    unique_by=lambda rule: rule.priority,
).filter(lambda rules: all(wildcards(rule) <= 6 for rule in rules))
REQUESTS = st.lists(
    st.tuples(
        LETTERS, st.text("abAB", min_size=1, max_size=2), st.sampled_from(["GET", "PUT"]), LETTERS
    ),
    min_size=1,
    max_size=5,
)


def wildcards(rule: PlainRule) -> int:
    return sum(text.count("*") + text.count("?") for text in (rule.path, *rule.hosts))


def expected(rules: list[PlainRule], path: str, host: str, method: str, header: str) -> Json:
    found = [rule for rule in rules if rule.applies(path, host, method, header)]
    if not found:
        return 404
    rule = min(found, key=lambda each: each.priority)
    if not rule.weights:
        return rule.status
    return [(f"Group{rule.priority}x{n}", weight) for n, weight in enumerate(rule.weights)]


@given(
    rules=RULES,
    links=st.lists(st.sampled_from(LINKS), min_size=4, max_size=4),
    numbers=st.lists(st.integers(0, 1000), min_size=1, max_size=40),
    requests=REQUESTS,
)
def test_random_templates_route_as_their_rules_define(
    tmp_path_factory: Any,
    rules: list[PlainRule],
    links: list[str],
    numbers: list[int],
    requests: list[tuple[str, str, str, str]],
) -> None:
    folder = tmp_path_factory.mktemp("templates")
    choices = write(rules, links[: len(rules)], Way(numbers), folder)
    sources = [Source(path.stem, path) for path in sorted(folder.iterdir())]
    loaded = load(sources, choices)
    assert not loaded.warnings
    [listener] = loaded.routing.listeners
    for letters, label, method, header in requests:
        path, host = f"/{letters}", f"{label}.test"
        request = FakeRequest(
            path.encode(), method.encode(), host.encode(), ((b"X-Test", header.encode()),)
        )
        action = listener.rules.match(request).action
        decided: Json = None
        if isinstance(action, FixedResponse):
            decided = action.status
        elif isinstance(action, Forward):
            decided = [
                (group.target_group.rpartition(".")[2], group.weight) for group in action.groups
            ]
        assert decided == expected(rules, path, host, method, header)
