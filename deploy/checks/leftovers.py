"""What is left of a project: found by its tag, or by name and type if AWS cannot search for tags.

The tagging API does not list Auto Scaling groups, IAM roles, DNS zones (outside us-east-1) and
resources without tags, and it lists resources for a while after they were deleted; so each resource
that it lists is looked up in its own service.

Resources that may belong to somebody else, because only the name or one tag matches, are listed
separately, and never deleted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from deploy import lock
from deploy.aws import Aws
from deploy.checks import ownership
from deploy.checks.resource_exists import resource_exists
from topology.routing import TARGET_GROUP_SUFFIXES


@dataclass(frozen=True)
class Found:
    """A resource's name or ARN, and whether it certainly belongs to the project."""

    name: str
    is_ours: bool = True


@dataclass(frozen=True)
class Leftovers:
    """The project's leftovers, and resources that may be somebody else's, a line each."""

    ours: list[str]
    unknown: list[str]


Finder = Callable[[Aws, str], Iterator[Found]]
"""Yields resources that belong to a project, or may do so."""

STATUSES: Final[tuple[Literal["ACTIVE", "INACTIVE"], ...]] = ("ACTIVE", "INACTIVE")
"""The statuses of task definitions that have not been deleted."""

_GONE: Final = {"DELETE_COMPLETE"}


def leftovers(aws: Aws, project: str) -> Leftovers:
    """Everything that is left. What could not be looked up counts as the project's, because nothing
    proves that it was deleted."""
    ours: list[str] = []
    unknown: list[str] = []
    for what, finder in FINDERS.items():
        try:
            for found in finder(aws, project):
                (ours if found.is_ours else unknown).append(f"{what}: {found.name}")
        except (ClientError, BotoCoreError) as error:
            ours.append(f"{what}: could not be looked up: {error}")
    return Leftovers(ours, unknown)


def _tagged(aws: Aws, project: str) -> Iterator[Found]:
    pages = aws.tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": ownership.TAG, "Values": [project]}]
    )
    for page in pages:
        for resource in page["ResourceTagMappingList"]:
            arn = resource.get("ResourceARN", "")
            if resource_exists(aws, arn):
                yield Found(arn, ownership.is_tagged(project, resource.get("Tags", [])))


def _tagged_in_ec2(aws: Aws, project: str) -> Iterator[Found]:
    pages = aws.ec2.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "tag:Project", "Values": [project]}]
    )
    named = [
        (tag.get("ResourceType", ""), tag.get("ResourceId", ""))
        for page in pages
        for tag in page["Tags"]
        if (tag.get("Key"), tag.get("Value")) == (ownership.TAG, project)
    ]
    for kind, name in named:
        if resource_exists(aws, f"arn:aws:ec2:::{kind}/{name}"):
            pages = aws.ec2.get_paginator("describe_tags").paginate(
                Filters=[{"Name": "resource-id", "Values": [name]}]
            )
            tags = [tag for page in pages for tag in page["Tags"]]
            yield Found(f"{kind} {name}", ownership.is_tagged(project, tags))


def _stacks(aws: Aws, project: str) -> Iterator[Found]:
    names = ownership.stack_names(project)
    for page in aws.cloudformation.get_paginator("list_stacks").paginate():
        for summary in page["StackSummaries"]:
            if summary["StackName"] in names and summary["StackStatus"] not in _GONE:
                name = f"{summary['StackName']} ({summary['StackStatus']})"
                found = aws.cloudformation.describe_stacks(StackName=summary["StackName"])["Stacks"]
                tags = [tag for stack in found for tag in stack.get("Tags", [])]
                yield Found(name, ownership.has_project_tag(project, tags))


def _auto_scaling_groups(aws: Aws, project: str) -> Iterator[Found]:
    pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
    for page in pages:
        for group in page["AutoScalingGroups"]:
            tags = group.get("Tags", [])
            if ownership.has_project_tag(project, tags):
                yield Found(
                    group["AutoScalingGroupName"],
                    ownership.is_tagged(project, tags)
                    or group["AutoScalingGroupName"].startswith(f"{project}-cluster-"),
                )


def _roles(aws: Aws, project: str) -> Iterator[Found]:
    names = ownership.role_names(project, aws.region)
    for page in aws.iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            if role["RoleName"] in names:
                yield Found(role["RoleName"])


def _instance_profiles(aws: Aws, project: str) -> Iterator[Found]:
    for page in aws.iam.get_paginator("list_instance_profiles").paginate():
        for profile in page["InstanceProfiles"]:
            name = profile["InstanceProfileName"]
            if name == ownership.instance_profile_name(project, aws.region):
                yield Found(name)


def _load_balancers(aws: Aws, project: str) -> Iterator[Found]:
    for page in aws.elb.get_paginator("describe_load_balancers").paginate():
        for balancer in page["LoadBalancers"]:
            if balancer.get("LoadBalancerName") in {project, f"{project}-services"}:
                arn = balancer.get("LoadBalancerArn", "")
                yield Found(arn, _is_tagged_balancing(aws, project, arn))


def _target_groups(aws: Aws, project: str) -> Iterator[Found]:
    names = {f"{project}-{suffix}" for suffix in TARGET_GROUP_SUFFIXES}
    for page in aws.elb.get_paginator("describe_target_groups").paginate():
        for group in page["TargetGroups"]:
            if group.get("TargetGroupName") in names:
                arn = group.get("TargetGroupArn", "")
                yield Found(arn, _is_tagged_balancing(aws, project, arn))


def _is_tagged_balancing(aws: Aws, project: str, arn: str) -> bool:
    """Whether a load balancer or target group has the tag: others may use the name `board`, too."""
    found = aws.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return any(ownership.has_project_tag(project, one.get("Tags", [])) for one in found)


def _log_groups(aws: Aws, project: str) -> Iterator[Found]:
    exact = ownership.log_group_names(project)
    for prefix in (
        f"/{project}/",
        f"/aws/vendedlogs/states/{project}-",
        # AWS creates these for a cluster or database, without tags, and they outlive it.
        f"/aws/ecs/containerinsights/{project}/",
        f"/aws/rds/cluster/{project}-data-",
        f"/aws/rds/instance/{project}-data-",
    ):
        pages = aws.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        for page in pages:
            for group in page["logGroups"]:
                name = group.get("logGroupName", "")
                yield Found(name, name in exact)


def _task_definitions(aws: Aws, project: str) -> Iterator[Found]:
    for family in families(aws, project):
        for arn in revisions(aws, family):
            yield Found(arn, is_own_revision(aws, project, arn))


def _snapshots(aws: Aws, project: str) -> Iterator[Found]:
    # Somebody may have taken it, or still need it.
    for snapshot in snapshots(aws, project):
        yield Found(snapshot, is_ours=False)


def _databases(aws: Aws, project: str) -> Iterator[Found]:
    for page in aws.rds.get_paginator("describe_db_clusters").paginate():
        for cluster in page["DBClusters"]:
            if ownership.has_project_tag(project, cluster.get("TagList", [])):
                name = cluster.get("DBClusterIdentifier", "")
                yield Found(name, name.startswith(f"{project}-data-"))
    for instances in aws.rds.get_paginator("describe_db_instances").paginate():
        for instance in instances["DBInstances"]:
            if ownership.has_project_tag(project, instance.get("TagList", [])):
                name = instance.get("DBInstanceIdentifier", "")
                yield Found(name, name.startswith(f"{project}-data-"))


def _secrets(aws: Aws, project: str) -> Iterator[Found]:
    pages = aws.secrets.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
    for page in pages:
        for secret in page["SecretList"]:
            if secret.get("Name", "") in ownership.secret_names(project):
                planned = " (to be deleted)" if "DeletedDate" in secret else ""
                yield Found(f"{secret.get('Name', '')}{planned}")


def _lock_tables(aws: Aws, project: str) -> Iterator[Found]:
    for page in aws.dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if name == lock.table_name(project):
                yield Found(name)


def _zones(aws: Aws, project: str) -> Iterator[Found]:
    for page in aws.route53.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            if zone["Name"].rstrip(".") == ownership.zone_name(project, aws.region):
                yield Found(zone["Name"])


def _repositories(aws: Aws, project: str) -> Iterator[Found]:
    for page in aws.ecr.get_paginator("describe_repositories").paginate():
        for repository in page["repositories"]:
            if repository.get("repositoryName", "") in ownership.repository_names(project):
                yield Found(repository.get("repositoryName", ""))


def _dashboards(aws: Aws, project: str) -> Iterator[Found]:
    name = ownership.dashboard_name(project, aws.region)
    pages = aws.cloudwatch.get_paginator("list_dashboards").paginate(DashboardNamePrefix=name)
    for page in pages:
        for dashboard in page["DashboardEntries"]:
            if dashboard.get("DashboardName") == name:
                yield Found(name)


def _buckets(aws: Aws, project: str) -> Iterator[Found]:
    for bucket in aws.s3.list_buckets()["Buckets"]:
        if ownership.is_bucket(project, aws.region, bucket.get("Name", "")):
            yield Found(bucket.get("Name", ""))


def families(aws: Aws, project: str) -> list[str]:
    """The existing families of task definitions with the project's names."""
    pages = aws.ecs.get_paginator("list_task_definition_families").paginate(
        familyPrefix=f"{project}-"
    )
    found = {family for page in pages for family in page["families"]}
    return sorted(found & ownership.family_names(project))


def revisions(aws: Aws, family: str) -> list[str]:
    """The ARNs of all revisions of a family, those of other people included."""
    return [
        arn
        for status in STATUSES
        for page in aws.ecs.get_paginator("list_task_definitions").paginate(
            familyPrefix=family, status=status
        )
        for arn in page["taskDefinitionArns"]
        # The call matches prefixes; only this family counts.
        if arn.rpartition("/")[2].rpartition(":")[0] == family
    ]


def is_own_revision(aws: Aws, project: str, arn: str) -> bool:
    """Whether the revision has the project's tag, which its stacks set. Others may register
    revisions of the same family."""
    found = aws.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    return ownership.has_project_tag(project, found.get("tags", []))


def snapshots(aws: Aws, project: str) -> list[str]:
    """The snapshots with the project's tag, which RDS copies from the database."""
    found = [
        snapshot.get("DBClusterSnapshotIdentifier", "")
        for page in aws.rds.get_paginator("describe_db_cluster_snapshots").paginate(
            SnapshotType="manual"
        )
        for snapshot in page["DBClusterSnapshots"]
        if ownership.has_project_tag(project, snapshot.get("TagList", []))
    ]
    return found + [
        snapshot.get("DBSnapshotIdentifier", "")
        for page in aws.rds.get_paginator("describe_db_snapshots").paginate(SnapshotType="manual")
        for snapshot in page["DBSnapshots"]
        if ownership.has_project_tag(project, snapshot.get("TagList", []))
    ]


FINDERS: Final[dict[str, Finder]] = {
    "with the tag": _tagged,
    "with the tag, in EC2": _tagged_in_ec2,
    "stack": _stacks,
    "Auto Scaling group": _auto_scaling_groups,
    "role": _roles,
    "instance profile": _instance_profiles,
    "load balancer": _load_balancers,
    "target group": _target_groups,
    "log group": _log_groups,
    "task definition": _task_definitions,
    "database": _databases,
    "snapshot": _snapshots,
    "secret": _secrets,
    "lock table": _lock_tables,
    "hosted zone": _zones,
    "repository": _repositories,
    "dashboard": _dashboards,
    "bucket": _buckets,
}
