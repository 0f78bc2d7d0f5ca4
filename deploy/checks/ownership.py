"""What is the project's: known by the stack that it belongs to, by a tag, or by its exact name. A
name that begins like the project's tells nothing: other people have such names, too."""

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
    """Whether these tags, in whichever spelling the service has, are a resource's that the project
    has made: its own tag, which says no more than that somebody chose the same word, and beside it
    that of one of its stacks, or of its Auto Scaling group."""
    found = _values(tags)
    by_stack = found.get(_STACK) in stack_names(project)
    by_group = found.get(_GROUP, "").startswith(f"{project}-cluster-AutoScalingGroup-")
    return found.get(TAG) == project and (by_stack or by_group)


def has_project_tag(project: str, tags: Iterable[Mapping[str, Any]]) -> bool:
    """Whether these tags name the project. Snapshots have their database's tags, but none of
    CloudFormation's, and so have the revisions of task definitions."""
    return _values(tags).get(TAG) == project


def _values(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        str(tag.get("Key", tag.get("key", ""))): str(tag.get("Value", tag.get("value", "")))
        for tag in tags
    }


def role_names(project: str, region: str | None) -> frozenset[str]:
    """The names of its roles in the region."""
    names = (*(f"{server}-start" for server in SERVERS), "bootstrap-start", "migrate-start")
    return frozenset(f"{project}-{region}-{name}" for name in (*names, "instance", "pause"))


def instance_profile_name(project: str, region: str | None) -> str:
    """The name of its instances' profile in the region."""
    return f"{project}-{region}-instance"


def log_group_names(project: str) -> frozenset[str]:
    """The names of the log groups of its stacks."""
    return frozenset(f"/{project}/{name}" for name in (*SERVERS, "operator"))


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
    """Whether the name is that of its bucket of requests in the region, of whichever account."""
    return re.fullmatch(rf"{re.escape(f'{project}-{region}')}-\d{{12}}-requests", name) is not None


def family_names(project: str) -> frozenset[str]:
    """The families of its task definitions."""
    return frozenset(f"{project}-{name}" for name in (*SERVERS, "bootstrap", "migrate"))


def resources(aws: Aws, stack: str, kind: str) -> list[str]:
    """What a stack calls its resources of a kind like `AWS::S3::Bucket`, by their physical ids."""
    pages = aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == kind and resource.get("PhysicalResourceId")
    ]
