"""Whether the resource that an ARN names exists, or whether only its tags are still listed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from botocore.exceptions import ClientError

from deploy.aws import Aws

_ABSENT: Final = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent")

Source = Literal["arn", "name", "last", "path"]
"""Which part of an ARN identifies the resource: all of it; the name after the resource type; what
follows the last slash of that name; or that name after a slash."""

Description = Mapping[str, Any]
"""One element of a response. Its shape depends on the call, so its values are untyped."""


def _exists(_: Description) -> bool:
    return True


def _state_not_in(key: str, *absent: str) -> Callable[[Description], bool]:
    """A check that the state under `key` is none of `absent`; case does not matter."""
    return lambda found: str(found.get(key)).lower() not in absent


def _is_running(reservation: Description) -> bool:
    states = [instance.get("State", {}).get("Name") for instance in reservation["Instances"]]
    return any(state not in {"terminated", "shutting-down"} for state in states)


@dataclass(frozen=True)
class Lookup:
    """How to look up one type of resource: `call` is a method of the client `client` (an attribute
    of `Aws`) or, if `paginated`, the name of its paginator.

    `parameter` takes the part `source` of the ARN, in a list if the parameter's name is plural
    (`listed`). `key` is the response's list of resources; without it, a response without an error
    means that the resource exists. `counts` says whether an element of the list is a resource that
    still exists. With `match`, only elements with the identifier under that key count. `cluster`
    sends the cluster along, which calls for ECS services and tasks need.
    """

    client: str
    call: str
    parameter: str | None = None
    key: str | None = None
    source: Source = "name"
    listed: bool = True
    counts: Callable[[Description], bool] = _exists
    match: str | None = None
    cluster: bool = False
    paginated: bool = False
    fixed: Mapping[str, str] | None = None


_NOT_INACTIVE: Final = _state_not_in("status", "inactive")

LOOKUPS: Final[Mapping[tuple[str, str], Lookup]] = {
    ("application-autoscaling", "scalable-target"): Lookup(
        "scaling", "describe_scalable_targets", None, "ScalableTargets",
        source="arn", match="ScalableTargetARN", paginated=True, fixed={"ServiceNamespace": "ecs"},
    ),
    ("cloudformation", "stack"): Lookup(
        "cloudformation", "describe_stacks", "StackName", "Stacks",
        source="arn", listed=False, counts=_state_not_in("StackStatus", "delete_complete"),
    ),
    ("cloudwatch", "alarm"): Lookup("cloudwatch", "describe_alarms", "AlarmNames", "MetricAlarms"),
    ("cloudwatch", "dashboard"): Lookup(
        "cloudwatch", "list_dashboards", "DashboardNamePrefix", "DashboardEntries",
        listed=False, match="DashboardName",
    ),
    ("dynamodb", "table"): Lookup("dynamodb", "describe_table", "TableName", listed=False),
    ("ec2", "egress-only-internet-gateway"): Lookup(
        "ec2", "describe_egress_only_internet_gateways",
        "EgressOnlyInternetGatewayIds", "EgressOnlyInternetGateways",
    ),
    ("ec2", "elastic-ip"): Lookup("ec2", "describe_addresses", "AllocationIds", "Addresses"),
    ("ec2", "instance"): Lookup(
        "ec2", "describe_instances", "InstanceIds", "Reservations", counts=_is_running
    ),
    ("ec2", "internet-gateway"): Lookup(
        "ec2", "describe_internet_gateways", "InternetGatewayIds", "InternetGateways"
    ),
    ("ec2", "launch-template"): Lookup(
        "ec2", "describe_launch_templates", "LaunchTemplateIds", "LaunchTemplates"
    ),
    ("ec2", "natgateway"): Lookup(
        "ec2", "describe_nat_gateways", "NatGatewayIds", "NatGateways",
        counts=_state_not_in("State", "deleted", "deleting"),
    ),
    ("ec2", "network-interface"): Lookup(
        "ec2", "describe_network_interfaces", "NetworkInterfaceIds", "NetworkInterfaces"
    ),
    ("ec2", "route-table"): Lookup("ec2", "describe_route_tables", "RouteTableIds", "RouteTables"),
    ("ec2", "security-group"): Lookup(
        "ec2", "describe_security_groups", "GroupIds", "SecurityGroups"
    ),
    ("ec2", "security-group-rule"): Lookup(
        "ec2", "describe_security_group_rules", "SecurityGroupRuleIds", "SecurityGroupRules"
    ),
    ("ec2", "subnet"): Lookup("ec2", "describe_subnets", "SubnetIds", "Subnets"),
    ("ec2", "volume"): Lookup("ec2", "describe_volumes", "VolumeIds", "Volumes"),
    ("ec2", "vpc"): Lookup("ec2", "describe_vpcs", "VpcIds", "Vpcs"),
    ("ec2", "vpc-endpoint"): Lookup(
        "ec2", "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints",
        counts=_state_not_in("State", "deleted"),
    ),
    ("ecr", "repository"): Lookup(
        "ecr", "describe_repositories", "repositoryNames", "repositories"
    ),
    ("ecs", "capacity-provider"): Lookup(
        "ecs", "describe_capacity_providers", "capacityProviders", "capacityProviders",
        counts=lambda found: bool(found.get("status") == "ACTIVE"),
    ),
    ("ecs", "cluster"): Lookup(
        "ecs", "describe_clusters", "clusters", "clusters", source="arn", counts=_NOT_INACTIVE
    ),
    ("ecs", "container-instance"): Lookup(
        "ecs", "describe_container_instances", "containerInstances", "containerInstances",
        source="arn", counts=_NOT_INACTIVE, cluster=True,
    ),
    ("ecs", "service"): Lookup(
        "ecs", "describe_services", "services", "services",
        source="arn", counts=_NOT_INACTIVE, cluster=True,
    ),
    ("ecs", "task"): Lookup(
        "ecs", "describe_tasks", "tasks", "tasks",
        source="arn", counts=_state_not_in("lastStatus", "stopped"), cluster=True,
    ),
    # A definition in deletion stays in that state until no task uses it.
    ("ecs", "task-definition"): Lookup(
        "ecs", "describe_task_definition", "taskDefinition", "taskDefinition",
        source="arn", listed=False, counts=_state_not_in("status", "delete_in_progress"),
    ),
    ("elasticloadbalancing", "listener"): Lookup(
        "elb", "describe_listeners", "ListenerArns", "Listeners", source="arn"
    ),
    ("elasticloadbalancing", "listener-rule"): Lookup(
        "elb", "describe_rules", "RuleArns", "Rules", source="arn"
    ),
    ("elasticloadbalancing", "loadbalancer"): Lookup(
        "elb", "describe_load_balancers", "LoadBalancerArns", "LoadBalancers", source="arn"
    ),
    ("elasticloadbalancing", "targetgroup"): Lookup(
        "elb", "describe_target_groups", "TargetGroupArns", "TargetGroups", source="arn"
    ),
    ("iam", "role"): Lookup("iam", "get_role", "RoleName", source="last", listed=False),
    ("logs", "log-group"): Lookup(
        "logs", "describe_log_groups", "logGroupNamePrefix", "logGroups",
        listed=False, match="logGroupName",
    ),
    ("rds", "cluster"): Lookup(
        "rds", "describe_db_clusters", "DBClusterIdentifier", "DBClusters", listed=False
    ),
    ("rds", "cluster-pg"): Lookup(
        "rds", "describe_db_cluster_parameter_groups",
        "DBClusterParameterGroupName", "DBClusterParameterGroups", listed=False,
    ),
    ("rds", "cluster-snapshot"): Lookup(
        "rds", "describe_db_cluster_snapshots",
        "DBClusterSnapshotIdentifier", "DBClusterSnapshots", listed=False,
    ),
    ("rds", "db"): Lookup(
        "rds", "describe_db_instances", "DBInstanceIdentifier", "DBInstances", listed=False
    ),
    ("rds", "pg"): Lookup(
        "rds", "describe_db_parameter_groups", "DBParameterGroupName", "DBParameterGroups",
        listed=False,
    ),
    ("rds", "snapshot"): Lookup(
        "rds", "describe_db_snapshots", "DBSnapshotIdentifier", "DBSnapshots", listed=False
    ),
    ("rds", "subgrp"): Lookup(
        "rds", "describe_db_subnet_groups", "DBSubnetGroupName", "DBSubnetGroups", listed=False
    ),
    ("route53", "hostedzone"): Lookup("route53", "get_hosted_zone", "Id", listed=False),
    ("s3", ""): Lookup("s3", "list_buckets", None, "Buckets", match="Name"),
    ("scheduler", "schedule-group"): Lookup(
        "scheduler", "get_schedule_group", "Name", listed=False
    ),
    ("secretsmanager", "secret"): Lookup(
        "secrets", "describe_secret", "SecretId", source="arn", listed=False
    ),
    ("ssm", "parameter"): Lookup("ssm", "get_parameters", "Names", "Parameters", source="path"),
    ("sqs", ""): Lookup("sqs", "get_queue_url", "QueueName", listed=False),
    ("states", "stateMachine"): Lookup(
        "states", "describe_state_machine", "stateMachineArn", source="arn", listed=False
    ),
    ("sns", ""): Lookup("sns", "get_topic_attributes", "TopicArn", source="arn", listed=False),
}  # fmt: skip
"""By service and resource type, as in the ARN; ARNs of S3, SNS and SQS have no resource type."""


def resource_exists(aws: Aws, arn: str) -> bool:
    """Ask the ARN's service whether the resource exists. One of an unknown type counts as existing.
    Raises botocore's errors, except for the one that says that there is no such resource."""
    _, _, service, _, _, rest = arn.split(":", 5)
    kind, _, name = rest.replace(":", "/", 1).partition("/")
    lookup = LOOKUPS.get((service, kind))
    if lookup is None:
        lookup, name = LOOKUPS.get((service, "")), rest
    if lookup is None:
        return True
    try:
        return _look_up(lookup, aws, arn, name.removesuffix(":*"))
    except ClientError as error:
        if _means_absent(error):
            return False
        raise


def _look_up(lookup: Lookup, aws: Aws, arn: str, name: str) -> bool:
    identifier = {
        "arn": arn,
        "name": name,
        "last": name.rpartition("/")[2],
        "path": f"/{name.lstrip('/')}",
    }[lookup.source]
    request: dict[str, str | list[str]] = dict(lookup.fixed or {})
    if lookup.parameter is not None:
        request[lookup.parameter] = [identifier] if lookup.listed else identifier
    if lookup.cluster:
        request["cluster"] = name.partition("/")[0]
    # The table's entries name the calls, and boto3's types do not reach that far:
    # test_every_lookup_is_a_call_that_aws_has compares them with botocore's description of AWS.
    client: Any = getattr(aws, lookup.client)
    pages: Iterable[Description]
    if lookup.paginated:
        pages = client.get_paginator(lookup.call).paginate(**request)
    else:
        pages = [getattr(client, lookup.call)(**request)]
    if lookup.key is None:
        return any(True for _ in pages)
    found = [one for page in pages for one in _elements(page[lookup.key])]
    if lookup.match is not None:
        found = [one for one in found if one.get(lookup.match) == identifier]
    return any(lookup.counts(one) for one in found)


def _elements(found: Description | Sequence[Description]) -> Sequence[Description]:
    return [found] if isinstance(found, Mapping) else found


def _means_absent(error: ClientError) -> bool:
    code = error.response["Error"].get("Code", "")
    if any(absent in code for absent in _ABSENT) or "not found" in str(error).lower():
        return True
    # The response of ECS to a task definition, and to a task, that does not exist.
    return code == "ClientException" and "Unable to describe" in str(error)
