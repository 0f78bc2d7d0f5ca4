"""Names what is missing before anything is created: a region, credentials, permissions, quotas."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from deploy.checks import permissions, quotas
from deploy.checks.account import identify
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
        (EndpointConnectionError(endpoint_url="x"), "Nothing answers for the region eu-west-1"),
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
    """Policies that allow all but some deeds."""

    def __init__(self, *denied: str) -> None:
        self._denied = denied
        self.asked_for: list[str] = []

    def get_role(self, **asked: str) -> Any:
        return {"Role": {"Arn": f"arn:aws:iam::1:role/teams/{asked['RoleName']}"}}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **asked: Any) -> Any:
        self.asked_for.append(asked["PolicySourceArn"])
        decide = {True: "implicitDeny", False: "allowed"}
        results = [
            {"EvalActionName": deed, "EvalDecision": decide[deed in self._denied]}
            for deed in asked["ActionNames"]
        ]
        return Pages({"EvaluationResults": results}).paginate()


USER = "arn:aws:iam::1:user/ines"


def test_names_all_denied_actions_at_once() -> None:
    iam = Iam("ec2:CreateVpc", "rds:CreateDBCluster")
    with pytest.raises(CannotDeployError, match="ec2:CreateVpc, rds:CreateDBCluster"):
        permissions.check(cast(Any, SimpleNamespace(iam=iam)), USER, print)


def test_session_has_the_permissions_of_its_role() -> None:
    iam = Iam()
    caller = "arn:aws:sts::1:assumed-role/deployer/ines"
    permissions.check(cast(Any, SimpleNamespace(iam=iam)), caller, print)
    assert iam.asked_for == ["arn:aws:iam::1:role/teams/deployer"]


def test_unreadable_permissions_do_not_stop_a_deploy() -> None:
    def get_paginator(_: str) -> Any:
        raise refusal("AccessDenied", "not allowed to simulate")

    said: list[str] = []
    aws = SimpleNamespace(iam=SimpleNamespace(get_paginator=get_paginator))
    permissions.check(cast(Any, aws), USER, said.append)
    assert "not allowed to simulate" in said[0]


def _account(allowed: int, taken: int) -> Any:
    vpcs = Pages({"Vpcs": [{}] * taken, "LoadBalancers": [], "EgressOnlyInternetGateways": []})
    return SimpleNamespace(
        quotas=SimpleNamespace(get_service_quota=lambda **_: {"Quota": {"Value": float(allowed)}}),
        ec2=SimpleNamespace(
            get_paginator=lambda _: vpcs, describe_addresses=lambda: {"Addresses": [{}] * taken}
        ),
        elb=SimpleNamespace(get_paginator=lambda _: vpcs),
    )


def test_sufficient_quotas_pass() -> None:
    quotas.check(_account(5, 3), "one", print)


def test_names_every_insufficient_quota_with_its_code() -> None:
    with pytest.raises(CannotDeployError, match=r"VPCs: 5 of 5.*vpc/L-F678F1CE.*Elastic IP"):
        quotas.check(_account(5, 5), "one", print)


def test_network_without_nat_needs_no_address() -> None:
    with pytest.raises(CannotDeployError) as refused:
        quotas.check(_account(5, 5), "none", print)
    assert "Elastic IP" not in str(refused.value)


def test_unreadable_quota_does_not_stop_a_deploy() -> None:
    def get_service_quota(**_: str) -> Any:
        raise refusal("AccessDeniedException", "no right to read quotas")

    said: list[str] = []
    account = _account(5, 5)
    account.quotas.get_service_quota = get_service_quota
    quotas.check(account, "none", said.append)
    assert all("no right to read quotas" in line for line in said)
    assert len(said) == 3
