"""`leftovers` proves that nothing is left: resources that AWS only still lists do not count, and
those that it could not check do."""

from types import SimpleNamespace
from typing import Any, cast

from deploy.checks import leftovers
from deploy.checks.resource_exists import resource_exists
from tests.unit.deploy.fakes import Pages, refusal

GROUP = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/board-users/0a1b"


def _tagged(*arns: str) -> Any:
    found = [{"ResourceARN": arn, "Tags": []} for arn in arns]
    return SimpleNamespace(get_paginator=lambda _: Pages({"ResourceTagMappingList": found}))


def _finding(aws: Any) -> list[str]:
    return [found.name for found in leftovers.FINDERS["with the tag"](cast(Any, aws), "board")]


def test_tagged_resource_that_exists_is_left() -> None:
    elb = SimpleNamespace(describe_target_groups=lambda **_: {"TargetGroups": [{}]})
    assert _finding(SimpleNamespace(tagging=_tagged(GROUP), elb=elb)) == [GROUP]


def test_deleted_resource_whose_tag_is_still_listed_is_not_left() -> None:
    def gone(**_: object) -> Any:
        raise refusal("TargetGroupNotFound", "One or more target groups not found")

    elb = SimpleNamespace(describe_target_groups=gone)
    assert _finding(SimpleNamespace(tagging=_tagged(GROUP), elb=elb)) == []


def test_resource_of_an_unknown_type_is_left() -> None:
    strange = "arn:aws:quantum:eu-west-1:1:thing/board"
    assert _finding(SimpleNamespace(tagging=_tagged(strange))) == [strange]


def test_resources_that_cannot_be_looked_up_are_left() -> None:
    def denied(_: str) -> Any:
        raise refusal("AccessDenied", "You may not look")

    nothing = SimpleNamespace(get_paginator=denied, list_buckets=lambda: denied(""))
    names = ("tagging", "ec2", "cloudformation", "autoscaling", "iam", "elb", "logs", "ecs", "rds",
             "secrets", "ssm", "dynamodb", "route53", "ecr", "cloudwatch", "s3")  # fmt: skip
    found = leftovers.leftovers(
        cast(Any, SimpleNamespace(region="here", **dict.fromkeys(names, nothing))), "board"
    )
    assert len(found.ours) == len(leftovers.FINDERS)
    assert all("could not be looked up" in line for line in found.ours)


def test_terminated_instance_does_not_exist() -> None:
    def told(state: str) -> Any:
        instances = {"Instances": [{"State": {"Name": state}}]}
        return SimpleNamespace(
            ec2=SimpleNamespace(describe_instances=lambda **_: {"Reservations": [instances]})
        )

    arn = "arn:aws:ec2:eu-west-1:1:instance/i-0a"
    assert resource_exists(told("running"), arn)
    assert resource_exists(told("stopped"), arn)
    assert not resource_exists(told("terminated"), arn)


def test_zone_of_another_project_or_region_with_the_same_prefix_is_not_ours() -> None:
    names = ["board-here.internal.", "board-there.internal.", "boardgames-here.internal."]
    zones = [{"Name": name} for name in names]
    route53 = SimpleNamespace(get_paginator=lambda _: Pages({"HostedZones": zones}))
    aws = SimpleNamespace(route53=route53, region="here")
    found = leftovers.FINDERS["hosted zone"](cast(Any, aws), "board")
    assert [zone.name for zone in found] == ["board-here.internal."]
