"""Which resources belong to the project: those in its stacks, with its tags, or with exactly one of
its names. A name that only begins with the project's may be somebody else's."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from deploy.aws import Aws
from deploy.installation import ALL
from topology.contexts import CALLED, CONTEXT_NAMES
from topology.deployments import DEPLOYED_IMAGES, SERVERS

TAG: Final = "Project"
_STACK: Final = "aws:cloudformation:stack-name"
_GROUP: Final = "aws:autoscaling:groupName"


def stack_names(project: str) -> frozenset[str]:
    """The names of its stacks."""
    return frozenset(f"{project}-{part}" for part in ALL)


def is_tagged(project: str, tags: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a resource with these tags belongs to the project: it has the project's tag, which
    others may use as well, and the tag of one of its stacks or of its Auto Scaling group. Tags may
    be spelled `Key` and `Value`, or `key` and `value`."""
    found = _values(tags)
    by_stack = found.get(_STACK) in stack_names(project)
    by_group = found.get(_GROUP, "").startswith(f"{project}-cluster-AutoScalingGroup-")
    return found.get(TAG) == project and (by_stack or by_group)


def has_project_tag(project: str, tags: Iterable[Mapping[str, Any]]) -> bool:
    """Whether these tags include the project's. Snapshots and revisions of task definitions have
    it, but none of CloudFormation's tags."""
    return _values(tags).get(TAG) == project


def _values(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        str(tag.get("Key", tag.get("key", ""))): str(tag.get("Value", tag.get("value", "")))
        for tag in tags
    }


_OPERATOR_TASKS: Final = ("bootstrap", "migrate", "outside-address")


def role_names(project: str, region: str | None) -> frozenset[str]:
    """The names of its roles in the region."""
    names = tuple(f"{task}-start" for task in (*SERVERS, *_OPERATOR_TASKS))
    return frozenset(
        f"{project}-{region}-{name}"
        for name in (*names, "instance", "pause", "cases-task", "cases-workflow")
    )


def instance_profile_name(project: str, region: str | None) -> str:
    """The name of its instances' profile in the region."""
    return f"{project}-{region}-instance"


def log_group_names(project: str) -> frozenset[str]:
    """The names of the log groups of its stacks."""
    names = {f"/{project}/{name}" for name in (*SERVERS, "operator")}
    return frozenset({*names, f"/aws/vendedlogs/states/{project}-cases"})


def secret_names(project: str) -> frozenset[str]:
    """The names of its secrets."""
    databases = (f"{project}/{context}/database" for context in CONTEXT_NAMES)
    return frozenset([*databases, *(f"{project}/{context}/service" for context in CALLED)])


def repository_names(project: str) -> frozenset[str]:
    """The names of its repositories of images."""
    return frozenset(f"{project}/{image}" for image in DEPLOYED_IMAGES)


def zone_name(project: str, region: str | None) -> str:
    """The name of the hosted zone in which its services find each other, in the region."""
    return f"{project}-{region}.internal"


def dashboard_name(project: str, region: str | None) -> str:
    """The name of its dashboard in the region."""
    return f"{project}-{region}"


def is_bucket(project: str, region: str | None, name: str) -> bool:
    """Whether the name is that of its bucket for access logs in the region, in any account."""
    return re.fullmatch(rf"{re.escape(f'{project}-{region}')}-\d{{12}}-requests", name) is not None


def family_names(project: str) -> frozenset[str]:
    """The families of its task definitions."""
    return frozenset(f"{project}-{name}" for name in (*SERVERS, *_OPERATOR_TASKS))


def resources(aws: Aws, stack: str, kind: str) -> list[str]:
    """The physical ids of a stack's resources of a type, such as `AWS::S3::Bucket`."""
    pages = aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == kind and resource.get("PhysicalResourceId")
    ]
