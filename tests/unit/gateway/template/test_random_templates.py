"""Random templates of valid parts, in one file or several: none is refused, and each routes as a
simple reference implementation does."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.rules import FixedResponse, Forward, Rules
from gateway.template.inputs import Choices, Source
from gateway.template.reader import load
from tests.effort import Effort
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
    shares; if they are empty, it redirects to a host or answers with a status."""

    priority: int
    path: str
    hosts: list[str]
    method: str | None
    header: str | None
    query: str | None
    network: str | None
    weights: list[int]
    moved_to: str | None
    status: int

    def applies(self, request: FakeRequest) -> bool:
        path, _, query = request.target.decode().partition("?")
        host = request.routing_host.decode()
        [header] = request.header_values(b"x-test")
        return (
            glob(self.path, path)
            and (not self.hosts or any(glob(each.lower(), host.lower()) for each in self.hosts))
            and self.method in (None, request.method.decode())
            and (self.header is None or glob(self.header.lower(), header.decode().lower()))
            and (self.query is None or glob(f"k={self.query}".lower(), query.lower()))
            and (self.network is None or request.source.startswith(self.network))
        )

    @property
    def conditions(self) -> int:
        optional = (self.method, self.header, self.query, self.network)
        return 1 + len(self.hosts) + sum(each is not None for each in optional)


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
    if rule.query is not None:
        pairs = [{"Key": writer.text("k"), "Value": writer.text(rule.query)}]
        conditions.append({"Field": "query-string", "QueryStringConfig": {"Values": pairs}})
    if rule.network is not None:
        blocks = writer.listed([f"{rule.network}0/24"])
        conditions.append({"Field": "source-ip", "SourceIpConfig": {"Values": blocks}})
    groups = []
    for number, weight in enumerate(rule.weights):
        group = f"Group{rule.priority}x{number}"
        writer.add(group, "TargetGroup", {"Protocol": writer.text("HTTP"), "Port": 80})
        groups.append({"TargetGroupArn": {"Ref": group}, "Weight": writer.number(weight)})
    action: Json = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    if not groups and rule.moved_to is not None:
        redirect = {"Host": writer.text(rule.moved_to), "StatusCode": writer.text("HTTP_302")}
        action = {"Type": "redirect", "RedirectConfig": redirect}
    elif not groups:
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
        query=st.none() | st.text("ab", min_size=1, max_size=2),
        network=st.sampled_from([None, "192.0.2.", "198.51.100."]),
        weights=st.lists(st.integers(0, 999), max_size=3),
        moved_to=st.sampled_from([None, "moved.test"]),
        status=st.sampled_from([200, 403, 503]),
    ),
    max_size=4,
    unique_by=lambda rule: rule.priority,
).filter(lambda rules: all(wildcards(rule) <= 6 and rule.conditions <= 5 for rule in rules))
REQUESTS = st.lists(
    st.builds(
        lambda path, query, method, host, header, source: FakeRequest(
            f"/{path}?k={query}".encode(),
            method,
            f"{host}.test".encode(),
            ((b"X-Test", header.encode()),),
            source,
        ),
        LETTERS,
        st.text("abAB", max_size=2),
        st.sampled_from([b"GET", b"PUT"]),
        st.text("abAB", min_size=1, max_size=2),
        LETTERS,
        st.sampled_from(["192.0.2.7", "198.51.100.9"]),
    ),
    min_size=1,
    max_size=5,
)


def wildcards(rule: PlainRule) -> int:
    return sum(text.count("*") + text.count("?") for text in (rule.path, *rule.hosts))


def expected(rules: list[PlainRule], request: FakeRequest) -> Json:
    found = [rule for rule in rules if rule.applies(request)]
    if not found:
        return 404
    rule = min(found, key=lambda each: each.priority)
    if rule.weights:
        return [(f"Group{rule.priority}x{n}", weight) for n, weight in enumerate(rule.weights)]
    return (
        rule.status
        if rule.moved_to is None
        else f"http://{rule.moved_to}:80{request.target.decode()}"
    )


def decided(rules: Rules, request: FakeRequest) -> Json:
    action = rules.match(request).action
    if isinstance(action, FixedResponse):
        return action.status
    if isinstance(action, Forward):
        return [(group.target_group.rpartition(".")[2], group.weight) for group in action.groups]
    return action.location(request, "HTTP", 80).decode()


@pytest.mark.prove
@pytest.mark.timeout(3_600)
def test_random_templates_route_as_their_rules_define(
    tmp_path_factory: pytest.TempPathFactory, effort: Effort
) -> None:
    @given(
        rules=RULES,
        links=st.lists(st.sampled_from(LINKS), min_size=4, max_size=4),
        numbers=st.lists(st.integers(0, 1000), min_size=1, max_size=40),
        requests=REQUESTS,
    )
    @settings(max_examples=effort.templates, deadline=None)
    def any_templates(
        rules: list[PlainRule],
        links: list[str],
        numbers: list[int],
        requests: list[FakeRequest],
    ) -> None:
        folder = tmp_path_factory.mktemp("templates")
        try:
            choices = write(rules, links[: len(rules)], Way(numbers), folder)
            sources = [Source(path.stem, path) for path in sorted(folder.iterdir())]
            loaded = load(sources, choices)
        finally:
            shutil.rmtree(folder)
        assert not loaded.warnings
        [listener] = loaded.routing.listeners
        for request in requests:
            assert decided(listener.rules, request) == expected(rules, request)

    any_templates()
