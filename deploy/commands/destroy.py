"""`make destroy-ecs`: everything away, and a proof that nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import ClientError

from deploy.checks.leftovers import STATUSES, families, log_group_prefixes
from deploy.commands.pause import without_instances
from deploy.errors import CannotDeployError
from deploy.stacks.project import ALL, SERVICES, Project

_Item = TypeVar("_Item")


def must_be_confirmed(project: Project, ask: Callable[[str], str] | None) -> None:
    """Raise `CannotDeployError` unless the user names the project that is to go: in advance, with
    CONFIRM, or when asked."""
    name = project.settings.project
    if project.settings.confirm is not None:
        answer = project.settings.confirm
    elif ask is None:
        raise CannotDeployError(f"Nobody is there to be asked: say CONFIRM={name}")
    else:
        kept = "but for a last snapshot of them" if project.settings.keep_snapshot else "for ever"
        project.say(
            f"This removes all of {name} in {project.aws.region}: "
            f"{', '.join(stack.name for stack in project.there().values()) or 'what is left of it'}"
            f", with all its data ({kept}), images and logs."
        )
        answer = ask(f"Type {name} to go on: ")
    if answer.strip() != name:
        raise CannotDeployError(f"{answer.strip()!r} is not {name}: nothing was removed")


def destroy(project: Project) -> None:
    """Remove everything. May be interrupted and repeated. Raises `CannotDeployError` with the first
    reason when something cannot be removed."""
    for part in ("observability", *reversed(SERVICES), "operator"):
        project.stacks.remove(project.stack_name(part))
    without_instances(project)
    _empty_buckets(project)
    project.stacks.remove(project.stack_name("routing"))
    project.stacks.remove(project.stack_name("cluster"))
    _take_back_protection(project)
    for part in ("data", "network"):
        project.stacks.remove(project.stack_name(part))
    _empty_repositories(project)
    project.stacks.remove(project.stack_name("registry"))
    _forget_task_definitions(project)
    _remove_log_groups(project)
    if not project.settings.keep_snapshot:
        _remove_snapshots(project)


def _take_back_protection(project: Project) -> None:
    data = project.find("data")
    if data is not None and data.parameters.get("DeletionProtection") == "true":
        project.bring("data", {"DeletionProtection": "false"})


def _empty_buckets(project: Project) -> None:
    for part in ALL:
        stack = project.find(part)
        if stack is None:
            continue
        pages = project.aws.cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack.id
        )
        for page in pages:
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceType"] == "AWS::S3::Bucket":
                    _empty_bucket(project, resource.get("PhysicalResourceId", ""))


def _empty_bucket(project: Project, bucket: str) -> None:
    project.say(f"The bucket {bucket}: emptying it ...")
    try:
        for page in project.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys = [{"Key": found.get("Key", "")} for found in page.get("Contents", [])]
            if keys:
                project.aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})  # type: ignore[typeddict-item] # a key is enough
    except ClientError as error:
        if error.response["Error"].get("Code") != "NoSuchBucket":
            raise


def _empty_repositories(project: Project) -> None:
    pages = project.aws.ecr.get_paginator("describe_repositories").paginate()
    for page in pages:
        for repository in page["repositories"]:
            name = repository.get("repositoryName", "")
            if not name.startswith(f"{project.settings.project}/"):
                continue
            images = [
                image
                for listed in project.aws.ecr.get_paginator("list_images").paginate(
                    repositoryName=name
                )
                for image in listed["imageIds"]
            ]
            for chunk in _chunks(images, 100):
                project.aws.ecr.batch_delete_image(repositoryName=name, imageIds=chunk)
            if images:
                project.say(f"{name}: {len(images)} images removed")


def _forget_task_definitions(project: Project) -> None:
    removed = 0
    for family in families(project.aws, project.settings.project):
        for status in STATUSES:
            arns = [
                arn
                for page in project.aws.ecs.get_paginator("list_task_definitions").paginate(
                    familyPrefix=family, status=status
                )
                for arn in page["taskDefinitionArns"]
            ]
            for arn in arns if status == "ACTIVE" else []:
                project.aws.ecs.deregister_task_definition(taskDefinition=arn)
            for chunk in _chunks(arns, 10):
                project.aws.ecs.delete_task_definitions(taskDefinitions=chunk)
            removed += len(arns)
    if removed:
        project.say(f"{removed} revisions of task definitions removed")


def _remove_log_groups(project: Project) -> None:
    for prefix in log_group_prefixes(project.settings.project):
        pages = project.aws.logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=prefix
        )
        for name in [g.get("logGroupName", "") for page in pages for g in page["logGroups"]]:
            project.aws.logs.delete_log_group(logGroupName=name)
            project.say(f"{name}: removed")


def _remove_snapshots(project: Project) -> None:
    pages = project.aws.rds.get_paginator("describe_db_cluster_snapshots").paginate(
        SnapshotType="manual"
    )
    for snapshot in [found for page in pages for found in page["DBClusterSnapshots"]]:
        if snapshot.get("DBClusterIdentifier", "").startswith(f"{project.settings.project}-data-"):
            name = snapshot.get("DBClusterSnapshotIdentifier", "")
            project.aws.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
            project.say(f"The snapshot {name}: removed")


def _chunks(items: list[_Item], size: int) -> Iterator[list[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
