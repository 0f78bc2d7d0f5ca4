"""What operators and visitors rely on: what survives an update, how long data is kept, how fast a
failure is detected, and how many tasks or instances may be missing at once."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import pytest

from kernel.data.database import Database
from tests.cloudformation import SERVICES, Deployment, template
from topology.contexts import CONTEXT_NAMES
from topology.deployments import databases_of

MAX_CONNECTIONS: Mapping[str, int] = {"1": 189, "2": 405, "4": 823, "8": 1669, "16": 3360}
"""PostgreSQL's connections for each maximum of Aurora's capacity units: "Maximum connections for
Aurora Serverless v2" in the Aurora user guide."""
RESERVED_CONNECTIONS = 15
AURORA_WAKES = 30
"""Seconds that a database which was paused for more than a day takes to resume."""


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return Deployment(AccessLogs="true")


def attributes(resource: Mapping[str, Any], key: str) -> dict[str, str]:
    """Attributes of a load balancer or of a target group by their names."""
    return {entry["Key"]: entry["Value"] for entry in resource[key]}


# The database


@pytest.mark.parametrize("name", ["Database", "SingleDatabase"])
def test_a_database_that_is_deleted_or_replaced_leaves_a_snapshot(name: str) -> None:
    database = template("data")["Resources"][name]
    assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"


@pytest.mark.parametrize(("kind", "name"), [("aurora", "Database"), ("instance", "SingleDatabase")])
def test_database_has_encrypted_backups_for_a_week(kind: str, name: str) -> None:
    database = Deployment(DatabaseKind=kind).resource(f"data.{name}")
    assert int(database["BackupRetentionPeriod"]) >= 7
    assert database["StorageEncrypted"] is True
    assert database["CopyTagsToSnapshot"] is True


def test_database_pauses_after_5_to_15_idle_minutes(
    deployment: Deployment,
) -> None:
    scaling = deployment.resource("data.Database")["ServerlessV2ScalingConfiguration"]
    assert float(scaling["MinCapacity"]) == 0
    assert 300 <= scaling["SecondsUntilAutoPause"] <= 15 * 60


def test_every_connection_that_tasks_may_open_fits_into_the_database(
    deployment: Deployment,
) -> None:
    size: int = inspect.signature(Database.open).parameters["size"].default
    listeners = dict.fromkeys(CONTEXT_NAMES, 1)
    tasks = {
        name: int(deployment.resource(f"{name}.Scaling")["MaxCapacity"])
        for name in (*CONTEXT_NAMES, "monolith")
    }
    configuration = deployment.resource("users.Service")["DeploymentConfiguration"]
    rolling = configuration["MaximumPercent"] / 100
    needed = sum(
        count * rolling * sum(size + listeners[context] for context in databases_of(name))
        for name, count in tasks.items()
    )
    scaling = deployment.resource("data.Database")["ServerlessV2ScalingConfiguration"]
    assert needed < MAX_CONNECTIONS[str(scaling["MaxCapacity"])] - RESERVED_CONNECTIONS


# The load balancers


def open_to(deployment: Deployment, group: str) -> set[str]:
    """The networks and groups from which a security group lets connections in."""
    own = deployment.resource(group).properties.get("SecurityGroupIngress", ())
    apart = [
        rule.properties
        for rule in deployment.of_kind("EC2::SecurityGroupIngress")
        if rule["GroupId"] == group
    ]
    return {
        rule.get("CidrIp") or rule.get("CidrIpv6") or rule["SourceSecurityGroupId"]
        for rule in (*own, *apart)
    }


def test_everyone_reaches_the_public_load_balancer_and_only_instances_the_internal_one(
    deployment: Deployment,
) -> None:
    reached = {
        balancer["Scheme"]: set().union(
            *(open_to(deployment, group) for group in balancer["SecurityGroups"])
        )
        for balancer in deployment.of_kind("ElasticLoadBalancingV2::LoadBalancer")
    }
    assert reached == {
        "internet-facing": {"0.0.0.0/0", "::/0"},
        "internal": {"network.InstanceSecurityGroup"},
    }


def test_load_balancers_drop_invalid_header_names(deployment: Deployment) -> None:
    for balancer in deployment.of_kind("ElasticLoadBalancingV2::LoadBalancer"):
        found = attributes(balancer.properties, "LoadBalancerAttributes")
        assert found["routing.http.drop_invalid_header_fields.enabled"] == "true", balancer.name


def test_private_zone_is_visible_only_in_the_boards_network(deployment: Deployment) -> None:
    for zone in deployment.of_kind("Route53::HostedZone"):
        assert [vpc["VPCId"] for vpc in zone["VPCs"]] == ["network.Vpc"]


def test_target_changes_health_within_15_seconds_and_not_by_one_failure(
    deployment: Deployment,
) -> None:
    groups = list(deployment.of_kind("ElasticLoadBalancingV2::TargetGroup"))
    assert len(groups) >= len(SERVICES)
    for group in groups:
        assert group.properties.get("Matcher", {"HttpCode": "200"})["HttpCode"] == "200"
        interval = group["HealthCheckIntervalSeconds"]
        assert interval * group["HealthyThresholdCount"] <= 15
        assert interval * group["UnhealthyThresholdCount"] <= 15
        assert group["UnhealthyThresholdCount"] >= 2  # one lost packet is not a failure
        assert group["HealthCheckTimeoutSeconds"] < interval


def test_access_logs_are_deleted_after_two_weeks(deployment: Deployment) -> None:
    [bucket] = deployment.of_kind("S3::Bucket")
    expirations = [
        rule["ExpirationInDays"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if rule["Status"] == "Enabled" and "Prefix" not in rule and "TagFilters" not in rule
    ]
    assert 1 <= min(expirations) <= 14


# Tasks and instances


@pytest.mark.parametrize("name", SERVICES)
def test_health_checks_allow_time_to_start_and_detect_dead_tasks(
    deployment: Deployment, name: str
) -> None:
    [container] = deployment.resource(f"{name}.Task")["ContainerDefinitions"]
    check = container["HealthCheck"]
    # A small instance that starts all of its tasks at once is slow.
    assert 20 <= check["StartPeriod"] <= 120
    assert check["Interval"] * check["Retries"] <= 60
    service = deployment.resource(f"{name}.Service")
    for balanced in service["LoadBalancers"]:
        group = deployment.resource(balanced["TargetGroupArn"])
        becomes_healthy = group["HealthCheckIntervalSeconds"] * group["HealthyThresholdCount"]
        assert (
            service["HealthCheckGracePeriodSeconds"]
            >= check["StartPeriod"] + AURORA_WAKES + becomes_healthy
        )


@pytest.mark.parametrize("name", SERVICES)
def test_undeliverable_logs_do_not_block_requests(deployment: Deployment, name: str) -> None:
    [container] = deployment.resource(f"{name}.Task")["ContainerDefinitions"]
    options = container["LogConfiguration"]["Options"]
    assert options["mode"] == "non-blocking"
    assert options["max-buffer-size"] == "4m"
    log = deployment.resource(options["awslogs-group"])
    assert 1 <= int(log["RetentionInDays"]) <= 30


@pytest.mark.parametrize("name", SERVICES)
def test_tasks_of_a_service_are_spread_over_zones(name: str) -> None:
    several = Deployment(DesiredCount="2").resource(f"{name}.Service")["PlacementStrategies"]
    assert several[0] == {"Type": "spread", "Field": "attribute:ecs.availability-zone"}
    single = Deployment().resource(f"{name}.Service")["PlacementStrategies"]
    assert [strategy["Type"] for strategy in single] == ["binpack"]


@pytest.mark.parametrize("name", SERVICES)
def test_service_scales_out_before_its_cpu_is_saturated(deployment: Deployment, name: str) -> None:
    policy = deployment.resource(f"{name}.ScalingPolicy")
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "ECSServiceAverageCPUUtilization"
    assert 40 <= tracking["TargetValue"] <= 75
    assert tracking["ScaleOutCooldown"] < tracking["ScaleInCooldown"]


def test_an_update_replaces_one_instance_at_a_time() -> None:
    policy = template("cluster")["Resources"]["AutoScalingGroup"]["UpdatePolicy"]
    assert policy["AutoScalingRollingUpdate"]["MaxBatchSize"] == 1
    assert set(policy) == {"AutoScalingRollingUpdate"}


def test_instances_and_their_volumes_have_the_projects_tag(deployment: Deployment) -> None:
    # CloudFormation passes a stack's tags on to neither.
    launch = deployment.resource("cluster.LaunchTemplate")
    tag = {"Key": "Project", "Value": "board"}
    tagged = {
        one["ResourceType"]
        for one in (
            *launch["LaunchTemplateData"]["TagSpecifications"], *launch["TagSpecifications"],
        )
        if tag in one["Tags"]
    }  # fmt: skip
    assert tagged == {"instance", "volume", "launch-template"}
    group = deployment.resource("cluster.AutoScalingGroup")
    assert {**tag, "PropagateAtLaunch": True} in group["Tags"]


# Images


def test_tagged_images_are_kept_and_tags_are_immutable(
    deployment: Deployment,
) -> None:
    for repository in deployment.of_kind("ECR::Repository"):
        assert repository["ImageTagMutability"] == "IMMUTABLE"
        policy = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])
        for rule in policy["rules"]:
            assert rule["selection"]["tagStatus"] == "untagged", repository.name
            assert rule["selection"]["countType"] == "sinceImagePushed", repository.name
