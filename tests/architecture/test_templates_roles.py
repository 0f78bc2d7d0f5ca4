"""Every action that a role allows, compared with the calls that are made with this role. With
fewer, a task would not start; more are not needed."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.cloudformation import Deployment, Resource

ECS_STARTS_A_TASK: Mapping[str, set[str]] = {
    "ecr:GetAuthorizationToken": {"*"},
    "ecr:BatchGetImage": {"repository"},
    "ecr:GetDownloadUrlForLayer": {"repository"},
    "logs:CreateLogStream": {"log"},
    "logs:PutLogEvents": {"log"},
    "secretsmanager:GetSecretValue": {"secret"},
}
"""What the ECS agent calls to pull an image from ECR, to write with the driver `awslogs`, and to
inject secrets, each with the allowed kind of resource: "Amazon ECS task execution IAM role" in the
ECS developer guide."""


_MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:board-cases"
CASES: Mapping[str, set[str]] = {
    "sqs:ReceiveMessage": {"workflow.Queue.Arn"},
    "sqs:DeleteMessage": {"workflow.Queue.Arn"},
    "states:StartExecution": {_MACHINE},
    "states:SendTaskSuccess": {_MACHINE},
    "states:SendTaskFailure": {_MACHINE},
    "states:SendTaskHeartbeat": {_MACHINE},
    "states:DescribeExecution": {
        "arn:aws:states:eu-central-1:123456789012:execution:board-cases:*"
    },
}
"""What services/cases/engines/aws.py calls."""

WORKFLOW: Mapping[str, set[str]] = {
    "sqs:SendMessage": {"workflow.Queue.Arn"},
    **{
        f"logs:{action}": {"*"}
        for action in (
            *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"),
            *("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies"),
            "DescribeLogGroups",
        )
    },
    **{
        f"xray:{action}": {"*"}
        for action in (
            *("PutTraceSegments", "PutTelemetryRecords"),
            *("GetSamplingRules", "GetSamplingTargets"),
        )
    },
}
"""What the tasks of the state machine call, and what Step Functions calls to log and to trace, as
"Logging" and "Tracing" in its developer guide have it."""


def kind_of(resource: str) -> str:
    """The kind of resource that a statement names."""
    if resource == "*":
        return "*"
    if ":repository/board/" in resource and "*" not in resource:
        return "repository"
    if resource.endswith("Log.Arn"):
        return "log"
    if resource.endswith(("Secret", "SecretArn")):
        return "secret"
    return resource


def listed(value: object) -> list[Any]:
    """A value that may stand alone as a list."""
    return list(value) if isinstance(value, list) else [value]


def statements(deployment: Deployment, role: Resource) -> list[Any]:
    """The statements of the role's own policies, and of those that another stack attaches."""
    policies = list(role.properties.get("Policies", ()))
    policies += [
        policy.properties
        for policy in deployment.of_kind("IAM::Policy")
        if role["RoleName"] in policy["Roles"]
    ]
    return [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]


def allowed(deployment: Deployment, role: Resource) -> dict[str, set[str]]:
    """Each action that the role allows, with the kinds of resources on which it allows it."""
    found: dict[str, set[str]] = {}
    for statement in statements(deployment, role):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            kinds = {kind_of(resource) for resource in listed(statement["Resource"])}
            found.setdefault(action, set()).update(kinds)
    return found


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return Deployment(AccessLogs="true")


def test_execution_role_allows_only_what_starting_a_task_needs(
    deployment: Deployment,
) -> None:
    roles = {task["ExecutionRoleArn"] for task in deployment.of_kind("ECS::TaskDefinition")}
    assert len(roles) >= len(deployment.stacks) - 8
    for arn in roles:
        role = deployment.resource(arn.removesuffix(".Arn"))
        knows_none = role.name.startswith("operator.OutsideAddress")
        without_secrets = {"secretsmanager:GetSecretValue"} if knows_none else set()
        assert allowed(deployment, role) == {
            action: kinds
            for action, kinds in ECS_STARTS_A_TASK.items()
            if action not in without_secrets
        }, role.name


def test_no_other_role_has_a_policy_of_its_own(deployment: Deployment) -> None:
    starting = {
        task["ExecutionRoleArn"].removesuffix(".Arn")
        for task in deployment.of_kind("ECS::TaskDefinition")
    }
    others = {
        role.name: allowed(deployment, role)
        for role in deployment.of_kind("IAM::Role")
        if role.name not in starting
    }
    assert others.keys() == {
        *("cluster.InstanceRole", "cluster.PauseRole", "cases.TaskRole", "workflow.Role")
    }
    assert others["cluster.InstanceRole"] == {}
    assert others["cases.TaskRole"] == CASES
    assert others["workflow.Role"] == WORKFLOW
    attached = [policy.name for policy in deployment.of_kind("IAM::Policy")]
    assert attached == ["routing.PauseNames"]
    assert deployment.resource("routing.PauseNames")["Roles"] == ["board-eu-central-1-pause"]


PAUSES: Mapping[str, set[str]] = {
    "autoscaling:UpdateAutoScalingGroup": {"autoscaling"},
    "cloudformation:UpdateStack": {"cloudformation"},
    "ec2:DeleteNatGateway": {"ec2"},
    "ec2:DeleteRoute": {"ec2"},
    "ec2:DisassociateAddress": {"ec2"},
    "ec2:ReleaseAddress": {"ec2"},
    "ecs:DescribeServices": {"ecs"},
    "ecs:UpdateService": {"ecs"},
    "elasticloadbalancing:DeleteListener": {"elasticloadbalancing"},
    "elasticloadbalancing:DeleteLoadBalancer": {"elasticloadbalancing"},
    "elasticloadbalancing:DeleteRule": {"elasticloadbalancing"},
    "rds:StopDBInstance": {"rds"},
    "route53:ChangeResourceRecordSets": {"route53"},
    "route53:GetHostedZone": {"route53"},
    "route53:ListResourceRecordSets": {"route53"},
    # Calls that take no resource, and deletions of scaling policies, whose names AWS chooses.
    "application-autoscaling:DeleteScalingPolicy": {"*"},
    "application-autoscaling:DeregisterScalableTarget": {"*"},
    "application-autoscaling:DescribeScalableTargets": {"*"},
    "application-autoscaling:DescribeScalingPolicies": {"*"},
    "ec2:DescribeAddresses": {"*"},
    "ec2:DescribeNatGateways": {"*"},
    "ec2:DescribeRouteTables": {"*"},
    "ec2:DescribeSecurityGroups": {"*"},
    "ec2:DescribeSubnets": {"*"},
    "ec2:DescribeVpcs": {"*"},
    "elasticloadbalancing:DescribeListeners": {"*"},
    "elasticloadbalancing:DescribeLoadBalancers": {"*"},
    "elasticloadbalancing:DescribeRules": {"*"},
    "route53:GetChange": {"*"},
}
"""The calls of a board that pauses itself: the updates of its stacks, and what CloudFormation calls
for them. Each has the AWS service whose resources of this project it may change."""


def test_the_role_that_pauses_a_board_changes_resources_of_its_project_only(
    deployment: Deployment,
) -> None:
    role = deployment.resource("cluster.PauseRole")
    found = {
        action: {"*" if kind == "*" else kind.split(":")[2] for kind in kinds}
        for action, kinds in allowed(deployment, role).items()
    }
    assert found == PAUSES
    for statement in statements(deployment, role):
        by_tag = {"aws:ResourceTag/Project": "board"}
        for resource in listed(statement["Resource"]):
            assert (
                resource == "*"
                or "board" in resource.split(":", 5)[5]
                or resource == "arn:aws:route53:::hostedzone/routing.InternalZone"
                or statement.get("Condition") == {"StringEquals": by_tag}
            ), statement["Sid"]


def test_a_pause_deletes_the_name_of_its_own_load_balancer_and_no_other_record(
    deployment: Deployment,
) -> None:
    role = deployment.resource("cluster.PauseRole")
    found = {one["Sid"]: one for one in statements(deployment, role)}
    changes = [
        sid
        for sid, one in found.items()
        if "route53:ChangeResourceRecordSets" in listed(one["Action"])
    ]
    assert changes == ["Name"]
    record = deployment.resource("routing.InternalName")
    # Names in conditions are in lower case and have no dot at their end (Route 53 Developer Guide,
    # Using IAM policy conditions for fine-grained access control).
    assert found["Name"]["Condition"] == {
        "ForAllValues:StringEquals": {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": [record["Name"]],
            "route53:ChangeResourceRecordSetsRecordTypes": [record["Type"]],
            "route53:ChangeResourceRecordSetsActions": ["DELETE"],
        }
    }
    assert record["Name"] == record["Name"].lower().rstrip(".")
    assert listed(found["ReadNames"]["Action"]) == [
        "route53:GetHostedZone",
        "route53:ListResourceRecordSets",
    ]
