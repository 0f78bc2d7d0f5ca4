"""Whether what an ARN names is there, or only remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from deploy.aws import Aws

_ABSENT: Final = ("NotFound", "NoSuch", "DoesNotExist", "ResourceNotFoundException")


def is_still_there(aws: Aws, arn: str) -> bool:
    """Ask the service that the ARN belongs to. What nobody here knows how to ask for counts as
    there. Raises botocore's errors other than that there is no such thing."""
    _, _, service, _, _, rest = arn.split(":", 5)
    kind = rest.replace(":", "/", 1).split("/")[0]
    name = rest[len(kind) + 1 :]
    look = _LOOKS.get((service, kind)) or _LOOKS.get((service, ""))
    if look is None:
        return True
    try:
        return look(aws, arn, name)
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if any(absent in code for absent in _ABSENT) or "not found" in str(error).lower():
            return False
        # What ECS says of a task definition, and of a task, that is gone.
        if code == "ClientException" and "Unable to describe" in str(error):
            return False
        raise


def _instance(aws: Aws, _: str, name: str) -> bool:
    found = aws.ec2.describe_instances(InstanceIds=[name])["Reservations"]
    states = [i.get("State", {}).get("Name") for r in found for i in r.get("Instances", [])]
    return any(state not in {"terminated", "shutting-down"} for state in states)


def _nat_gateway(aws: Aws, _: str, name: str) -> bool:
    found = aws.ec2.describe_nat_gateways(NatGatewayIds=[name])["NatGateways"]
    return any(gateway.get("State") not in {"deleted", "deleting"} for gateway in found)


def _volume(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_volumes(VolumeIds=[name])["Volumes"])


def _vpc(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_vpcs(VpcIds=[name])["Vpcs"])


def _subnet(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_subnets(SubnetIds=[name])["Subnets"])


def _security_group(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_security_groups(GroupIds=[name])["SecurityGroups"])


def _security_group_rule(aws: Aws, _: str, name: str) -> bool:
    found = aws.ec2.describe_security_group_rules(SecurityGroupRuleIds=[name])
    return bool(found["SecurityGroupRules"])


def _internet_gateway(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_internet_gateways(InternetGatewayIds=[name])["InternetGateways"])


def _egress_only_gateway(aws: Aws, _: str, name: str) -> bool:
    found = aws.ec2.describe_egress_only_internet_gateways(EgressOnlyInternetGatewayIds=[name])
    return bool(found["EgressOnlyInternetGateways"])


def _route_table(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_route_tables(RouteTableIds=[name])["RouteTables"])


def _address(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_addresses(AllocationIds=[name])["Addresses"])


def _launch_template(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ec2.describe_launch_templates(LaunchTemplateIds=[name])["LaunchTemplates"])


def _endpoint(aws: Aws, _: str, name: str) -> bool:
    found = aws.ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    return any(str(endpoint.get("State")).lower() != "deleted" for endpoint in found)


def _network_interface(aws: Aws, _: str, name: str) -> bool:
    found = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[name])
    return bool(found["NetworkInterfaces"])


def _cluster(aws: Aws, arn: str, _: str) -> bool:
    found = aws.ecs.describe_clusters(clusters=[arn])["clusters"]
    return any(cluster.get("status") != "INACTIVE" for cluster in found)


def _service(aws: Aws, arn: str, name: str) -> bool:
    cluster = name.split("/")[0]
    found = aws.ecs.describe_services(cluster=cluster, services=[arn])["services"]
    return any(service.get("status") != "INACTIVE" for service in found)


def _task(aws: Aws, arn: str, name: str) -> bool:
    cluster = name.split("/")[0]
    found = aws.ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
    return any(task.get("lastStatus") != "STOPPED" for task in found)


def _task_definition(aws: Aws, arn: str, _: str) -> bool:
    found = aws.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    # One that is being deleted stays so until no task uses it.
    return found.get("status") != "DELETE_IN_PROGRESS"


def _capacity_provider(aws: Aws, _: str, name: str) -> bool:
    found = aws.ecs.describe_capacity_providers(capacityProviders=[name])["capacityProviders"]
    return any(provider.get("status") == "ACTIVE" for provider in found)


def _load_balancer(aws: Aws, arn: str, _: str) -> bool:
    return bool(aws.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"])


def _target_group(aws: Aws, arn: str, _: str) -> bool:
    return bool(aws.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"])


def _listener(aws: Aws, arn: str, _: str) -> bool:
    return bool(aws.elb.describe_listeners(ListenerArns=[arn])["Listeners"])


def _rule(aws: Aws, arn: str, _: str) -> bool:
    return bool(aws.elb.describe_rules(RuleArns=[arn])["Rules"])


def _log_group(aws: Aws, _: str, name: str) -> bool:
    wanted = name.removesuffix(":*")
    found = aws.logs.describe_log_groups(logGroupNamePrefix=wanted)["logGroups"]
    return any(group.get("logGroupName") == wanted for group in found)


def _repository(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ecr.describe_repositories(repositoryNames=[name])["repositories"])


def _parameter(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.ssm.get_parameters(Names=[f"/{name.lstrip('/')}"])["Parameters"])


def _secret(aws: Aws, arn: str, _: str) -> bool:
    return bool(aws.secrets.describe_secret(SecretId=arn))


def _db_cluster(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"])


def _db_instance(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"])


def _db_snapshot(aws: Aws, _: str, name: str) -> bool:
    found = aws.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
    return bool(found["DBClusterSnapshots"])


def _db_subnet_group(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"])


def _db_parameter_group(aws: Aws, _: str, name: str) -> bool:
    found = aws.rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)
    return bool(found["DBClusterParameterGroups"])


def _stack(aws: Aws, arn: str, _: str) -> bool:
    (stack,) = aws.cloudformation.describe_stacks(StackName=arn)["Stacks"]
    return stack["StackStatus"] != "DELETE_COMPLETE"


def _role(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.iam.get_role(RoleName=name.rpartition("/")[2]))


def _alarm(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"])


def _dashboard(aws: Aws, _: str, name: str) -> bool:
    found = aws.cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    return any(dashboard.get("DashboardName") == name for dashboard in found)


def _topic(aws: Aws, arn: str, _: str) -> bool:
    return bool(aws.sns.get_topic_attributes(TopicArn=arn))


def _zone(aws: Aws, _: str, name: str) -> bool:
    return bool(aws.route53.get_hosted_zone(Id=name))


def _scalable_target(aws: Aws, arn: str, _: str) -> bool:
    pages = aws.scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="ecs")
    return any(
        target.get("ScalableTargetARN") == arn
        for page in pages
        for target in page["ScalableTargets"]
    )


def _container_instance(aws: Aws, arn: str, name: str) -> bool:
    found = aws.ecs.describe_container_instances(
        cluster=name.split("/")[0], containerInstances=[arn]
    )["containerInstances"]
    return any(instance.get("status") != "INACTIVE" for instance in found)


def _bucket(aws: Aws, arn: str, _: str) -> bool:
    wanted = arn.rpartition(":")[2]
    return any(bucket.get("Name") == wanted for bucket in aws.s3.list_buckets()["Buckets"])


_LOOKS: Final[dict[tuple[str, str], Callable[[Aws, str, str], bool]]] = {
    ("ec2", "instance"): _instance,
    ("ec2", "natgateway"): _nat_gateway,
    ("ec2", "volume"): _volume,
    ("ec2", "vpc"): _vpc,
    ("ec2", "subnet"): _subnet,
    ("ec2", "security-group"): _security_group,
    ("ec2", "security-group-rule"): _security_group_rule,
    ("ec2", "internet-gateway"): _internet_gateway,
    ("ec2", "egress-only-internet-gateway"): _egress_only_gateway,
    ("ec2", "route-table"): _route_table,
    ("ec2", "elastic-ip"): _address,
    ("ec2", "launch-template"): _launch_template,
    ("ec2", "vpc-endpoint"): _endpoint,
    ("ec2", "network-interface"): _network_interface,
    ("ecs", "cluster"): _cluster,
    ("ecs", "service"): _service,
    ("ecs", "task"): _task,
    ("ecs", "task-definition"): _task_definition,
    ("ecs", "capacity-provider"): _capacity_provider,
    ("elasticloadbalancing", "loadbalancer"): _load_balancer,
    ("elasticloadbalancing", "targetgroup"): _target_group,
    ("elasticloadbalancing", "listener"): _listener,
    ("elasticloadbalancing", "listener-rule"): _rule,
    ("logs", "log-group"): _log_group,
    ("ecr", "repository"): _repository,
    ("ssm", "parameter"): _parameter,
    ("secretsmanager", "secret"): _secret,
    ("rds", "cluster"): _db_cluster,
    ("rds", "db"): _db_instance,
    ("rds", "cluster-snapshot"): _db_snapshot,
    ("rds", "subgrp"): _db_subnet_group,
    ("rds", "cluster-pg"): _db_parameter_group,
    ("cloudformation", "stack"): _stack,
    ("cloudwatch", "alarm"): _alarm,
    ("iam", "role"): _role,
    ("s3", ""): _bucket,
    ("sns", ""): _topic,
    ("cloudwatch", "dashboard"): _dashboard,
    ("route53", "hostedzone"): _zone,
    ("application-autoscaling", "scalable-target"): _scalable_target,
    ("ecs", "container-instance"): _container_instance,
}
