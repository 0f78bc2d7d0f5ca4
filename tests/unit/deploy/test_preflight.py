"""A new account: what is not allowed, missing or not offered is named before anything is created,
with what to do instead."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from deploy.checks import account_plan, offers, service_roles
from deploy.checks.choices import DEFAULTS
from deploy.checks.database import versions
from deploy.errors import CannotDeployError
from tests.unit.deploy.fakes import FakeClock, Pages, refusal


def _plan(answer: Any) -> Any:
    def get_account_plan_state() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    types = [{"InstanceType": name} for name in ("t3.micro", "t3.small", "m7i-flex.large")]
    return SimpleNamespace(
        freetier=SimpleNamespace(get_account_plan_state=get_account_plan_state),
        ec2=SimpleNamespace(get_paginator=lambda _: Pages({"InstanceTypes": types})),
    )


FREE = {"accountPlanType": "FREE", "accountPlanStatus": "ACTIVE"}


def test_free_plan_is_recognised() -> None:
    assert account_plan.is_free(_plan(FREE), print)
    paid = {"accountPlanType": "PAID", "accountPlanStatus": "ACTIVE"}
    assert not account_plan.is_free(_plan(paid), print)
    with pytest.raises(CannotDeployError, match="has ended"):
        account_plan.is_free(_plan({**FREE, "accountPlanStatus": "EXPIRED"}), print)


@pytest.mark.parametrize(
    "error",
    [refusal("AccessDeniedException", "no"), EndpointConnectionError(endpoint_url="x")],
)
def test_unknown_plan_does_not_stop_a_deploy(error: Exception) -> None:
    said: list[str] = []
    assert not account_plan.is_free(_plan(error), said.append)
    assert "is unknown" in said[0]


def test_everything_that_the_free_plan_forbids_is_named_at_once() -> None:
    with pytest.raises(CannotDeployError) as refused:
        account_plan.require_allowed(_plan(FREE), {**DEFAULTS, "InstanceType": "m7i.large"})
    for expected in ("DATABASE=instance", "INSTANCE_TYPE=..., one of m7i-flex.large, t3.micro"):
        assert expected in str(refused.value)
    instance = {**DEFAULTS, "DatabaseKind": "instance", "DatabaseClass": "db.t4g.small"}
    with pytest.raises(CannotDeployError) as refused:
        account_plan.require_allowed(_plan(FREE), instance)
    for expected in ("DatabaseClass=db.t4g.micro", "BackupDays=1"):
        assert expected in str(refused.value)


@pytest.mark.parametrize("kind", account_plan.SMALLEST)
def test_a_free_plan_may_have_a_small_instance_with_a_days_backups(kind: str) -> None:
    chosen = {"DatabaseKind": "instance", "DatabaseClass": kind, "BackupDays": "1"}
    account_plan.require_allowed(_plan(FREE), {**DEFAULTS, **chosen})


def test_hint_names_the_other_smallest_database() -> None:
    message = "data: This instance size isn't available with free plan accounts"
    assert account_plan.hint(message, "db.t4g.micro").endswith("DatabaseClass=db.t3.micro")
    assert account_plan.hint(message, "db.t3.micro").endswith("DatabaseClass=db.t4g.micro")
    assert account_plan.hint("something else", "db.t3.micro") == ""


class Region:
    """Three zones, the second without one instance type."""

    region = "eu-west-9"

    def __init__(self, zones: int = 3) -> None:
        self.ec2 = self
        self._zones = [f"eu-west-9{letter}" for letter in "abc"[:zones]]

    def describe_availability_zones(self, **_: Any) -> Any:
        return {"AvailabilityZones": [{"ZoneName": zone} for zone in reversed(self._zones)]}

    def get_paginator(self, _: str) -> Any:
        def paginate(**request: Any) -> Any:
            [zone] = request["Filters"][0]["Values"]
            types = ["t3.medium", "t3a.small"] + ["t3.small"] * (zone != "eu-west-9b")
            return [{"InstanceTypeOfferings": [{"InstanceType": name} for name in types]}]

        return SimpleNamespace(paginate=paginate)


def test_a_type_that_the_second_zone_lacks_is_refused_and_those_of_both_are_named() -> None:
    with pytest.raises(CannotDeployError, match=r"eu-west-9b does not offer t3\.small.*t3\.medium"):
        offers.require_instance_type(cast(Any, Region()), "t3.small", print)
    offers.require_instance_type(cast(Any, Region()), "t3.medium", print)


def test_a_region_with_one_zone_is_refused() -> None:
    with pytest.raises(CannotDeployError, match="does not have two zones"):
        offers.require_instance_type(cast(Any, Region(1)), "t3.medium", print)


def test_unknown_offers_do_not_stop_a_deploy() -> None:
    def denied(**_: Any) -> Any:
        raise refusal("UnauthorizedOperation", "no")

    said: list[str] = []
    aws = SimpleNamespace(ec2=SimpleNamespace(describe_availability_zones=denied), region="here")
    offers.require_instance_type(cast(Any, aws), "t3.small", said.append)
    assert "could not be looked up" in said[0]


def _orderable(*versions: str) -> Any:
    options = [{"EngineVersion": version} for version in versions]
    pages = Pages({"OrderableDBInstanceOptions": options})
    return cast(
        Any, SimpleNamespace(rds=SimpleNamespace(get_paginator=lambda _: pages), region="x")
    )


def test_a_retired_default_version_is_replaced_by_the_newest_of_its_major() -> None:
    said: list[str] = []
    assert versions.engine_version(_orderable("17.7", "17.9"), DEFAULTS, None, print) == "17.7"
    found = versions.engine_version(
        _orderable("16.4", "17.10", "17.9", "18.3"), DEFAULTS, None, said.append
    )
    assert found == "17.10"
    assert "17.7 is no longer available: using 17.10" in said[0]


def test_a_chosen_version_that_cannot_be_ordered_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(CannotDeployError, match=r"one of 17\.9, 18\.3"):
        versions.engine_version(_orderable("16.4", "18.3", "17.9"), DEFAULTS, "17.7", print)
    assert versions.engine_version(_orderable("18.3"), DEFAULTS, "18.3", print) == "18.3"


def test_a_class_that_is_not_offered_is_refused() -> None:
    instance = {**DEFAULTS, "DatabaseKind": "instance"}
    with pytest.raises(CannotDeployError, match=r"db\.t4g\.micro: choose another"):
        versions.engine_version(_orderable(), instance, None, print)


class Roles:
    """IAM with some service-linked roles, each visible only after a few requests."""

    class exceptions:  # noqa: N801 - as a client of boto3 has it
        """What IAM raises."""

        class NoSuchEntityException(Exception):
            """There is none."""

    def __init__(self, *existing: str) -> None:
        self.iam = self
        self.existing = dict.fromkeys(existing, 0)
        self.created: list[str] = []

    def get_role(self, **request: str) -> Any:
        name = request["RoleName"]
        if name not in self.existing:
            raise self.exceptions.NoSuchEntityException
        if self.existing[name]:
            self.existing[name] -= 1
            raise self.exceptions.NoSuchEntityException
        return {}

    def create_service_linked_role(self, **request: str) -> Any:
        service = request["AWSServiceName"]
        self.created.append(service)
        role = service_roles.ROLES[service]
        self.existing[role] = 3
        return {"Role": {"RoleName": role}}


def test_missing_roles_of_services_are_created_first_and_awaited() -> None:
    roles = Roles("AWSServiceRoleForECS")
    said: list[str] = []
    service_roles.ensure(cast(Any, roles), FakeClock().poller, said.append)
    assert set(roles.created) == service_roles.ROLES.keys() - {"ecs.amazonaws.com"}
    assert len(said) == len(roles.created)
    assert not any(roles.existing.values())
    service_roles.ensure(cast(Any, roles), FakeClock().poller, said.append)
    assert len(said) == len(roles.created)


@pytest.mark.parametrize(("code", "is_said"), [("InvalidInput", False), ("AccessDenied", True)])
def test_failure_to_create_roles_does_not_stop_a_deploy(code: str, is_said: bool) -> None:
    roles = Roles()

    def create(**_: str) -> Any:
        raise refusal(code, "no")

    cast(Any, roles).create_service_linked_role = create
    said: list[str] = []
    service_roles.ensure(cast(Any, roles), FakeClock().poller, said.append)
    assert bool(said) is is_said
