"""`make destroy-ecs`: deletes everything, and checks that nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from deploy.checks import blockers
from deploy.checks.leftovers import families, is_own_revision, revisions
from deploy.checks.ownership import resources
from deploy.commands import buckets
from deploy.errors import CannotDeployError, StackFailedError
from deploy.installation import Installation
from topology.deployments import SERVERS

_Item = TypeVar("_Item")


def require_confirmation(installation: Installation, ask: Callable[[str], str] | None) -> None:
    """Raise `CannotDeployError` unless the user confirms with the project's name: in CONFIRM, or
    when asked."""
    name = installation.settings.project
    if installation.settings.confirm is not None:
        answer = installation.settings.confirm
    elif ask is None:
        raise CannotDeployError(f"There is no terminal to ask for confirmation: set CONFIRM={name}")
    else:
        kept = "except for a final snapshot" if installation.settings.keep_snapshot else "for good"
        stacks = [stack.name for stack in installation.existing_stacks().values()]
        installation.say(
            f"This deletes all of {name} in {installation.aws.region}: "
            f"{', '.join(stacks) or 'what is left of it'}"
            f", with all its data ({kept}), images and logs."
        )
        answer = ask(f"Type {name} to continue: ")
    if answer.strip() != name:
        raise CannotDeployError(f"{answer.strip()!r} is not {name}: nothing was deleted")


@dataclass(frozen=True)
class _Database:
    """The databases of the data stack, and their snapshots from before the deletion."""

    clusters: tuple[str, ...]
    instances: tuple[str, ...]
    snapshots: frozenset[str]


def destroy(installation: Installation) -> None:
    """Delete everything that the project's stacks contain; a resource that only has a similar name
    stays. May be interrupted and repeated. Raises `CannotDeployError` with the first reason if
    something cannot be deleted."""
    # Fails before anything is deleted if a stack is somebody else's.
    installation.existing_stacks()
    installation.cancel_pause()
    for part in ("observability", *reversed(SERVERS)):
        installation.stacks.delete(installation.stack_name(part))
    _stop_executions(installation)
    for part in ("workflow", "operator"):
        installation.stacks.delete(installation.stack_name(part))
    installation.terminate_instances()
    routing = installation.find("routing")
    for bucket in buckets.names(installation.aws, routing.id) if routing is not None else []:
        buckets.empty(installation.aws, bucket, installation.say)
    installation.stacks.delete(installation.stack_name("routing"))
    installation.stacks.delete(installation.stack_name("cluster"))
    # RDS takes no last snapshot of an instance that is stopped.
    installation.start_database()
    _disable_deletion_protection(installation)
    database = _database(installation)
    installation.stacks.delete(installation.stack_name("data"))
    _delete_final_snapshots(installation, database)
    _delete_network(installation)
    _empty_repositories(installation)
    installation.stacks.delete(installation.stack_name("registry"))
    _delete_task_definitions(installation)


def _stop_executions(installation: Installation) -> None:
    """Stop the executions that run. AWS deletes a state machine only when they have ended, and one
    that waits for a person would delay that for days."""
    workflow = installation.find("workflow")
    machine = workflow.outputs.get("CaseStateMachineArn") if workflow is not None else None
    if machine is None:
        return
    states, stopped = installation.aws.states, 0
    try:
        for page in states.get_paginator("list_executions").paginate(
            stateMachineArn=machine, statusFilter="RUNNING"
        ):
            for execution in page["executions"]:
                states.stop_execution(executionArn=execution["executionArn"])
                stopped += 1
    except states.exceptions.StateMachineDoesNotExist:
        # An earlier, interrupted run has deleted it.
        return
    if stopped:
        installation.say(f"{machine.rpartition(':')[2]}: {stopped} executions stopped")


def _delete_network(installation: Installation) -> None:
    try:
        installation.stacks.delete(installation.stack_name("network"))
    except StackFailedError as error:
        network = installation.find("network")
        vpc = network.outputs.get("VpcId") if network is not None else None
        held = list(blockers.of_network(installation.aws, vpc)) if vpc else []
        if not held:
            raise
        raise CannotDeployError(
            f"{error}. The network still contains resources of others: {'; '.join(held)}"
        ) from error


def _disable_deletion_protection(installation: Installation) -> None:
    data = installation.find("data")
    if data is not None and data.parameters.get("DeletionProtection") == "true":
        installation.keeping_choices().ensure_stack("data", {"DeletionProtection": "false"})


def _empty_repositories(installation: Installation) -> None:
    stack = installation.find("registry")
    for name in resources(installation.aws, stack.id, "AWS::ECR::Repository") if stack else []:
        try:
            images = [
                image
                for page in installation.aws.ecr.get_paginator("list_images").paginate(
                    repositoryName=name
                )
                for image in page["imageIds"]
            ]
        except installation.aws.ecr.exceptions.RepositoryNotFoundException:
            # An earlier, interrupted run has deleted it.
            continue
        for chunk in _chunks(images, 100):
            installation.aws.ecr.batch_delete_image(repositoryName=name, imageIds=chunk)
        if images:
            installation.say(f"{name}: {len(images)} images deleted")


def _delete_task_definitions(installation: Installation) -> None:
    aws, project = installation.aws, installation.settings.project
    for family in families(aws, project):
        own = [arn for arn in revisions(aws, family) if is_own_revision(aws, project, arn)]
        for arn in own:
            aws.ecs.deregister_task_definition(taskDefinition=arn)
        for chunk in _chunks(own, 10):
            aws.ecs.delete_task_definitions(taskDefinitions=chunk)
        if own:
            installation.say(f"{family}: {len(own)} revisions of the task definition deleted")


def _database(installation: Installation) -> _Database:
    stack = installation.find("data")
    if stack is None:
        return _Database((), (), frozenset())
    clusters = tuple(resources(installation.aws, stack.id, "AWS::RDS::DBCluster"))
    instances = tuple(resources(installation.aws, stack.id, "AWS::RDS::DBInstance"))
    found = _Database(clusters, instances, frozenset())
    return _Database(clusters, instances, frozenset(_snapshots_of(installation, found)))


def _snapshots_of(installation: Installation, database: _Database) -> list[str]:
    aws = installation.aws
    return [
        snapshot.get("DBClusterSnapshotIdentifier", "")
        for cluster in database.clusters
        for page in aws.rds.get_paginator("describe_db_cluster_snapshots").paginate(
            DBClusterIdentifier=cluster, SnapshotType="manual"
        )
        for snapshot in page["DBClusterSnapshots"]
        if snapshot.get("DBClusterIdentifier") == cluster
    ] + [
        snapshot.get("DBSnapshotIdentifier", "")
        for instance in database.instances
        for page in aws.rds.get_paginator("describe_db_snapshots").paginate(
            DBInstanceIdentifier=instance, SnapshotType="manual"
        )
        for snapshot in page["DBSnapshots"]
        if snapshot.get("DBInstanceIdentifier") == instance
    ]


def _delete_final_snapshots(installation: Installation, database: _Database) -> None:
    """Delete only the snapshots that CloudFormation took when it deleted the databases, or, if they
    are to stay, say how to restore them. Older ones were taken or kept by somebody."""
    aws = installation.aws
    of_clusters = _snapshots_of(installation, _Database(database.clusters, (), frozenset()))
    for name in _snapshots_of(installation, database):
        if name in database.snapshots:
            continue
        if installation.settings.keep_snapshot:
            kind = "" if name in of_clusters else " DATABASE=instance"
            installation.say(f"The final snapshot stays: make deploy-ecs SNAPSHOT={name}{kind}")
            continue
        if name in of_clusters:
            aws.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
        else:
            aws.rds.delete_db_snapshot(DBSnapshotIdentifier=name)
        installation.say(f"The final snapshot {name}: deleted")


def _chunks(items: list[_Item], size: int) -> Iterator[list[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
