"""The templates together: their names, the values that they import from each other, and settings
that avoid cost."""

import json
import re
from typing import Any

import pytest

from tests.cloudformation import INFRA, ORDER, SERVICES, Deployment, template
from tests.cloudformation import TEMPLATES as NAMED

# The tutorial's own version of the case workflow stands alone.
TEMPLATES = sorted({path.stem for path in INFRA.glob("*.yml")} - {"cases-lambda"})
GIVEN = {"Name", "Image"}
"""Parameters without a default, which the deploy commands set."""

# Properties that name a resource, so they must contain the project's name.
NAMES = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ECS::TaskDefinition": "Family",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Route53::HostedZone": "Name",
    "AWS::Route53::RecordSet": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "PolicyName",
}
LONGEST = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 32,
    "AWS::ElasticLoadBalancingV2::TargetGroup": 32,
    "AWS::IAM::Role": 64,
    "AWS::S3::Bucket": 63,
}
"""Resources that may only have short names."""
GLOBAL = {
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::Role",
    "AWS::Route53::HostedZone",
    "AWS::Route53::RecordSet",
    "AWS::S3::Bucket",
}
"""Resources whose names must be unique in all regions."""
LONGEST_REGION = "ap-southeast-2"


def test_every_template_is_a_stack() -> None:
    stacks = {NAMED.get(name, name) for name in (*ORDER, "observability")}
    assert sorted(stacks) == TEMPLATES


@pytest.mark.parametrize("project", ["board", "a-project-of-21-chars"])
def test_every_name_begins_with_the_project(project: str) -> None:
    deployment = Deployment(region=LONGEST_REGION, Project=project, AccessLogs="true")
    seen: set[str] = set()
    for stack in deployment.stacks.values():
        for resource in stack.resources.values():
            written = NAMES.get(resource.kind)
            named = {key for key in resource.properties if key.endswith("Name")} & {
                "Name",
                written or "",
                f"{resource.kind.rpartition(':')[2]}Name",
            }
            # A service's name belongs to its cluster, whose name is the project's.
            if resource.kind == "AWS::ECS::Service":
                assert resource["Cluster"] == "cluster.Cluster"
                continue
            # A policy's name belongs to its role.
            if resource.kind == "AWS::IAM::Policy":
                assert all(role.startswith(f"{project}-") for role in resource["Roles"])
                continue
            assert named <= {written}, resource.name
            if written is None:
                continue
            seen.add(resource.kind)
            name = resource[written]
            assert re.match(rf"(/aws/vendedlogs/states)?/?(services\.)?{project}\b", name), name
            assert len(name) <= LONGEST.get(resource.kind, 255), name
            assert (resource.kind not in GLOBAL) or LONGEST_REGION in name, name
    assert seen == NAMES.keys()


@pytest.mark.parametrize(
    ("project", "is_one"),
    [
        ("board", True),
        ("my-board-2", True),
        ("a-project-of-21-chars", True),
        ("a-project-of-22-charss", False),
        ("b", False),
        ("Board", False),
        ("2board", False),
        ("board-", False),
        # AWS reserves these for its own capacity providers, load balancers and parameters.
        ("ecs-board", False),
        ("aws", False),
        ("internal-board", False),
    ],
)
def test_allowed_project_names_are_valid_for_every_resource(project: str, is_one: bool) -> None:
    pattern = template("network")["Parameters"]["Project"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, project)) is is_one


def test_resource_names_are_unique() -> None:
    deployment = Deployment(AccessLogs="true")
    for kind, written in NAMES.items():
        names = [resource[written] for resource in deployment.of_kind(kind.removeprefix("AWS::"))]
        assert len(names) == len(set(names)), kind


def test_the_same_project_in_two_regions_shares_no_name() -> None:
    here, there = (
        {
            resource[NAMES[kind]]
            for kind in GLOBAL
            for resource in Deployment(region=region, AccessLogs="true").of_kind(
                kind.removeprefix("AWS::")
            )
        }
        for region in ("eu-central-1", "us-east-1")
    )
    assert len(here) == len(there) > 10
    assert not here & there


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_an_output_of_an_earlier_template(name: str) -> None:
    earlier: set[str] = set()
    for before in (*ORDER, "observability"):
        if NAMED.get(before, before) == name:
            break
        earlier |= template(NAMED.get(before, before))["Outputs"].keys()
    parameters = template(name)["Parameters"]
    needed = {key for key, declared in parameters.items() if "Default" not in declared}
    assert needed <= earlier | GIVEN
    # No parameter with a default is overridden by accident, by an output of the same name.
    assert not (parameters.keys() - needed) & earlier


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_explained_and_used(name: str) -> None:
    body = template(name)
    text = json.dumps({key: value for key, value in body.items() if key != "Parameters"})
    for parameter, declared in body["Parameters"].items():
        assert declared["Description"]
        assert re.search(rf'"Ref": "{parameter}"|\$\{{{parameter}\}}', text), parameter


def test_a_parameter_of_several_templates_is_the_same_in_each() -> None:
    seen: dict[str, dict[str, Any]] = {}
    for name in TEMPLATES:
        for parameter, declared in template(name)["Parameters"].items():
            limits = {
                key: value for key, value in declared.items() if key not in ("Description", "Type")
            }
            # The source differs: an output of data.yml sets it for observability.yml.
            if parameter not in ("DatabaseName", "DatabaseDimension"):
                assert seen.setdefault(parameter, limits) == limits, parameter


@pytest.mark.parametrize("name", TEMPLATES)
def test_outputs_are_explained_and_nothing_is_exported(name: str) -> None:
    # An export cannot be removed while a stack imports it, so the resource could not be paused.
    for output in template(name).get("Outputs", {}).values():
        assert output["Description"]
        assert "Export" not in output


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_can_be_sent_without_a_bucket(name: str) -> None:
    # "Template body size in a request": 51,200 bytes, of the CloudFormation quotas.
    assert len((INFRA / f"{name}.yml").read_bytes()) < 51_200


def test_logs_expire_and_are_deleted_with_their_stack() -> None:
    deployment = Deployment()
    groups = list(deployment.of_kind("Logs::LogGroup"))
    assert len(groups) == len(SERVICES) + 2
    assert all(int(group["RetentionInDays"]) <= 90 for group in groups)
    for name in ("service", "operator", "cases"):
        assert "DeletionPolicy" not in template(name)["Resources"]["Log"]


def test_only_the_database_leaves_something_when_its_stack_is_deleted() -> None:
    keeps = {
        f"{name}.{logical_id}": resource["DeletionPolicy"]
        for name in TEMPLATES
        for logical_id, resource in template(name)["Resources"].items()
        if "DeletionPolicy" in resource
    }
    assert keeps == {"data.Database": "Snapshot", "data.SingleDatabase": "Snapshot"}


def test_repository_is_scanned_immutable_and_deletes_its_images() -> None:
    repositories = list(Deployment().of_kind("ECR::Repository"))
    assert {repository["RepositoryName"] for repository in repositories} == {
        f"board/{name}" for name in (*SERVICES, "board")
    }
    for repository in repositories:
        assert repository["EmptyOnDelete"] is True
        assert repository["ImageTagMutability"] == "IMMUTABLE"
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
        [rule] = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        assert rule["action"] == {"type": "expire"}
        # Running images are known by their tags: a rule that counts images could expire them.
        assert rule["selection"]["tagStatus"] == "untagged"


def test_aurora_pauses_is_encrypted_and_requires_tls() -> None:
    deployment = Deployment()
    database = deployment.resource("data.Database")
    scaling = database["ServerlessV2ScalingConfiguration"]
    assert scaling["MinCapacity"] == "0"
    # AWS accepts at least 300 seconds.
    assert scaling["SecondsUntilAutoPause"] >= 300
    assert database["StorageEncrypted"] is True
    parameters = deployment.resource("data.ClusterParameters")
    assert parameters["Parameters"]["rds.force_ssl"] == "1"
    assert parameters["Family"] == "aurora-postgresql17"
    assert database["Port"] == 5432


def test_database_instance_is_the_smallest_encrypted_and_requires_tls() -> None:
    deployment = Deployment(DatabaseKind="instance")
    assert not list(deployment.of_kind("RDS::DBCluster"))
    [database] = deployment.of_kind("RDS::DBInstance")
    assert (database["Engine"], database["DBInstanceClass"]) == ("postgres", "db.t4g.micro")
    # The smallest gp3 volume that RDS accepts.
    assert (database["AllocatedStorage"], database["StorageType"]) == ("20", "gp3")
    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is database["MultiAZ"] is False
    [parameters] = deployment.of_kind("RDS::DBParameterGroup")
    assert database["DBParameterGroupName"] == parameters.name
    assert parameters["Parameters"]["rds.force_ssl"] == "1"
    assert parameters["Family"] == "postgres17"


def test_both_kinds_of_database_have_the_same_outputs_and_certificates() -> None:
    aurora, instance = Deployment(), Deployment(DatabaseKind="instance")
    cluster, single = aurora.resource("data.Database"), instance.resource("data.SingleDatabase")
    for name in ("EngineVersion", "MasterUsername", "ManageMasterUserPassword", "StorageEncrypted",
                 "EngineLifecycleSupport", "BackupRetentionPeriod", "NetworkType",
                 "DBSubnetGroupName", "DeletionProtection", "CopyTagsToSnapshot"):  # fmt: skip
        assert cluster[name] == single[name], name
    member = aurora.resource("data.DatabaseInstance")
    for name in ("CACertificateIdentifier", "PubliclyAccessible", "AutoMinorVersionUpgrade"):
        assert member[name] == single[name], name
    assert cluster["VpcSecurityGroupIds"] == single["VPCSecurityGroups"]
    for output in ("DatabasePort", "DatabaseTls", "UsersDatabaseSecretArn"):
        assert aurora.output(output) == instance.output(output)
    assert instance.output("AdminSecretArn") == "data.SingleDatabase.MasterUserSecret.SecretArn"


@pytest.mark.parametrize("kind", ["aurora", "instance"])
def test_restored_database_takes_its_properties_from_the_snapshot(kind: str) -> None:
    # The schemas of both say: inherited from the snapshot, and must not be set.
    parameters = {"DatabaseKind": kind, "SnapshotIdentifier": "before-the-storm"}
    restored = Deployment(**parameters)
    name = {"aurora": "Database", "instance": "SingleDatabase"}[kind]
    identifier = {"aurora": "SnapshotIdentifier", "instance": "DBSnapshotIdentifier"}[kind]
    database = restored.resource(f"data.{name}")
    assert database[identifier] == "before-the-storm"
    assert not {"MasterUsername", "StorageEncrypted"} & database.properties.keys()
    assert database["ManageMasterUserPassword"] is True
    assert identifier not in Deployment(DatabaseKind=kind).resource(f"data.{name}").properties


# The metrics of Amazon RDS in the Aurora and RDS user guides.
METRICS = {
    "DBClusterIdentifier": {
        "ACUUtilization", "ServerlessDatabaseCapacity", "DatabaseConnections", "CPUUtilization",
    },
    "DBInstanceIdentifier": {"CPUUtilization", "FreeStorageSpace", "DatabaseConnections"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "dimension"), [("aurora", "DBClusterIdentifier"), ("instance", "DBInstanceIdentifier")]
)
def test_database_alarms_match_its_kind(kind: str, dimension: str) -> None:
    deployment = Deployment(DatabaseKind=kind)
    name = deployment.output("DatabaseName")
    alarms = [
        (alarm["MetricName"], alarm["Dimensions"])
        for alarm in deployment.of_kind("CloudWatch::Alarm")
        if alarm["Namespace"] == "AWS/RDS"
    ]
    assert alarms
    for metric, dimensions in alarms:
        assert dimensions == [{"Name": dimension, "Value": name}]
        assert metric in METRICS[dimension]
    [dashboard] = deployment.of_kind("CloudWatch::Dashboard")
    shown = [
        metric
        for widget in json.loads(dashboard["DashboardBody"])["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == "AWS/RDS"
    ]
    assert len(shown) == 2
    for _, metric, shown_dimension, shown_name in shown:
        assert (shown_dimension, shown_name) == (dimension, name)
        assert metric in METRICS[dimension]


def test_alarms_cover_every_server_and_ignore_missing_data() -> None:
    deployment = Deployment()
    alarms = list(deployment.of_kind("CloudWatch::Alarm"))
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in alarms)
    assert all(alarm["AlarmActions"] == ["observability.Alarms"] for alarm in alarms)
    watched = {
        dimension["Value"]
        for alarm in alarms
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "TargetGroup"
    }
    assert watched == {
        f"routing.{name.capitalize()}Targets.TargetGroupFullName" for name in SERVICES
    }
    [dashboard] = deployment.of_kind("CloudWatch::Dashboard")
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    assert len(widgets) >= 6
    services = {
        name
        for widget in widgets
        for metric in widget["properties"]["metrics"]
        for name in metric
        if name in SERVICES
    }
    assert services == set(SERVICES)
