"""Whether the caller has the permissions that a deploy needs, before anything is created."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import CannotDeployError

REQUIRED_ACTIONS: Final = (
    "autoscaling:CreateAutoScalingGroup",
    "cloudformation:CreateStack",
    "cloudformation:DeleteStack",
    "cloudformation:UpdateStack",
    "cloudwatch:PutMetricAlarm",
    "dynamodb:CreateTable",
    "dynamodb:PutItem",
    "ec2:AllocateAddress",
    "ec2:CreateEgressOnlyInternetGateway",
    "ec2:CreateLaunchTemplate",
    "ec2:CreateNatGateway",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateVpc",
    "ec2:RunInstances",
    "ecr:CreateRepository",
    "ecr:GetAuthorizationToken",
    "ecr:PutImage",
    "ecs:CreateCapacityProvider",
    "ecs:CreateCluster",
    "ecs:CreateService",
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateTargetGroup",
    "iam:CreateInstanceProfile",
    "iam:CreateRole",
    "iam:PassRole",
    "logs:CreateLogGroup",
    "rds:CreateDBCluster",
    "rds:CreateDBInstance",
    "route53:CreateHostedZone",
    "secretsmanager:CreateSecret",
    "tag:GetResources",
)
"""One action for each type of resource that a deploy creates: a policy that allows these seldom
forbids the others that the same resources need."""

_ASSUMED: Final = re.compile(r"arn:(aws[a-z-]*):sts::(\d+):assumed-role/([^/]+)/.*")


def check(aws: Aws, caller: str, say: Callable[[str], None]) -> None:
    """Raise `CannotDeployError`, naming all actions that the caller (an ARN) may not perform. If
    IAM does not answer the question, say so and let the deploy go on."""
    if caller.endswith(":root"):
        return
    assumed = _ASSUMED.fullmatch(caller)
    try:
        # Policies belong to the role, not to its session, whose ARN lacks the role's path.
        principal = aws.iam.get_role(RoleName=assumed[3])["Role"]["Arn"] if assumed else caller
        denied = list(_denied(aws, principal))
    except (ClientError, BotoCoreError) as error:
        say(f"Your permissions could not be checked: {error}")
        return
    if denied:
        raise CannotDeployError(
            f"{caller} lacks permissions that a deploy needs: {', '.join(denied)}. "
            "docs/aws.md has the policy"
        )


def _denied(aws: Aws, principal: str) -> Iterator[str]:
    pages = aws.iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=principal, ActionNames=list(REQUIRED_ACTIONS)
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            if result["EvalDecision"] != "allowed":
                yield result["EvalActionName"]
