"""What the templates allow in IAM, and which process gets which secret: no more than is listed
here."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.cloudformation import SERVICES, Deployment, Resource
from topology.contexts import CALLED, CONTEXT_NAMES

ACCOUNT = "123456789012"
WITHOUT_A_RESOURCE = {
    # "GetAuthorizationToken does not support resource-level permissions", says the service
    # authorization reference of Amazon ECR.
    "ecr:GetAuthorizationToken",
    # Nor do these, according to the references of Application Auto Scaling, Amazon EC2, Elastic
    # Load Balancing and Amazon Route 53 (a change has no name before it is made).
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "ec2:DescribeAddresses",
    "ec2:DescribeNatGateways",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "route53:GetChange",
    # The delivery of logs and traces, say those of Amazon CloudWatch Logs and of AWS X-Ray.
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions for which IAM has no resource: only these may be allowed on `*`."""

DATABASES = {name: f"data.{name.capitalize()}DatabaseSecret" for name in CONTEXT_NAMES}
TOKENS = {name: f"data.{name.capitalize()}ServiceSecret" for name in CALLED}
KNOWS = {
    "users": {DATABASES["users"], TOKENS["users"]},
    "threads": {DATABASES["threads"], TOKENS["threads"], TOKENS["users"]},
    "posts": {DATABASES["posts"], *TOKENS.values()},
    "cases": {DATABASES["cases"], *TOKENS.values()},
    "web": set(TOKENS.values()),
    "monolith": set(DATABASES.values()),
}
"""The secrets that each process gets: its own database, and the tokens of the services it talks
to."""
ADMIN = "data.Database.MasterUserSecret.SecretArn"


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return Deployment(AccessLogs="true", AlarmEmail="somebody@board.example")


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _statements(deployment: Deployment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for role in deployment.of_kind("IAM::Role"):
        for policy in role.properties.get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield role.name, statement
        for policy in deployment.of_kind("IAM::Policy"):
            if role["RoleName"] in policy["Roles"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield role.name, statement
    for policy in deployment.of_kind("S3::BucketPolicy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            yield policy.name, statement


def test_no_action_is_allowed_by_a_wildcard(deployment: Deployment) -> None:
    allowed = [
        action
        for _, statement in _statements(deployment)
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
    ]
    assert len(allowed) > 20
    assert not [action for action in allowed if "*" in action]


def test_every_resource_that_can_be_named_is_named(deployment: Deployment) -> None:
    for where, statement in _statements(deployment):
        assert "NotAction" not in statement
        assert "NotResource" not in statement
        if statement["Effect"] == "Allow" and "*" in _listed(statement["Resource"]):
            assert set(_listed(statement["Action"])) <= WITHOUT_A_RESOURCE, where


def test_only_two_policies_of_aws_are_attached(deployment: Deployment) -> None:
    attached = {
        arn.rpartition("/")[2]
        for role in deployment.of_kind("IAM::Role")
        for arn in role.properties.get("ManagedPolicyArns", ())
    }
    # What an ECS instance needs, and Session Manager instead of port 22.
    assert attached == {"AmazonEC2ContainerServiceforEC2Role", "AmazonSSMManagedInstanceCore"}
    assert not list(deployment.of_kind("IAM::ManagedPolicy"))
    assert not list(deployment.of_kind("IAM::User"))


def test_each_role_trusts_only_its_service(deployment: Deployment) -> None:
    for role in deployment.of_kind("IAM::Role"):
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        others = {
            "cluster.InstanceRole": "ec2",
            "cluster.PauseRole": "scheduler",
            "workflow.Role": "states",
        }
        service = others.get(role.name, "ecs-tasks")
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}


def test_only_tasks_of_cases_have_permissions_of_their_own(deployment: Deployment) -> None:
    tasks = list(deployment.of_kind("ECS::TaskDefinition"))
    assert len(tasks) == len(SERVICES) + 3
    assert [task.name for task in tasks if "TaskRoleArn" in task.properties] == ["cases.Task"]


def _told(task: Resource) -> set[str]:
    """The secrets that a task's container gets."""
    [container] = task["ContainerDefinitions"]
    return {secret["ValueFrom"].split(":")[0] for secret in container.get("Secrets", ())}


def _readable(deployment: Deployment, task: Resource) -> set[str]:
    """The secrets that ECS may read to start the task."""
    role = task["ExecutionRoleArn"].removesuffix(".Arn")
    return {
        resource
        for where, statement in _statements(deployment)
        if where == role and "secretsmanager:GetSecretValue" in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


@pytest.mark.parametrize("name", SERVICES)
def test_service_gets_its_own_secrets_and_the_tokens_of_those_that_it_calls(
    deployment: Deployment, name: str
) -> None:
    task = deployment.resource(f"{name}.Task")
    assert _told(task) == KNOWS[name]
    assert _readable(deployment, task) == KNOWS[name]


@pytest.mark.parametrize(
    ("task", "secrets"),
    [
        ("BootstrapTask", {ADMIN, *DATABASES.values()}),
        ("MigrateTask", set(DATABASES.values())),
        ("OutsideAddressTask", set()),
    ],
)
def test_only_bootstrap_gets_the_administrator_password(
    deployment: Deployment, task: str, secrets: set[str]
) -> None:
    found = deployment.resource(f"operator.{task}")
    assert _told(found) == secrets
    assert _readable(deployment, found) == secrets


def test_a_task_is_started_from_its_own_image_and_logs_into_its_own_log(
    deployment: Deployment,
) -> None:
    for task in deployment.of_kind("ECS::TaskDefinition"):
        [container] = task["ContainerDefinitions"]
        role = task["ExecutionRoleArn"].removesuffix(".Arn")
        statements = {
            statement["Sid"]: statement
            for where, statement in _statements(deployment)
            if where == role
        }
        repository = container["Image"].partition("/")[2].rpartition(":")[0]
        assert statements["Image"]["Resource"].endswith(f":{ACCOUNT}:repository/{repository}")
        log = container["LogConfiguration"]["Options"]["awslogs-group"]
        assert statements["Log"]["Resource"] == f"{log}.Arn"


def test_every_secret_is_used(deployment: Deployment) -> None:
    made = {secret.name for secret in deployment.of_kind("SecretsManager::Secret")}
    told = {name for task in deployment.of_kind("ECS::TaskDefinition") for name in _told(task)}
    assert told - {ADMIN} == made


def test_secrets_are_generated_and_long(deployment: Deployment) -> None:
    for secret in deployment.of_kind("SecretsManager::Secret"):
        assert "SecretString" not in secret.properties
        # A token has at least 20 characters, none of which would need quoting in a URL.
        assert secret["GenerateSecretString"]["PasswordLength"] >= 40
        assert secret["GenerateSecretString"]["ExcludePunctuation"] is True
    assert deployment.resource("data.Database")["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in deployment.resource("data.Database").properties


def test_secrets_are_referenced_by_existing_keys(deployment: Deployment) -> None:
    keys = {
        secret.name: secret["GenerateSecretString"]["GenerateStringKey"]
        for secret in deployment.of_kind("SecretsManager::Secret")
    }
    keys[ADMIN] = "password"  # its name in RDS
    for task in deployment.of_kind("ECS::TaskDefinition"):
        [container] = task["ContainerDefinitions"]
        for secret in container.get("Secrets", ()):
            name, key, stage, version = secret["ValueFrom"].split(":")
            assert key == keys[name]
            assert (stage, version) == ("", "")


def test_access_log_bucket_allows_only_the_load_balancer_and_tls(
    deployment: Deployment,
) -> None:
    [policy] = deployment.of_kind("S3::BucketPolicy")
    writes, refuses = policy["PolicyDocument"]["Statement"]
    assert writes["Action"] == "s3:PutObject"
    assert writes["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert (refuses["Effect"], refuses["Principal"]) == ("Deny", "*")
    [bucket] = deployment.of_kind("S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_pause_role_can_remove_but_not_create(deployment: Deployment) -> None:
    allowed = {
        action.partition(":")[2]
        for where, statement in _statements(deployment)
        if where == "cluster.PauseRole"
        for action in _listed(statement["Action"])
    }
    assert len(allowed) > 15
    verbs = ("Describe", "Get", "List", "Delete", "Deregister", "Disassociate", "Release", "Stop")
    others = {action for action in allowed if not action.startswith(verbs)}
    assert others == {
        "UpdateStack", "UpdateService", "UpdateAutoScalingGroup", "ChangeResourceRecordSets"
    }  # fmt: skip
