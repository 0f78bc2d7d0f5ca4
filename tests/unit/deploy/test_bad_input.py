"""A first deploy in a new account: what cannot work is refused with a clear text before anything is
created."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy import settings
from deploy.checks import service_roles
from deploy.checks.account import Account
from deploy.commands import deploy as up
from deploy.commands import pause
from deploy.errors import CannotDeployError
from tests.unit.deploy.account import FakeAccount, installation, write_templates

REVISION = "5f4e3d2c1b0a"
DEPLOYER = Account("123456789012", "arn:aws:iam::123456789012:user/ines")
REGISTRY = cast(
    Any, SimpleNamespace(repository=lambda name: f"registry/{name}", has=lambda *_: True)
)


class NoSuchEntityError(Exception):
    """IAM has no such role."""


class NewAccount(FakeAccount):
    """An account in which nothing has ever run: without service-linked roles, with two zones, of
    which the second has its own `types`. The policy simulator denies what is in `denied`."""

    exceptions = SimpleNamespace(NoSuchEntityException=NoSuchEntityError)

    def __init__(
        self,
        templates: Path,
        *,
        plan: str = "PAID",
        types: Iterable[str] = ("t3.small", "t3.medium"),
        denied: Iterable[str] = (),
        vcpus: int = 32,
    ) -> None:
        super().__init__(templates)
        self.plan = plan
        self.types = {"eu-central-1a": {"t3.small", "t3.medium"}, "eu-central-1b": {*types}}
        self.denied = set(denied)
        self.vcpus = vcpus
        self.roles: set[str] = set()

    def get_account_plan_state(self) -> Any:
        """The plan."""
        return {"accountPlanType": self.plan, "accountPlanStatus": "ACTIVE"}

    def get_service_quota(self, **request: str) -> Any:
        """Five of everything, but more processors."""
        return {"Quota": {"Value": float(self.vcpus if request["ServiceCode"] == "ec2" else 5)}}

    def describe_availability_zones(self, **_: Any) -> Any:
        """Both zones."""
        return {"AvailabilityZones": [{"ZoneName": zone} for zone in self.types]}

    def get_role(self, **request: str) -> Any:
        """A role. Raises `NoSuchEntityError`."""
        if request["RoleName"] not in self.roles:
            raise NoSuchEntityError
        return {}

    def create_service_linked_role(self, **request: str) -> Any:
        """Create a service's role."""
        role = service_roles.ROLES[request["AWSServiceName"]]
        self.roles.add(role)
        self.changes.append(role)
        return {"Role": {"RoleName": role}}

    def _pages(self, call: str, request: Mapping[str, Any]) -> Iterable[Any]:
        if call == "simulate_principal_policy":
            results = [
                {
                    "EvalActionName": action,
                    "EvalDecision": "implicitDeny" if action in self.denied else "allowed",
                }
                for action in request["ActionNames"]
            ]
            return [{"EvaluationResults": results}]
        if call == "describe_instance_type_offerings":
            [zone] = request["Filters"][0]["Values"]
            offers = [{"InstanceType": name} for name in sorted(self.types[zone])]
            return [{"InstanceTypeOfferings": offers}]
        if call == "describe_instance_types":
            return [{"InstanceTypes": [{"InstanceType": "t3.small"}]}]
        if call == "describe_orderable_db_instance_options":
            return [{"OrderableDBInstanceOptions": [{"EngineVersion": "17.7"}]}]
        return super()._pages(call, request)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates' parameters."""
    folder = tmp_path_factory.mktemp("templates")
    write_templates(folder)
    return folder


def _deploy(account: NewAccount, environment: Mapping[str, str]) -> None:
    """`make deploy-ecs`, with this environment."""
    chosen = settings.read(environment)
    there = installation(account, deployment=chosen.deployment, parameters=chosen.parameters)
    up.deploy(there, DEPLOYER, REGISTRY, REVISION, lambda *_: {})


CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"

BAD_INPUT: Mapping[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "a certificate without a domain": (
        {"CERTIFICATE_ARN": CERTIFICATE}, {}, "CERTIFICATE_ARN needs DOMAIN_NAME",
    ),
    "a domain without a certificate": (
        {"DOMAIN_NAME": "board.example"}, {}, "DOMAIN_NAME needs CERTIFICATE_ARN",
    ),
    "a certificate of another region": (
        {
            "CERTIFICATE_ARN": CERTIFICATE.replace("eu-central-1", "us-east-1"),
            "DOMAIN_NAME": "board.example",
        },
        {},
        "certificate of us-east-1, and a load balancer in eu-central-1",
    ),
    "an account on the Free plan": ({}, {"plan": "FREE"}, "use DATABASE=instance"),
    "an account on the Free plan, with a type that it does not allow": (
        {"DATABASE": "instance", "INSTANCE_TYPE": "t3.medium"},
        {"plan": "FREE"},
        "INSTANCE_TYPE=..., one of t3.small",
    ),
    "a type that is not offered": (
        {"INSTANCE_TYPE": "m7a.large"},
        {},
        "eu-central-1a and eu-central-1b do not offer m7a.large: use INSTANCE_TYPE=...",
    ),
    "a type that no template allows": (
        {"INSTANCE_TYPE": "t9.huge"}, {}, "InstanceType=t9.huge: must be one of t3.small",
    ),
    "a region whose second zone lacks the type": (
        {}, {"types": ("t3.medium",)}, "eu-central-1b does not offer t3.small",
    ),
    "COUNT above what a service may have": (
        {"COUNT": "21"}, {}, "DesiredCount=21: must be 20 or less",
    ),
    "COUNT above a chosen maximum": (
        {"COUNT": "3", "PARAMETERS": "MaxCount=2"}, {}, "COUNT=3 is above MaxCount=2",
    ),
    "COUNT above what the instances have room for": (
        {"COUNT": "5", "MAX_INSTANCES": "1"}, {}, "use MAX_INSTANCES=",
    ),
    "COUNT above what the database has connections for": (
        {"COUNT": "5", "DATABASE": "instance"}, {}, "connections, and a database db.t4g.micro",
    ),
    "a name that is too long": ({"PROJECT": "b" * 22}, {}, "PROJECT"),
    "a policy simulator that says no": (
        {}, {"denied": ["rds:CreateDBCluster"]}, "lacks permissions .*: rds:CreateDBCluster",
    ),
    "a quota that is too small": ({}, {"vcpus": 1}, "L-1216C47A"),
    "a version that is not offered": ({"ENGINE_VERSION": "18.3"}, {}, "one of 17.7"),
}  # fmt: skip
"""The environment, the account, and what the refusal says."""


@pytest.mark.parametrize("what", BAD_INPUT)
def test_bad_input_is_refused_before_anything_is_created(what: str, templates: Path) -> None:
    environment, kind, said = BAD_INPUT[what]
    account = NewAccount(templates, **kind)
    with pytest.raises(CannotDeployError, match=said):
        _deploy(account, environment)
    assert account.changes == []


def test_account_without_roles_of_services_gets_them_before_the_first_stack(
    templates: Path,
) -> None:
    account = NewAccount(templates)
    _deploy(account, {})
    roles = len(service_roles.ROLES)
    assert set(account.changes[:roles]) == {*service_roles.ROLES.values()}
    assert account.changes[roles : roles + 2] == ["registry", "network"]


def test_board_does_not_resume_on_a_type_that_is_not_offered(templates: Path) -> None:
    account = NewAccount(templates)
    _deploy(account, {"DEPLOYMENT": "monolith"})
    pause.pause(installation(account))
    changes = list(account.changes)
    there = installation(account, parameters={"InstanceType": "m7a.large"})
    with pytest.raises(CannotDeployError, match=r"do not offer m7a\.large"):
        pause.resume(there, REGISTRY, lambda *_: {})
    assert account.changes == changes
