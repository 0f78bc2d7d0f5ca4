"""What the project's resources cost, running and paused; those of others are not counted. The guide
has the same sums."""

import re
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from deploy.checks.choices import CONNECTIONS, ROOM_MIB
from deploy.checks.costs import MONTHLY_DATABASES, MONTHLY_INSTANCES, Cost, costs, total
from deploy.checks.ownership import secret_names, zone_name
from tests import repository
from tests.cloudformation import Deployment
from tests.unit.deploy.fakes import Pages
from topology.deployments import DEPLOYMENTS

OURS = [{"Key": "Project", "Value": "board"}]


NO_STACK = ClientError({"Error": {"Code": "ValidationError"}}, "ListStackResources")


class Account:
    """Every service in one: each call returns these resources."""

    def __init__(self, resources: Mapping[str, Any], *, clusters: Sequence[str] = ()) -> None:
        empty = (
            "NatGateways", "LoadBalancers", "Reservations", "DBClusters", "DBInstances",
            "SecretList", "HostedZones", "repositories", "logGroups",
        )  # fmt: skip
        self.page = {**{name: [] for name in empty}, **resources}
        self.clusters = clusters

    def get_paginator(self, operation: str) -> Pages:
        if operation == "list_stack_resources":
            if not self.clusters:
                raise NO_STACK
            kind = "AWS::RDS::DBCluster"
            found = [{"ResourceType": kind, "PhysicalResourceId": one} for one in self.clusters]
            return Pages({"StackResourceSummaries": found})
        return Pages(self.page)

    def describe_addresses(self, **_: object) -> Any:
        return {"Addresses": self.page.get("Addresses", [])}

    def costs(self) -> dict[str, Cost]:
        names = ("ec2", "elb", "rds", "secrets", "route53", "ecr", "logs", "cloudformation")
        aws = cast(Any, SimpleNamespace(region="here", **dict.fromkeys(names, self)))
        return {cost.what: cost for cost in costs(aws, "board")}


def _costs(**database: Any) -> dict[str, Cost]:
    found = {
        "DBInstanceIdentifier": "board-data-x", "Engine": "postgres", "TagList": OURS,
        "DBInstanceClass": "db.t4g.micro", "DBInstanceStatus": "available", **database,
    }  # fmt: skip
    return Account({"DBInstances": [found]}).costs()


def test_database_instance_is_counted_with_its_disk_and_password() -> None:
    found = _costs()
    assert found["databases db.t4g.micro"].monthly == pytest.approx(13.98)
    assert found["secrets"].monthly == pytest.approx(0.40)


def test_stopped_database_costs_its_disk() -> None:
    found = _costs(DBInstanceStatus="stopped")["databases db.t4g.micro"]
    assert found.monthly == pytest.approx(2.30)
    assert "starts it again after seven days" in found.note


@pytest.mark.parametrize(
    "other",
    [
        {"TagList": []},
        {"DBInstanceIdentifier": "warehouse"},
        # A member of an Aurora cluster, which is counted as a cluster.
        {"Engine": "aurora-postgresql"},
    ],
)
def test_other_databases_are_not_counted(other: dict[str, Any]) -> None:
    assert _costs(**other) == {}


@pytest.mark.parametrize(
    ("cluster", "count"),
    [
        ({"DBClusterIdentifier": "board-data-database-x", "TagList": OURS}, 1),
        # In the stack: RDS does not return the tags to everybody.
        ({"DBClusterIdentifier": "board-data-database-y"}, 1),
        # Somebody else's: nothing but the beginning of the name is ours.
        ({"DBClusterIdentifier": "board-data-warehouse", "TagList": []}, 0),
        ({"DBClusterIdentifier": "board-data-warehouse"}, 0),
        ({"DBClusterIdentifier": "warehouse", "TagList": OURS}, 0),
    ],
)
def test_only_aurora_clusters_of_the_project_are_counted(
    cluster: dict[str, Any], count: int
) -> None:
    found = Account({"DBClusters": [cluster]}, clusters=["board-data-database-y"]).costs()
    assert (found["Aurora clusters"].count if count else len(found)) == count


def test_clusters_are_counted_by_their_tags_if_there_is_no_stack() -> None:
    cluster = {"DBClusterIdentifier": "board-data-database-x", "TagList": OURS}
    assert Account({"DBClusters": [cluster]}).costs()["Aurora clusters"].count == 1


RUNNING: Mapping[str, Any] = {
    "NatGateways": [{"State": "available"}],
    "LoadBalancers": [
        {"LoadBalancerName": "board", "Scheme": "internet-facing"},
        {"LoadBalancerName": "board-services", "Scheme": "internal"},
    ],
    "Addresses": [{}],
    "Reservations": [{"Instances": [{"InstanceType": "t3.small"}]}],
}
STAYS: Mapping[str, Any] = {
    "SecretList": [{"Name": name} for name in secret_names("board")],
    "HostedZones": [{"Name": f"{zone_name('board', 'here')}."}],
}
AURORA = {"DBClusters": [{"DBClusterIdentifier": "board-data-x", "TagList": OURS}]}
INSTANCE = {"DBInstances": [{
    "DBInstanceIdentifier": "board-data-x", "Engine": "postgres", "TagList": OURS,
    "DBInstanceClass": "db.t4g.micro", "DBInstanceStatus": "available",
}]}  # fmt: skip
HALF_A_UNIT = 0.5 * 0.12 * 730
GUIDE = (repository.ROOT / "docs" / "aws.md").read_text()


def _alarms(kind: str, services: int) -> float:
    """Their price beyond the account's first ten: those of the template, and two for each service
    that scales."""
    of_template = len(list(Deployment(DatabaseKind=kind).of_kind("CloudWatch::Alarm")))
    return 0.10 * (of_template + 2 * services - 10)


def test_the_sums_of_the_guide_are_those_that_status_prints() -> None:
    services = len(DEPLOYMENTS["microservices"])
    aurora = total(list(Account({**RUNNING, **STAYS, **AURORA}).costs().values()))
    instance = total(list(Account({**RUNNING, **STAYS, **INSTANCE}).costs().values()))
    aurora += HALF_A_UNIT + _alarms("aurora", services)
    instance += _alarms("instance", services)
    assert f"| **about {aurora:.0f}, which is {aurora / 730:.2f} per hour** |" in GUIDE
    assert f"| **about {instance:.0f}, which is {instance / 730:.2f} per hour** |" in GUIDE
    assert f"`DATABASE=instance` | {instance / 730:.2f} | about {instance:.0f}, " in GUIDE
    assert f"| {aurora / 730:.2f} | about {aurora:.0f} |" in GUIDE
    paused = total(list(Account({**STAYS, **AURORA}).costs().values())) + _alarms("aurora", 0)
    assert f"**about {paused:.0f}, and 0.10 per GB**" in GUIDE
    assert f"about {aurora:.0f} | about {paused:.0f}, and 0.10 per GB |" in GUIDE
    started = total(list(Account({**STAYS, **INSTANCE}).costs().values()))
    started += _alarms("instance", 0)
    stopped = started - MONTHLY_DATABASES["db.t4g.micro"]
    assert f"about {stopped:.0f}; {started:.0f} from the seventh day on |" in GUIDE
    assert f"**about {stopped:.0f}; {started:.0f} from the seventh day on**" in GUIDE


def test_every_price_that_status_prints_is_in_the_table_of_the_guide() -> None:
    found = Account({**RUNNING, **STAYS, **INSTANCE}).costs()
    (prices,) = re.findall(r"\| \| per month, running \| paused \|\n(.*?)\n\n", GUIDE, re.DOTALL)
    for what, factor, parts in (
        ("NAT gateways", 1, "32.85"),
        ("load balancers", 2, "16.43"),
        ("public IPv4 addresses", 2, "3.65"),
        ("instances t3.small", 1, "15.18 + 2.40"),
        ("databases db.t4g.micro", 1, "11.68 + 2.30"),
        ("secrets", 1, "3.20"),
        ("hosted zones", 1, "0.50"),
    ):
        price = found[what].monthly or 0
        # The third address is the NAT gateway's.
        price -= 3.65 if what == "public IPv4 addresses" else 0
        assert price == pytest.approx(factor * sum(map(float, parts.split(" + ")))), what
        times = "" if factor == 1 else f"{factor} \N{MULTIPLICATION SIGN} "
        assert f"| {times}{parts} " in prices, what


def test_every_type_that_may_be_chosen_has_a_price() -> None:
    assert MONTHLY_DATABASES.keys() == CONNECTIONS.keys()
    assert MONTHLY_INSTANCES.keys() == ROOM_MIB.keys()
