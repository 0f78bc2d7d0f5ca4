"""Whether the caller may do what a deploy does, before anything is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.errors import CannotDeployError

if TYPE_CHECKING:
    from deploy.aws import Aws

DEEDS: Final = (
    "autoscaling:CreateAutoScalingGroup",
    "cloudformation:CreateStack",
    "cloudformation:DeleteStack",
    "cloudformation:UpdateStack",
    "cloudwatch:PutMetricAlarm",
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
    "ssm:PutParameter",
    "tag:GetResources",
)
"""One of each kind; a policy that allows these and not their neighbours is a rare thing."""

_ASSUMED: Final = re.compile(r"arn:(aws[a-z-]*):sts::(\d+):assumed-role/([^/]+)/.*")


def check(aws: Aws, caller: str, say: Callable[[str], None]) -> None:
    """Raise `CannotDeployError`, naming all that the caller (an ARN) may not do. Where IAM does
    not tell, that is said, and nobody is stopped."""
    if caller.endswith(":root"):
        return
    assumed = _ASSUMED.fullmatch(caller)
    try:
        # A role's session is not what policies hang on, and the role's path is not in its ARN.
        principal = aws.iam.get_role(RoleName=assumed[3])["Role"]["Arn"] if assumed else caller
        denied = list(_denied(aws, principal))
    except (ClientError, BotoCoreError) as error:
        say(f"Whether you may do all that a deploy does could not be found out: {error}")
        return
    if denied:
        raise CannotDeployError(
            f"{caller} may not do all that a deploy does: {', '.join(denied)}. "
            "docs/aws.md has the policy that it takes"
        )


def _denied(aws: Aws, principal: str) -> Iterator[str]:
    pages = aws.iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=principal, ActionNames=list(DEEDS)
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            if result["EvalDecision"] != "allowed":
                yield result["EvalActionName"]
