"""`make destroy-ecs`: deletes everything, and checks that nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from deploy.checks.leftovers import STATUSES, families, log_group_prefixes
from deploy.errors import CannotDeployError
from deploy.installation import ALL, Installation
from topology.deployments import SERVERS

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_Item = TypeVar("_Item")


def require_confirmation(installation: Installation, ask: Callable[[str], str] | None) -> None:
    """Raise `CannotDeployError` unless the user confirms with the project's name: in CONFIRM, or
    when asked."""
    name = installation.settings.project
    if installation.settings.confirm is not None:
        answer = installation.settings.confirm
    elif ask is None:
        raise CannotDeployError(f"There is no terminal to ask for confirmation: say CONFIRM={name}")
    else:
        kept = "except for a final snapshot" if installation.settings.keep_snapshot else "for good"
        stacks = [stack.name for stack in installation.existing_stacks().values()]
        installation.say(
            f"This deletes all of {name} in {installation.aws.region}: "
            f"{', '.join(stacks) or 'what is left of it'}"
            f", with all its data ({kept}), images and logs."
        )
        answer = ask(f"Type {name} to go on: ")
    if answer.strip() != name:
        raise CannotDeployError(f"{answer.strip()!r} is not {name}: nothing was deleted")


def destroy(installation: Installation) -> None:
    """Delete everything. May be interrupted and repeated. Raises `CannotDeployError` with the first
    reason if something cannot be deleted."""
    for part in ("observability", *reversed(SERVERS), "operator"):
        installation.stacks.delete(installation.stack_name(part))
    installation.terminate_instances()
    _empty_buckets(installation)
    installation.stacks.delete(installation.stack_name("routing"))
    installation.stacks.delete(installation.stack_name("cluster"))
    _disable_deletion_protection(installation)
    for part in ("data", "network"):
        installation.stacks.delete(installation.stack_name(part))
    _empty_repositories(installation)
    installation.stacks.delete(installation.stack_name("registry"))
    _delete_task_definitions(installation)
    _delete_log_groups(installation)
    if not installation.settings.keep_snapshot:
        _delete_snapshots(installation)


def _disable_deletion_protection(installation: Installation) -> None:
    data = installation.find("data")
    if data is not None and data.parameters.get("DeletionProtection") == "true":
        installation.ensure_stack("data", {"DeletionProtection": "false"})


def _empty_buckets(installation: Installation) -> None:
    for part in ALL:
        stack = installation.find(part)
        if stack is None:
            continue
        pages = installation.aws.cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack.id
        )
        for page in pages:
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceType"] == "AWS::S3::Bucket":
                    _empty_bucket(installation, resource.get("PhysicalResourceId", ""))


def _empty_bucket(installation: Installation, bucket: str) -> None:
    installation.say(f"{bucket}: deleting its objects ...")
    try:
        for page in installation.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys: list[ObjectIdentifierTypeDef] = [
                {"Key": found.get("Key", "")} for found in page.get("Contents", [])
            ]
            if keys:
                installation.aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    except ClientError as error:
        if error.response["Error"].get("Code") != "NoSuchBucket":
            raise


def _empty_repositories(installation: Installation) -> None:
    pages = installation.aws.ecr.get_paginator("describe_repositories").paginate()
    for page in pages:
        for repository in page["repositories"]:
            name = repository.get("repositoryName", "")
            if not name.startswith(f"{installation.settings.project}/"):
                continue
            images = [
                image
                for listed in installation.aws.ecr.get_paginator("list_images").paginate(
                    repositoryName=name
                )
                for image in listed["imageIds"]
            ]
            for chunk in _chunks(images, 100):
                installation.aws.ecr.batch_delete_image(repositoryName=name, imageIds=chunk)
            if images:
                installation.say(f"{name}: {len(images)} images deleted")


def _delete_task_definitions(installation: Installation) -> None:
    removed = 0
    for family in families(installation.aws, installation.settings.project):
        for status in STATUSES:
            arns = [
                arn
                for page in installation.aws.ecs.get_paginator("list_task_definitions").paginate(
                    familyPrefix=family, status=status
                )
                for arn in page["taskDefinitionArns"]
            ]
            for arn in arns if status == "ACTIVE" else []:
                installation.aws.ecs.deregister_task_definition(taskDefinition=arn)
            for chunk in _chunks(arns, 10):
                installation.aws.ecs.delete_task_definitions(taskDefinitions=chunk)
            removed += len(arns)
    if removed:
        installation.say(f"{removed} revisions of task definitions deleted")


def _delete_log_groups(installation: Installation) -> None:
    for prefix in log_group_prefixes(installation.settings.project):
        pages = installation.aws.logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=prefix
        )
        for name in [g.get("logGroupName", "") for page in pages for g in page["logGroups"]]:
            installation.aws.logs.delete_log_group(logGroupName=name)
            installation.say(f"{name}: deleted")


def _delete_snapshots(installation: Installation) -> None:
    pages = installation.aws.rds.get_paginator("describe_db_cluster_snapshots").paginate(
        SnapshotType="manual"
    )
    for snapshot in [found for page in pages for found in page["DBClusterSnapshots"]]:
        if snapshot.get("DBClusterIdentifier", "").startswith(
            f"{installation.settings.project}-data-"
        ):
            name = snapshot.get("DBClusterSnapshotIdentifier", "")
            installation.aws.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
            installation.say(f"The snapshot {name}: deleted")


def _chunks(items: list[_Item], size: int) -> Iterator[list[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
