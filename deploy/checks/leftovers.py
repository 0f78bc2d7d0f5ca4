"""What is left of a project: found by its tag, or by name and type if AWS cannot search for tags.

The tagging API does not list Auto Scaling groups, IAM roles, DNS zones (outside us-east-1) and
resources without tags, and it lists resources for a while after they were deleted; so each resource
that it lists is looked up in its own service.
"""

from collections.abc import Callable, Iterator
from typing import Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from deploy import lock
from deploy.aws import Aws
from deploy.checks.resource_exists import resource_exists
from deploy.installation import ALL
from topology.deployments import SERVERS
from topology.routing import TARGET_GROUP_SUFFIXES

Finder = Callable[[Aws, str], Iterator[str]]
"""Yields the names or ARNs of a project's resources."""

STATUSES: Final[tuple[Literal["ACTIVE", "INACTIVE"], ...]] = ("ACTIVE", "INACTIVE")
"""Those of task definitions that stay until somebody deletes them."""

_GONE: Final = {"DELETE_COMPLETE"}


def leftovers(aws: Aws, project: str) -> list[str]:
    """All that is left, a line each. What could not be looked up counts as left: nothing proves
    that it was deleted."""
    found = []
    for what, finder in FINDERS.items():
        try:
            found += [f"{what}: {name}" for name in finder(aws, project)]
        except (ClientError, BotoCoreError) as error:
            found.append(f"{what}: could not be looked up: {error}")
    return found


def _tagged(aws: Aws, project: str) -> Iterator[str]:
    pages = aws.tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": "Project", "Values": [project]}]
    )
    for page in pages:
        for resource in page["ResourceTagMappingList"]:
            arn = resource.get("ResourceARN", "")
            if resource_exists(aws, arn):
                yield arn


def _tagged_in_ec2(aws: Aws, project: str) -> Iterator[str]:
    pages = aws.ec2.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "tag:Project", "Values": [project]}]
    )
    for page in pages:
        for tag in page["Tags"]:
            kind, name = tag.get("ResourceType", ""), tag.get("ResourceId", "")
            ours = (tag.get("Key"), tag.get("Value")) == ("Project", project)
            if ours and resource_exists(aws, f"arn:aws:ec2:::{kind}/{name}"):
                yield f"{kind} {name}"


def _stacks(aws: Aws, project: str) -> Iterator[str]:
    names = {f"{project}-{part}" for part in ALL}
    for page in aws.cloudformation.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            if stack["StackName"] in names and stack["StackStatus"] not in _GONE:
                yield f"{stack['StackName']} ({stack['StackStatus']})"


def _auto_scaling_groups(aws: Aws, project: str) -> Iterator[str]:
    pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
    for page in pages:
        for group in page["AutoScalingGroups"]:
            tags = {tag.get("Key"): tag.get("Value") for tag in group.get("Tags", [])}
            if tags.get("Project") == project:
                yield group["AutoScalingGroupName"]


def _roles(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            if role["RoleName"].startswith(_stack_prefixes(project)):
                yield role["RoleName"]


def _instance_profiles(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.iam.get_paginator("list_instance_profiles").paginate():
        for profile in page["InstanceProfiles"]:
            if profile["InstanceProfileName"].startswith(_stack_prefixes(project)):
                yield profile["InstanceProfileName"]


def _load_balancers(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.elb.get_paginator("describe_load_balancers").paginate():
        for balancer in page["LoadBalancers"]:
            if balancer.get("LoadBalancerName") in {project, f"{project}-services"}:
                yield balancer.get("LoadBalancerArn", "")


def _target_groups(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.elb.get_paginator("describe_target_groups").paginate():
        for group in page["TargetGroups"]:
            if group.get("TargetGroupName") in {
                f"{project}-{suffix}" for suffix in TARGET_GROUP_SUFFIXES
            }:
                yield group.get("TargetGroupArn", "")


def _log_groups(aws: Aws, project: str) -> Iterator[str]:
    for prefix in log_group_prefixes(project):
        pages = aws.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        for page in pages:
            for group in page["logGroups"]:
                yield group.get("logGroupName", "")


def _task_definitions(aws: Aws, project: str) -> Iterator[str]:
    for family in families(aws, project):
        for status in STATUSES:
            pages = aws.ecs.get_paginator("list_task_definitions").paginate(
                familyPrefix=family, status=status
            )
            for page in pages:
                yield from page["taskDefinitionArns"]


def _snapshots(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.rds.get_paginator("describe_db_cluster_snapshots").paginate():
        for snapshot in page["DBClusterSnapshots"]:
            if snapshot.get("DBClusterIdentifier", "").startswith(f"{project}-data-"):
                yield snapshot.get("DBClusterSnapshotIdentifier", "")


def _databases(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.rds.get_paginator("describe_db_clusters").paginate():
        for cluster in page["DBClusters"]:
            if cluster.get("DBClusterIdentifier", "").startswith(f"{project}-data-"):
                yield cluster.get("DBClusterIdentifier", "")


def _secrets(aws: Aws, project: str) -> Iterator[str]:
    pages = aws.secrets.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
    for page in pages:
        for secret in page["SecretList"]:
            if secret.get("Name", "").startswith(f"{project}/"):
                planned = " (to be deleted)" if "DeletedDate" in secret else ""
                yield f"{secret.get('Name', '')}{planned}"


def _parameters(aws: Aws, project: str) -> Iterator[str]:
    pages = aws.ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": [f"/{project}/"]}]
    )
    for page in pages:
        for parameter in page["Parameters"]:
            yield parameter.get("Name", "")


def _lock_tables(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if name == lock.table_name(project):
                yield name


def _zones(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.route53.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            if zone["Name"].rstrip(".") == f"{project}.internal":
                yield zone["Name"]


def _repositories(aws: Aws, project: str) -> Iterator[str]:
    for page in aws.ecr.get_paginator("describe_repositories").paginate():
        for repository in page["repositories"]:
            if repository.get("repositoryName", "").startswith(f"{project}/"):
                yield repository.get("repositoryName", "")


def _dashboards(aws: Aws, project: str) -> Iterator[str]:
    pages = aws.cloudwatch.get_paginator("list_dashboards").paginate(DashboardNamePrefix=project)
    for page in pages:
        for dashboard in page["DashboardEntries"]:
            if dashboard.get("DashboardName") == project:
                yield project


def _buckets(aws: Aws, project: str) -> Iterator[str]:
    for bucket in aws.s3.list_buckets()["Buckets"]:
        if bucket.get("Name", "").startswith(f"{project}-routing-"):
            yield bucket.get("Name", "")


def families(aws: Aws, project: str) -> list[str]:
    """The families of task definitions that are the project's."""
    names = (*SERVERS, "bootstrap", "migrate", "operator")
    pages = aws.ecs.get_paginator("list_task_definition_families").paginate(
        familyPrefix=f"{project}-"
    )
    found = {family for page in pages for family in page["families"]}
    return sorted(found & {f"{project}-{name}" for name in names})


def log_group_prefixes(project: str) -> tuple[str, ...]:
    """What the names of its log groups begin with, those that AWS creates for it included."""
    return (
        f"/{project}/",
        f"/aws/ecs/containerinsights/{project}/",
        f"/aws/rds/cluster/{project}-",
    )


def _stack_prefixes(project: str) -> tuple[str, ...]:
    """What the names begin with that CloudFormation chooses."""
    parts = ("cluster", "operator", *SERVERS, "network")
    return tuple(f"{project}-{part}-" for part in parts)


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
    "parameter": _parameters,
    "lock table": _lock_tables,
    "hosted zone": _zones,
    "repository": _repositories,
    "dashboard": _dashboards,
    "bucket": _buckets,
}
