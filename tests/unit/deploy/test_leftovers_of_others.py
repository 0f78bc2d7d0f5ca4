"""Resources of another project or person are not the project's, however similar their names."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.checks import leftovers
from deploy.checks.resource_exists import resource_exists
from tests.unit.deploy.fakes import Pages

TAGS = [{"Key": "Project", "Value": "board"}]
OTHERS = [{"Key": "Project", "Value": "board-games"}]


def finding(what: str, client: str, key: str, *listed: Any) -> dict[str, bool]:
    """What this finder finds in the list, and whether each is the project's."""
    paginator = SimpleNamespace(get_paginator=lambda call: Pages({_key(call, key): list(listed)}))
    aws = SimpleNamespace(region="here", **{client: paginator})
    found = leftovers.FINDERS[what](cast(Any, aws), "board")
    return {one.name: one.is_ours for one in found}


def _key(call: str, key: str) -> str:
    """The key of a list; that of `describe_db_instances` is not that of `describe_db_clusters`."""
    return "DBInstances" if call == "describe_db_instances" else key


def test_repository_of_a_project_with_the_same_prefix_is_not_found() -> None:
    names = ("board/users", "board-games/users", "boardgames", "board/by-hand")
    listed = [{"repositoryName": name} for name in names]
    assert finding("repository", "ecr", "repositories", *listed) == {"board/users": True}


def test_log_group_without_a_stack_may_be_somebody_elses() -> None:
    listed = [{"logGroupName": name} for name in ("/board/users", "/board/by-hand")]
    assert finding("log group", "logs", "logGroups", *listed) == {
        "/board/users": True, "/board/by-hand": False
    }  # fmt: skip


def test_database_with_the_tag_is_found_and_the_projects_by_its_name() -> None:
    listed = [
        {"DBClusterIdentifier": "board-data-database-1x", "TagList": TAGS},
        {"DBClusterIdentifier": "by-hand", "TagList": TAGS},
        {"DBClusterIdentifier": "board-data-database-2x", "TagList": OTHERS},
    ]
    instances = [{"DBInstanceIdentifier": "board-data-single-1x", "TagList": TAGS}]

    def paginator(call: str) -> Pages:
        found = {"DBClusters": listed} if "clusters" in call else {"DBInstances": instances}
        return Pages(found)

    aws = SimpleNamespace(rds=SimpleNamespace(get_paginator=paginator))
    found = leftovers.FINDERS["database"](cast(Any, aws), "board")
    assert {one.name: one.is_ours for one in found} == {
        "board-data-database-1x": True, "by-hand": False, "board-data-single-1x": True
    }  # fmt: skip


def test_every_kind_of_resource_that_costs_money_or_holds_data_is_looked_for() -> None:
    assert set(leftovers.FINDERS) >= {
        "with the tag", "with the tag, in EC2", "stack", "Auto Scaling group", "role",
        "load balancer", "target group", "log group", "task definition", "database", "snapshot",
        "secret", "hosted zone", "repository", "bucket",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "exists"),
    [("pending", True), ("available", True), ("failed", True), ("deleting", False),
     ("deleted", False)],
)  # fmt: skip
def test_nat_gateway_exists_until_it_is_being_deleted(state: str, exists: bool) -> None:
    answer = {"NatGateways": [{"State": state}]}
    ec2 = SimpleNamespace(describe_nat_gateways=lambda **_: answer)
    arn = "arn:aws:ec2:here:1:natgateway/nat-0a"
    assert resource_exists(cast(Any, SimpleNamespace(ec2=ec2)), arn) is exists


def test_task_definition_family_of_a_project_with_the_same_prefix_is_not_listed() -> None:
    families = ["board-users", "board-games-users", "board-by-hand"]
    ecs = SimpleNamespace(get_paginator=lambda _: Pages({"families": families}))
    assert leftovers.families(cast(Any, SimpleNamespace(ecs=ecs)), "board") == ["board-users"]
