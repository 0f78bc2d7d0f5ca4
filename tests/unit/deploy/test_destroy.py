"""`destroy` deletes everything that the project has created, and nothing of anybody else's."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.checks import blockers, ownership
from deploy.checks.leftovers import leftovers
from deploy.commands import destroy as down
from deploy.ecs import instances
from deploy.errors import CannotDeployError
from deploy.installation import ALL, Installation
from deploy.settings import Settings
from deploy.stacks.cloudformation import Stacks
from tests.cloudformation import Deployment
from tests.unit.deploy.fake_account import FakeAccount, Thing
from tests.unit.deploy.fakes import FakeClock, Pages

OURS = {"Project": "board"}


def _board(account: FakeAccount) -> None:
    """The board in the account, with images, access logs, and revisions of its tasks."""
    deployment = Deployment(region=account.region, AccessLogs="true")
    names = {"AWS::ECR::Repository": "RepositoryName", "AWS::S3::Bucket": "BucketName",
             "AWS::IAM::Role": "RoleName", "AWS::Logs::LogGroup": "LogGroupName",
             "AWS::SecretsManager::Secret": "Name", "AWS::Route53::HostedZone": "Name",
             "AWS::CloudWatch::Dashboard": "DashboardName",
             "AWS::IAM::InstanceProfile": "InstanceProfileName",
             "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
             "AWS::ElasticLoadBalancingV2::TargetGroup": "Name"}  # fmt: skip
    for part, stack in deployment.stacks.items():
        things = [
            Thing(one.kind, one[names[one.kind]], content=3)
            for one in stack.resources.values()
            if one.kind in names
        ]
        for one in stack.resources.values():
            if one.kind == "AWS::ECS::TaskDefinition":
                family = one["Family"]
                things += [_revision(family, number) for number in (1, 2)]
        if part == "data":
            things += [Thing("AWS::RDS::DBCluster", "board-data-database-0a1b")]
        if part == "cluster":
            things += [Thing("AWS::AutoScaling::AutoScalingGroup", "board-cluster-group")]
        account.make(f"board-{part}", OURS, *things)
    # A revision that an update has replaced remains, and belongs to no stack.
    account.things.append(Thing("AWS::ECS::TaskDefinition", _arn("board-users", 0), OURS,
                                of="board-users"))  # fmt: skip


def _arn(family: str, number: int) -> str:
    return f"arn:aws:ecs:eu-west-1:1:task-definition/{family}:{number}"


def _revision(family: str, number: int) -> Thing:
    # CloudFormation deregisters it with its stack; AWS goes on listing it.
    return Thing("AWS::ECS::TaskDefinition", _arn(family, number), of=family)


def _look_alikes() -> list[Thing]:
    """Other people's resources in the same account, with names similar or equal to the board's."""
    return [
        Thing("AWS::ECR::Repository", "board/game", content=9),
        Thing("AWS::ECR::Repository", "board/users-of-marketing", content=9),
        Thing("AWS::Logs::LogGroup", "/board/of-directors"),
        Thing("AWS::Logs::LogGroup", "/board/users-of-marketing"),
        Thing("AWS::Logs::LogGroup", "/aws/rds/cluster/board-games/postgresql"),
        Thing("AWS::Logs::LogGroup", "/aws/rds/cluster/board-data-warehouse/postgresql"),
        Thing("AWS::Logs::LogGroup", "/aws/ecs/containerinsights/board/performance"),
        Thing("AWS::ECS::TaskDefinition", _arn("board-users", 7), of="board-users"),
        Thing("AWS::ECS::TaskDefinition", _arn("board-users-report", 1), OURS,
              of="board-users-report"),
        Thing("AWS::RDS::DBClusterSnapshot", "before-the-migration", OURS,
              of="board-data-database-0a1b"),
        Thing("AWS::RDS::DBClusterSnapshot", "kept-of-an-earlier-board", OURS,
              of="board-data-database-9f9f"),
        Thing("AWS::RDS::DBClusterSnapshot", "warehouse", of="board-data-warehouse"),
        Thing("AWS::RDS::DBSnapshot", "warehouse-too", of="board-data-warehouse"),
        Thing("AWS::RDS::DBCluster", "board-data-warehouse"),
        Thing("AWS::S3::Bucket", "board-routing-minutes", content=9),
        Thing("AWS::S3::Bucket", "board-eu-west-1-requests", content=9),
        Thing("AWS::S3::Bucket", "board-us-east-1-123456789012-requests", content=9),
        Thing("AWS::IAM::Role", "board-users-of-marketing"),
        Thing("AWS::IAM::Role", "board-us-east-1-users-start"),
        Thing("AWS::IAM::InstanceProfile", "board-cluster-of-marketing"),
        Thing("AWS::SecretsManager::Secret", "board/pin"),
        Thing("AWS::Route53::HostedZone", "board.internal."),
        Thing("AWS::Route53::HostedZone", "board-us-east-1.internal."),
        Thing("AWS::CloudWatch::Dashboard", "board"),
        Thing("AWS::CloudWatch::Dashboard", "board-us-east-1"),
        Thing("AWS::AutoScaling::AutoScalingGroup", "board-games"),
        Thing("AWS::SNS::Topic", "somebody", OURS),
        Thing("AWS::DynamoDB::Table", "board-lock-up"),
    ]  # fmt: skip


def _installation(account: FakeAccount, said: list[str] | None = None, **chosen: Any) -> Any:
    say = (said if said is not None else []).append
    poller = FakeClock().poller
    stacks = Stacks(cast(Any, account), poller, say, OURS)
    return Installation(
        Settings(**chosen), cast(Any, account), stacks, cast(Any, None), poller, say
    )


def test_destroy_touches_nothing_of_others_in_an_account_full_of_look_alikes() -> None:
    others = _look_alikes()
    account = FakeAccount(*others)
    account.make("board-games", {"Project": "board"}, Thing("AWS::S3::Bucket", "games", content=9))
    others += account.all("AWS::S3::Bucket")[-1:]
    _board(account)
    down.destroy(_installation(account))
    assert [thing for thing in account.touched if thing in others] == []
    assert account.things == others
    assert all(thing.content in (0, 9) for thing in others)


def test_after_destroy_nothing_is_left_and_what_may_be_of_others_is_listed() -> None:
    account = FakeAccount(*_look_alikes())
    _board(account)
    down.destroy(_installation(account))
    left = leftovers(cast(Any, account), "board")
    assert left.ours == []
    for expected in ("/board/of-directors", _arn("board-users", 7), "before-the-migration",
                     "kept-of-an-earlier-board", "somebody"):  # fmt: skip
        assert any(expected in line for line in left.unknown), expected
    for elsewhere in ("us-east-1", "board/game", "board/pin", "warehouse-too", "board-games"):
        assert not any(elsewhere in line for line in left.unknown), elsewhere


def test_what_destroy_would_miss_is_found() -> None:
    # Each kind of resource that the board has, without its stack.
    account = FakeAccount()
    _board(account)
    account.stacks.clear()
    left = leftovers(cast(Any, account), "board")
    names = {line.rpartition("/")[2] for line in left.ours} | {
        line.partition(": ")[2] for line in left.ours
    }
    for thing in account.things:
        assert thing.name in names or thing.name.rpartition("/")[2] in names, thing


def test_the_final_snapshot_goes_with_its_database_unless_it_is_to_be_kept() -> None:
    for kept in (False, True):
        account, said = FakeAccount(), list[str]()
        _board(account)
        down.destroy(_installation(account, said, keep_snapshot=kept))
        assert bool(account.all("AWS::RDS::DBClusterSnapshot")) is kept
        stays = [f"SNAPSHOT={one.name}" for one in account.all("AWS::RDS::DBClusterSnapshot")]
        assert [line.split()[-1] for line in said if "snapshot stays" in line] == stays


def test_the_final_snapshot_of_an_instance_goes_with_it() -> None:
    theirs = Thing("AWS::RDS::DBSnapshot", "theirs", OURS, of="board-data-singledatabase-0a1b")
    account = FakeAccount(theirs)
    database = Thing("AWS::RDS::DBInstance", "board-data-singledatabase-0a1b")
    account.make("board-data", OURS, database)
    down.destroy(_installation(account))
    assert account.things == [theirs]


def test_a_kept_snapshot_of_an_instance_is_named_with_the_kind_of_database() -> None:
    account, said = FakeAccount(), list[str]()
    database = Thing("AWS::RDS::DBInstance", "board-data-singledatabase-0a1b")
    account.make("board-data", OURS, database)
    down.destroy(_installation(account, said, keep_snapshot=True))
    (kept,) = account.all("AWS::RDS::DBSnapshot")
    restore = f"make deploy-ecs SNAPSHOT={kept.name} DATABASE=instance"
    assert f"The final snapshot stays: {restore}" in said


@pytest.mark.parametrize("part", ALL)
def test_a_stack_of_somebody_else_stops_destroy_before_anything_is_deleted(part: str) -> None:
    account = FakeAccount()
    _board(account)
    account.stacks[f"board-{part}"] = {"Team": "marketing"}
    with pytest.raises(CannotDeployError, match=f"board-{part} exists already and is not"):
        down.destroy(_installation(account))
    assert account.touched == []


def test_the_names_that_are_known_are_those_of_the_templates() -> None:
    deployment = Deployment(region="eu-west-1", AccessLogs="true")

    def named(kind: str, key: str) -> set[str]:
        return {one[key] for one in deployment.of_kind(kind)}

    region = "eu-west-1"
    assert named("IAM::Role", "RoleName") == ownership.role_names("board", region)
    assert named("IAM::InstanceProfile", "InstanceProfileName") == {
        ownership.instance_profile_name("board", region)
    }
    assert named("Logs::LogGroup", "LogGroupName") == ownership.log_group_names("board")
    assert named("SecretsManager::Secret", "Name") == ownership.secret_names("board")
    assert named("ECR::Repository", "RepositoryName") == ownership.repository_names("board")
    assert named("Route53::HostedZone", "Name") == {ownership.zone_name("board", region)}
    assert named("CloudWatch::Dashboard", "DashboardName") == {
        ownership.dashboard_name("board", region)
    }
    assert named("ECS::TaskDefinition", "Family") == ownership.family_names("board")
    [bucket] = named("S3::Bucket", "BucketName")
    assert ownership.is_bucket("board", region, bucket)


def test_instances_are_terminated_though_their_stack_is_half_gone() -> None:
    # Neither the group nor the cluster exists any more, but the stack still lists them.
    account = FakeAccount()
    account.make("board-cluster", OURS)
    said: list[str] = []
    _installation(account, said).terminate_instances()
    assert said[-1] == "Instances: none left"


class Machines:
    """A cluster with one registered instance, and its Auto Scaling group. The instance ends as soon
    as its draining is complete: when its agent is connected, or when it is deregistered."""

    def __init__(self, connected: bool) -> None:
        self.autoscaling = self.ecs = self
        self.connected = connected
        self.running = 1
        self.registered = ["arn:instance"]
        self.forced: list[str] = []

    def describe_auto_scaling_groups(self, **_: Any) -> Any:
        return {"AutoScalingGroups": [{"Instances": [{}] * self.running}]}

    def update_auto_scaling_group(self, **_: Any) -> None:
        if self.connected:
            self.running, self.registered = 0, []

    def list_container_instances(self, **_: Any) -> Any:
        return {"containerInstanceArns": self.registered}

    def describe_container_instances(self, **_: Any) -> Any:
        return {"containerInstances": [{"agentConnected": self.connected}]}

    def deregister_container_instance(self, **request: Any) -> None:
        assert request["force"] is True
        self.forced.append(request["containerInstance"])
        self.running, self.registered = 0, []


@pytest.mark.parametrize("connected", [True, False])
def test_an_instance_without_its_agent_is_not_waited_for_until_it_drains(connected: bool) -> None:
    machines = Machines(connected)
    instances.terminate(cast(Any, machines), "board", "group", FakeClock().poller, print)
    assert machines.forced == ([] if connected else ["arn:instance"])


def test_what_holds_the_network_is_named() -> None:
    guard = "com.amazonaws.eu-west-1.guardduty-data"
    pages = {
        "describe_vpc_endpoints": {
            "VpcEndpoints": [{"VpcEndpointId": "vpce-1", "ServiceName": guard}]
        },
        "describe_network_interfaces": {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]},
        "describe_security_groups": {
            "SecurityGroups": [
                {"GroupId": "sg-0", "GroupName": "default"},
                {"GroupId": "sg-1", "GroupName": "GuardDutyManagedSecurityGroup-vpc-1"},
            ]
        },
    }
    ec2 = SimpleNamespace(get_paginator=lambda call: Pages(pages[call]))
    found = list(blockers.of_network(cast(Any, SimpleNamespace(ec2=ec2)), "vpc-1"))
    assert [line.split(" of ")[0].split(" (")[0] for line in found] == [
        "the endpoint vpce-1", "the network interface eni-1", "the security group sg-1",
    ]  # fmt: skip
    assert "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids vpce-1" in found[0]
