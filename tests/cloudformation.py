"""Evaluates the templates in infra/ as CloudFormation and the deploy commands do, so that tests can
look at the resulting resources. It shares no code with the gateway's own reader of templates."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from topology.deployments import SERVERS

ROOT: Final = Path(__file__).resolve().parents[1]
INFRA: Final = ROOT / "infra"
SERVICES: Final = SERVERS
ORDER: Final = (
    *("registry", "network", "data", "cluster", "routing", "operator", "workflow"),
    *SERVICES,
)
"""The order in which stacks are created; `observability` is the last."""

TEMPLATES: Final = {"workflow": "cases", **dict.fromkeys(SERVICES, "service")}
"""Which template a stack has, if not the one of its own name."""

PSEUDO: Final = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::URLSuffix": "amazonaws.com",
}
REGISTRY: Final = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
REVISION: Final = "0123456789abcdef0123456789abcdef01234567"
# Stands for what AWS would choose: addresses that are reserved for documentation (RFC 3849).
_CHOSEN: Final = {
    "network.Vpc.Ipv6CidrBlocks": ["2001:db8:1200::/56"],
    "data.Database.Endpoint.Port": "5432",
    "data.SingleDatabase.Endpoint.Port": "5432",
    "workflow.StateMachine": "arn:aws:states:eu-central-1:123456789012:stateMachine:board-cases",
}
_NO_VALUE: Final = object()


Document = dict[str, Any]
"""A template as plain values; every function is a mapping with one key."""


class _Loader(yaml.CSafeLoader):
    """Reads `!Function x` as `{"Fn::Function": x}`."""


def _call(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if name == "Fn::GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


_Loader.add_multi_constructor("!", _call)


def read_document(path: Path) -> Document:
    """The template in a file, not evaluated."""
    document: Document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a CSafeLoader
    return document


@cache
def template(name: str, folder: Path = INFRA) -> Document:
    """The template `<name>.yml` of a folder, not evaluated. All callers share it: do not change
    it."""
    return read_document(folder / f"{name}.yml")


class RefusedError(Exception):
    """CloudFormation rejects the parameters: a template's rules do not allow the combination."""


@dataclass(frozen=True)
class Resource:
    """A resource whose condition is true. References in `properties` are names like `network.Vpc`,
    and their attributes are names like `network.Vpc.Arn`."""

    name: str
    kind: str
    properties: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.properties[name]


@dataclass(frozen=True, eq=False)
class Stack:
    """A template with its parameters' values. Compared by identity."""

    parameters: Mapping[str, Any]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Any]


class _Evaluation:
    def __init__(self, stack: str, folder: Path, given: Mapping[str, Any], region: str) -> None:
        self._stack = stack
        self._body = template(TEMPLATES.get(stack, stack), folder)
        self._pseudo = PSEUDO | {"AWS::Region": region}
        body = self._body
        self.parameters: dict[str, Any] = {}
        for name, declared in body.get("Parameters", {}).items():
            value = str(given[name] if name in given else declared["Default"])
            _check(stack, name, declared, value)
            self.parameters[name] = value
            if declared["Type"].startswith("List<"):
                self.parameters[name] = value.split(",")

    def holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return self.holds(self._body["Conditions"][condition])
        [(function, argument)] = condition.items()
        if function == "Fn::Equals":
            left, right = (self.value(side) for side in argument)
            return bool(str(left) == str(right))
        if function == "Fn::Not":
            return not self.holds(argument[0])
        if function == "Fn::And":
            return all(self.holds(part) for part in argument)
        if function == "Fn::Or":
            return any(self.holds(part) for part in argument)
        if function == "Fn::Contains":
            values, value = (self.value(side) for side in argument)
            return str(value) in map(str, values)
        assert function == "Condition", function
        return self.holds(argument)

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            values = [self.value(element) for element in node]
            return [value for value in values if value is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(function, argument)] = node.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._function(function, argument)
        evaluated = {name: self.value(value) for name, value in node.items()}
        return {name: value for name, value in evaluated.items() if value is not _NO_VALUE}

    def _function(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return self._named(argument)
        if function == "Fn::If":
            condition, then, otherwise = argument
            return self.value(then if self.holds(condition) else otherwise)
        if function == "Fn::Sub":
            return self._sub(argument)
        if function == "Fn::GetAtt":
            return self._named(".".join(argument))
        arguments = self.value(argument)
        if function == "Fn::FindInMap":
            return self._body["Mappings"][arguments[0]][str(arguments[1])][arguments[2]]
        if function == "Fn::Select":
            return arguments[1][int(arguments[0])]
        if function == "Fn::Join":
            return arguments[0].join(map(str, arguments[1]))
        if function == "Fn::Split":
            return arguments[1].split(arguments[0])
        if function == "Fn::Cidr":
            block, count, bits = arguments
            network = ipaddress.ip_network(block)
            subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
            return [str(next(subnets)) for _ in range(int(count))]
        if function == "Fn::GetAZs":
            return [f"{self._pseudo['AWS::Region']}{zone}" for zone in "abc"]
        assert function == "Fn::Base64", function
        return arguments

    def _named(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        logical_id = name.partition(".")[0]
        resource = self._body["Resources"][logical_id]
        # CloudFormation rejects a reference to a resource whose condition is false.
        assert self.exists(resource), f"{self._stack}: {logical_id} does not exist"
        full = f"{self._stack}.{name}"
        return _CHOSEN.get(full, full)

    def _sub(self, argument: Any) -> str:
        text, local = argument if isinstance(argument, list) else (argument, {})

        def replace(found: re.Match[str]) -> str:
            name = found[1]
            return str(self.value(local[name]) if name in local else self._named(name))

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", replace, text)

    def exists(self, section: Mapping[str, Any]) -> bool:
        return "Condition" not in section or self.holds(section["Condition"])

    def check_rules(self) -> None:
        """Raise `RefusedError` for parameters that the template's rules do not allow together."""
        for rule in self._body.get("Rules", {}).values():
            if "RuleCondition" in rule and not self.holds(rule["RuleCondition"]):
                continue
            for assertion in rule["Assertions"]:
                if not self.holds(assertion["Assert"]):
                    raise RefusedError(f"{self._stack}: {assertion['AssertDescription']}")

    def stack(self) -> Stack:
        self.check_rules()
        resources = {
            name: Resource(
                f"{self._stack}.{name}",
                resource["Type"],
                self.value(resource.get("Properties", {})),
            )
            for name, resource in self._body["Resources"].items()
            if self.exists(resource)
        }
        outputs = {
            name: self.value(output["Value"])
            for name, output in self._body.get("Outputs", {}).items()
            if self.exists(output)
        }
        return Stack(self.parameters, resources, outputs)


def _check(stack: str, name: str, declared: Mapping[str, Any], value: str) -> None:
    allowed = declared.get("AllowedValues")
    assert allowed is None or value in map(str, allowed), f"{stack}: {name} cannot be {value!r}"
    pattern = declared.get("AllowedPattern")
    assert pattern is None or re.fullmatch(pattern, value), f"{stack}: {name} cannot be {value!r}"


@cache
def _evaluated(stack: str, folder: Path, given: frozenset[tuple[str, str]], region: str) -> Stack:
    return _Evaluation(stack, folder, dict(given), region).stack()


class Deployment:
    """All stacks of one deployment. Each gets the outputs of the earlier ones as parameters."""

    def __init__(
        self, folder: Path = INFRA, /, *, region: str = "eu-central-1", **parameters: str
    ) -> None:
        """`parameters` are passed to every template of the folder that has them. Raises
        `RefusedError` where a template's rules do not allow them together."""
        self.stacks: dict[str, Stack] = {}
        outputs: dict[str, Any] = {}
        for name in (*ORDER, "observability"):
            body = template(TEMPLATES.get(name, name), folder)
            declared = body["Parameters"]
            image = name if name in SERVICES else "board"
            own = {"Name": name, "Image": f"{REGISTRY}/board/{image}:{REVISION}", **parameters}
            if parameters.get("Paused") == "true":
                # Parameters that only the load balancer's stack has; the services keep theirs.
                own |= {"PublicOrigin": "http://before.example", "LoadBalancerFullName": "app/x/1"}
            given = {key: value for key, value in outputs.items() if key in declared}
            given |= {key: value for key, value in own.items() if key in declared}
            missing = declared.keys() - given.keys()
            missing = {key for key in missing if "Default" not in declared[key]}
            assert not missing, f"{name}: no value for {sorted(missing)}"
            self.stacks[name] = _evaluated(name, folder, frozenset(given.items()), region)
            if name not in SERVICES:
                new = self.stacks[name].outputs
                assert not new.keys() & outputs.keys(), f"{name} repeats an output"
                outputs |= new

    def of_kind(self, kind: str) -> Iterator[Resource]:
        """Every resource of the type `AWS::<kind>`."""
        for stack in self.stacks.values():
            for resource in stack.resources.values():
                if resource.kind == f"AWS::{kind}":
                    yield resource

    def resource(self, name: str) -> Resource:
        """The resource with a name like `network.Vpc`."""
        stack, _, logical_id = name.partition(".")
        return self.stacks[stack].resources[logical_id]

    def output(self, name: str) -> Any:
        """The value of an output; the services' stacks have none."""
        for stack, made in self.stacks.items():
            if stack not in SERVICES and name in made.outputs:
                return made.outputs[name]
        raise KeyError(name)
