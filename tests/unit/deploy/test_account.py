"""What is missing is named before anything is created: a region, credentials, permissions,
quotas."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from deploy.checks import permissions, quotas
from deploy.checks.account import Account, identify
from deploy.errors import CannotDeployError
from tests.unit.deploy.fakes import Pages, refusal


def _aws(answer: Any, region: str | None = "eu-west-1") -> Any:
    def get_caller_identity() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(
        region=region, sts=SimpleNamespace(get_caller_identity=get_caller_identity)
    )


def test_identifies_account_and_caller() -> None:
    account = identify(_aws({"Account": "123456789012", "Arn": "arn:aws:iam::1:user/ines"}))
    assert (account.number, account.caller) == ("123456789012", "arn:aws:iam::1:user/ines")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (NoCredentialsError(), "There are no AWS credentials"),
        (EndpointConnectionError(endpoint_url="x"), "AWS does not respond in the region eu-west-1"),
        (refusal("ExpiredToken", "expired"), "have expired"),
        (refusal("InvalidClientTokenId", "invalid"), "region may not be enabled"),
        (refusal("SignatureDoesNotMatch", "no match"), "secret access key"),
        (refusal("Throttling", "slow down"), "slow down"),
    ],
)
def test_explains_invalid_credentials(answer: Exception, said: str) -> None:
    with pytest.raises(CannotDeployError, match=said):
        identify(_aws(answer))


def test_requires_a_region() -> None:
    with pytest.raises(CannotDeployError, match="AWS_REGION"):
        identify(_aws({}, region=None))


class Iam:
    """A policy simulator, with these results for some actions and `allowed` for all others."""

    def __init__(self, **verdicts: Any) -> None:
        self._verdicts = {name.replace("_", ":", 1): found for name, found in verdicts.items()}
        self.requests: list[Any] = []

    def get_role(self, **asked: str) -> Any:
        return {"Role": {"Arn": f"arn:aws:iam::1:role/teams/{asked['RoleName']}"}}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **asked: Any) -> Any:
        self.requests.append(asked)
        results = [
            {"EvalActionName": action, "EvalDecision": "allowed", **self._verdicts.get(action, {})}
            for action in asked["ActionNames"]
        ]
        return Pages({"EvaluationResults": results}).paginate()


USER = Account("1", "arn:aws:iam::1:user/ines")


def _check(iam: Any, who: Account = USER) -> list[str]:
    said: list[str] = []
    aws = SimpleNamespace(iam=iam, region="eu-west-1")
    permissions.check(cast(Any, aws), who, "board", said.append)
    return said


def test_names_all_denied_actions_at_once() -> None:
    denied = {"EvalDecision": "implicitDeny"}
    iam = Iam(ec2_CreateVpc=denied, rds_CreateDBCluster={"EvalDecision": "explicitDeny"})
    with pytest.raises(CannotDeployError, match="ec2:CreateVpc, rds:CreateDBCluster"):
        _check(iam)


@pytest.mark.parametrize(
    "why",
    [
        {"MissingContextValues": ["aws:PrincipalTag/Team"]},
        {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
    ],
)
def test_unknown_permissions_are_reported_and_do_not_stop_a_deploy(why: Any) -> None:
    iam = Iam(ec2_CreateVpc={"EvalDecision": "implicitDeny", **why})
    [said] = _check(iam)
    assert "does not know" in said
    assert "ec2:CreateVpc" in said


def test_permissions_are_simulated_for_the_resources_and_tags_of_a_deploy() -> None:
    iam = Iam()
    assert _check(iam) == []
    resources = {
        action: one["ResourceArns"][0] for one in iam.requests for action in one["ActionNames"]
    }
    assert resources.keys() == permissions.REQUIRED_ACTIONS.keys()
    assert resources["iam:CreateRole"] == "arn:aws:iam::1:role/board-eu-west-1-users-start"
    assert resources["ecr:GetAuthorizationToken"] == "*"
    assert not [arn for arn in resources.values() if "{" in arn]
    for request in iam.requests:
        context = {
            one["ContextKeyName"]: one["ContextKeyValues"] for one in request["ContextEntries"]
        }
        assert context["aws:RequestTag/Project"] == ["board"]
        assert context["aws:RequestedRegion"] == ["eu-west-1"]


def test_session_has_the_permissions_of_its_role() -> None:
    iam = Iam()
    _check(iam, Account("1", "arn:aws:sts::1:assumed-role/deployer/ines"))
    assert {one["PolicySourceArn"] for one in iam.requests} == {
        "arn:aws:iam::1:role/teams/deployer"
    }


def test_unreadable_permissions_do_not_stop_a_deploy() -> None:
    def get_paginator(_: str) -> Any:
        raise refusal("AccessDenied", "not allowed to simulate")

    assert "not allowed to simulate" in _check(SimpleNamespace(get_paginator=get_paginator))[0]


def _account(allowed: int, taken: int, vcpus: int = 0) -> Any:
    instance = {"InstanceType": "m5.large", "CpuOptions": {"CoreCount": vcpus, "ThreadsPerCore": 1}}
    gpu = {"InstanceType": "p5.large", "CpuOptions": {"CoreCount": 99, "ThreadsPerCore": 1}}
    pages = Pages(
        {
            "Vpcs": [{}] * taken, "LoadBalancers": [], "EgressOnlyInternetGateways": [],
            "NatGateways": [{"State": "available", "SubnetId": "a"}] * taken,
            "Subnets": [{"SubnetId": "a", "AvailabilityZone": "eu-west-1a"}],
            "Reservations": [{"Instances": [instance, gpu]}],
        }
    )  # fmt: skip
    return SimpleNamespace(
        quotas=SimpleNamespace(get_service_quota=lambda **_: {"Quota": {"Value": float(allowed)}}),
        ec2=SimpleNamespace(
            get_paginator=lambda _: pages, describe_addresses=lambda: {"Addresses": [{}] * taken}
        ),
        elb=SimpleNamespace(get_paginator=lambda _: pages),
    )


def test_sufficient_quotas_pass() -> None:
    quotas.check(_account(5, 3, 3), "one", 1, print)


def test_names_every_insufficient_quota_with_its_code() -> None:
    with pytest.raises(CannotDeployError) as refused:
        quotas.check(_account(5, 5, 4), "one", 1, print)
    for expected in ("VPCs: 5 of 5", "vpc/L-F678F1CE", "Elastic IP", "ec2/L-1216C47A",
                     "vCPUs of standard instances: 4 of 5", "vpc/L-FE5A380F"):  # fmt: skip
        assert expected in str(refused.value)


def test_network_without_nat_needs_no_address() -> None:
    with pytest.raises(CannotDeployError) as refused:
        quotas.check(_account(5, 5), "none", 1, print)
    assert "Elastic IP" not in str(refused.value)
    assert "NAT" not in str(refused.value)


def test_instances_that_do_not_fit_into_the_quota_are_refused() -> None:
    quotas.check(_account(8, 0, 4), "none", 2, print)
    with pytest.raises(CannotDeployError, match="4 of 8 are in use, and 6 more are needed"):
        quotas.check(_account(8, 0, 4), "none", 3, print)


def test_unreadable_quota_does_not_stop_a_deploy() -> None:
    def get_service_quota(**_: str) -> Any:
        raise refusal("AccessDeniedException", "no right to read quotas")

    said: list[str] = []
    account = _account(5, 5)
    account.quotas.get_service_quota = get_service_quota
    quotas.check(account, "none", 1, said.append)
    assert all("no right to read quotas" in line for line in said)
    assert len(said) == 4
