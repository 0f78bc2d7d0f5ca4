"""Choices are checked before anything is created, and the stacks store them."""

import inspect
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy import settings
from deploy.checks import choices
from deploy.errors import CannotDeployError
from deploy.installation import Installation
from deploy.settings import Settings
from deploy.stacks import templates
from deploy.stacks.templates import Template
from kernel.data.database import Database
from tests.cloudformation import INFRA, Deployment, RefusedError, template
from tests.combinations import OFFERED
from tests.unit.deploy.fakes import FakeClock
from topology.deployments import DEPLOYMENTS

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b"


@pytest.fixture(scope="module")
def read() -> Mapping[str, Template]:
    """The templates by name."""
    return {path.stem: templates.read(INFRA, path.stem) for path in INFRA.glob("*.yml")}


def _problems(deployment: str = "microservices", **chosen: str) -> list[str]:
    return list(choices.problems({**choices.DEFAULTS, **chosen}, deployment))


def test_the_defaults_make_sense_in_every_deployment() -> None:
    for deployment in DEPLOYMENTS:
        choices.require_consistent({}, {}, deployment)


def test_the_defaults_are_the_templates() -> None:
    declared = {
        name: str(parameter.get("Default", ""))
        for path in INFRA.glob("*.yml")
        for name, parameter in template(path.stem)["Parameters"].items()
    }
    assert {name: declared[name] for name in choices.DEFAULTS} == choices.DEFAULTS


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"CertificateArn": CERTIFICATE}, "CERTIFICATE_ARN needs DOMAIN_NAME"),
        ({"DomainName": "board.example"}, "DOMAIN_NAME needs CERTIFICATE_ARN"),
        (
            {"CertificateArn": CERTIFICATE, "DomainName": "b.example", "ListenerPort": "443"},
            "LISTENER_PORT=443",
        ),
        ({"MinCapacity": "8"}, "MinCapacity=8 is above MaxCapacity=4"),
        ({"DesiredCount": "5", "MaxInstances": "9"}, "COUNT=5 is above MaxCount=4"),
        (
            {"DesiredCount": "4", "MaxInstances": "2"},
            "COUNT=4 needs 3 instances t3.small, and only 2 are allowed: use MAX_INSTANCES=3",
        ),
        ({"DatabaseKind": "instance"}, "may open 120 connections, and a database db.t4g.micro"),
    ],
)
def test_inconsistent_choices_are_named(chosen: dict[str, str], said: str) -> None:
    assert any(said in line for line in _problems(**chosen))


def test_what_the_templates_rules_refuse_is_refused_before() -> None:
    for certificate in ("", CERTIFICATE):
        for domain in ("", "board.example"):
            for port in ("80", "443"):
                chosen = {
                    "CertificateArn": certificate, "DomainName": domain, "ListenerPort": port,
                }  # fmt: skip
                _same(chosen)
    for capacities in OFFERED["database"]:
        if capacities["DatabaseKind"] == "aurora":
            _same(capacities)


def _same(chosen: Mapping[str, str]) -> None:
    try:
        Deployment(**chosen)
        refused = False
    except RefusedError:
        refused = True
    assert bool(_problems(**chosen)) is refused, chosen


def test_minimum_above_the_default_maximum_raises_the_maximum() -> None:
    chosen = {"DesiredCount": "5", "MaxInstances": "4"}
    assert choices.derived(chosen, {}, "microservices") == {"MaxCount": "5"}
    choices.require_consistent(chosen, {}, "microservices")
    # What was set explicitly is not changed but refused.
    with pytest.raises(CannotDeployError, match="COUNT=5 is above MaxCount=4"):
        choices.require_consistent({**chosen, "MaxCount": "4"}, {}, "microservices")
    # The stacks store it.
    assert choices.derived({}, {"DesiredCount": "5", "MaxCount": "5"}, "microservices") == {}


def test_a_small_database_lowers_how_many_tasks_there_are_at_most() -> None:
    chosen = {"DatabaseKind": "instance"}
    assert choices.derived(chosen, {}, "microservices") == {"MaxCount": "2"}
    assert choices.derived(chosen, {}, "strangler") == {"MaxCount": "1"}
    for deployment in DEPLOYMENTS:
        choices.require_consistent(chosen, {}, deployment)


def test_a_task_opens_as_many_connections_as_are_counted() -> None:
    pool = inspect.signature(Database.open).parameters["size"].default
    assert pool + 1 == choices.CONNECTIONS_OF_A_CONTEXT


def test_every_type_and_class_that_may_be_chosen_is_known() -> None:
    types = template("cluster")["Parameters"]["InstanceType"]["AllowedValues"]
    assert set(choices.ROOM_MIB) == set(types)
    classes = template("data")["Parameters"]["DatabaseClass"]["AllowedValues"]
    assert set(choices.CONNECTIONS) == set(classes)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"InstanceType": "t9.huge"}, "InstanceType=t9.huge: must be one of t3.small"),
        ({"DesiredCount": "21"}, "DesiredCount=21: must be 20 or less"),
        ({"DesiredCount": "many"}, "DesiredCount=many: must be a number"),
        ({"CertificateArn": "mine"}, "CertificateArn=mine: must match"),
        ({"MinCapacity": "0.7"}, "MinCapacity=0.7: must be one of 0, 0.5"),
        ({"Accesslogs": "true"}, "no template has a parameter Accesslogs"),
    ],
)
def test_invalid_value_is_refused_before_anything_changes(
    chosen: dict[str, str], said: str, read: Mapping[str, Template]
) -> None:
    with pytest.raises(CannotDeployError, match=said):
        choices.require_allowed(chosen, read)


def test_what_the_guide_offers_is_allowed(read: Mapping[str, Template]) -> None:
    for group in OFFERED.values():
        for chosen in group:
            choices.require_allowed(chosen, read)


def test_a_certificate_and_its_domain_are_taken_back_together() -> None:
    for name in ("CERTIFICATE_ARN", "DOMAIN_NAME"):
        assert settings.read({name: "none"}).parameters == {"CertificateArn": "", "DomainName": ""}


class Stacks:
    """Stacks with these parameters, which record their updates."""

    def __init__(self, **parameters: dict[str, str]) -> None:
        self.parameters = {f"board-{part}": found for part, found in parameters.items()}
        self.told: dict[str, str] = {}

    def find_own(self, name: str) -> Any:
        if name not in self.parameters:
            return None
        return SimpleNamespace(id=name, name=name, parameters=self.parameters[name], outputs={})

    def ensure_stack(self, name: str, template: Any, values: Any, _watch: Any) -> Any:
        before = self.parameters.get(name, {})
        self.told = {
            key: values.get(key, before.get(key))
            for key in template.parameters
            if key in values or key in before
        }
        self.parameters[name] = self.told
        return self.find_own(name)


def _installation(stacks: Stacks, **chosen: str) -> Installation:
    return Installation(
        Settings(templates=INFRA, parameters=chosen), cast(Any, SimpleNamespace(region="here")),
        cast(Any, stacks), cast(Any, None), FakeClock().poller, print,
    )  # fmt: skip


NETWORK = {"NatMode": "ipv6", "Paused": "false", "CertificateArn": CERTIFICATE}


def test_choices_do_not_fall_back_when_the_next_command_does_not_repeat_them() -> None:
    stacks = Stacks(
        network=NETWORK,
        routing={"CertificateArn": CERTIFICATE, "DomainName": "board.example", "Paused": "false"},
        data={"DatabaseKind": "instance"},
        users={"Name": "users", "DesiredCount": "3", "Image": "users:1", "MaxCount": "3"},
    )
    board = _installation(stacks)
    assert board.choices()["NatMode"] == "ipv6"
    assert board.choices()["DatabaseKind"] == "instance"
    # An existing stack keeps its own.
    board.ensure_stack("network", {"Paused": "false"})
    assert stacks.told["NatMode"] == "ipv6"
    # A new stack gets them from the others, but nothing that belongs to one stack only.
    board.ensure_stack("cluster", {})
    assert stacks.told["NatMode"] == "ipv6"
    board.ensure_stack("monolith", {"Name": "monolith", "Image": "monolith:1"})
    assert (stacks.told["DesiredCount"], stacks.told["MaxCount"]) == ("3", "3")
    assert (stacks.told["Name"], stacks.told["Image"]) == ("monolith", "monolith:1")


def test_what_this_command_chooses_wins() -> None:
    stacks = Stacks(network={**NETWORK, "Paused": "true"})
    board = _installation(stacks, NatMode="none", CertificateArn="", DomainName="")
    assert board.choices()["NatMode"] == "none"
    board.ensure_stack("network", {"Paused": "false"})
    assert (stacks.told["NatMode"], stacks.told["CertificateArn"]) == ("none", "")


@pytest.mark.parametrize(
    ("stack", "before", "chosen", "said"),
    [
        ("network", NETWORK, {"NatMode": "one"}, "make resume-ecs NAT_MODE=one"),
        ("data", {"DatabaseKind": "aurora"}, {"DatabaseKind": "instance"}, "another, empty data"),
        ("data", {"SnapshotIdentifier": ""}, {"SnapshotIdentifier": "old"}, "from none to old"),
        ("data", {"EngineVersion": "17.7"}, {"EngineVersion": "18.3"}, "same major version"),
        ("data", {"EngineVersion": "17.7"}, {"EngineVersion": "17.5"}, "newer version"),
        ("network", {"VpcCidr": "10.20.0.0/16"}, {"VpcCidr": "10.0.0.0/16"}, "another PROJECT"),
    ],
)
def test_impossible_change_is_refused_with_an_alternative(
    stack: str, before: dict[str, str], chosen: dict[str, str], said: str
) -> None:
    stacks = Stacks(**{stack: before})
    board = _installation(stacks, **chosen)
    with pytest.raises(CannotDeployError, match=said):
        board.require_possible_changes()
    with pytest.raises(CannotDeployError, match=said):
        board.ensure_stack(stack, {})
    assert stacks.parameters == {f"board-{stack}": before}


def test_a_newer_minor_version_and_a_new_way_out_while_paused_are_possible() -> None:
    stacks = Stacks(network={**NETWORK, "Paused": "true"}, data={"EngineVersion": "17.7"})
    board = _installation(stacks, NatMode="one", EngineVersion="17.9")
    board.require_possible_changes()
    board.ensure_stack("network", {"Paused": "false"})
    assert stacks.told["NatMode"] == "one"
