"""What a database costs, running and stopped; only the project's is counted."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.checks.choices import CONNECTIONS, ROOM_MIB
from deploy.checks.costs import MONTHLY_DATABASES, MONTHLY_INSTANCES, Cost, costs
from tests.unit.deploy.fakes import Pages

OURS = [{"Key": "Project", "Value": "board"}]


def _costs(**database: Any) -> dict[str, Cost]:
    found = {
        "DBInstanceIdentifier": "board-data-x", "Engine": "postgres", "TagList": OURS,
        "DBInstanceClass": "db.t4g.micro", "DBInstanceStatus": "available", **database,
    }  # fmt: skip
    empty = {
        "NatGateways": [], "LoadBalancers": [], "Reservations": [], "DBClusters": [],
        "DBInstances": [found], "SecretList": [], "HostedZones": [], "repositories": [],
        "logGroups": [],
    }  # fmt: skip
    service = SimpleNamespace(
        get_paginator=lambda _: Pages(empty), describe_addresses=lambda **_: {"Addresses": []}
    )
    names = ("ec2", "elb", "rds", "secrets", "route53", "ecr", "logs")
    aws = cast(Any, SimpleNamespace(region="here", **dict.fromkeys(names, service)))
    return {cost.what: cost for cost in costs(aws, "board")}


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


def test_every_type_that_may_be_chosen_has_a_price() -> None:
    assert MONTHLY_DATABASES.keys() == CONNECTIONS.keys()
    assert MONTHLY_INSTANCES.keys() == ROOM_MIB.keys()
