"""Whether the caller has the permissions that a deploy needs, before anything is created."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.checks.account import Account
from deploy.errors import CannotDeployError

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import EvaluationResultTypeDef

REQUIRED_ACTIONS: Final[Mapping[str, str]] = {
    "autoscaling:CreateAutoScalingGroup":
        "autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{project}-cluster-x",
    "cloudformation:CreateStack": "cloudformation:{region}:{account}:stack/{project}-network/*",
    "cloudformation:DeleteStack": "cloudformation:{region}:{account}:stack/{project}-network/*",
    "cloudformation:UpdateStack": "cloudformation:{region}:{account}:stack/{project}-network/*",
    "cloudwatch:PutMetricAlarm": "cloudwatch:{region}:{account}:alarm:{project}-slow",
    "dynamodb:CreateTable": "dynamodb:{region}:{account}:table/{project}-lock",
    "dynamodb:PutItem": "dynamodb:{region}:{account}:table/{project}-lock",
    "ec2:AllocateAddress": "ec2:{region}:{account}:elastic-ip/*",
    "ec2:CreateEgressOnlyInternetGateway":
        "ec2:{region}:{account}:egress-only-internet-gateway/*",
    "ec2:CreateLaunchTemplate": "ec2:{region}:{account}:launch-template/*",
    "ec2:CreateNatGateway": "ec2:{region}:{account}:natgateway/*",
    "ec2:CreateSecurityGroup": "ec2:{region}:{account}:security-group/*",
    "ec2:CreateSubnet": "ec2:{region}:{account}:subnet/*",
    "ec2:CreateVpc": "ec2:{region}:{account}:vpc/*",
    "ec2:RunInstances": "ec2:{region}:{account}:instance/*",
    "ecr:CreateRepository": "ecr:{region}:{account}:repository/{project}/users",
    "ecr:GetAuthorizationToken": "*",
    "ecr:PutImage": "ecr:{region}:{account}:repository/{project}/users",
    "ecs:CreateCapacityProvider": "ecs:{region}:{account}:capacity-provider/*",
    "ecs:CreateCluster": "ecs:{region}:{account}:cluster/{project}",
    "ecs:CreateService": "ecs:{region}:{account}:service/{project}/users",
    "ecs:RegisterTaskDefinition": "ecs:{region}:{account}:task-definition/{project}-users:*",
    "ecs:RunTask": "ecs:{region}:{account}:task-definition/{project}-migrate:1",
    "elasticloadbalancing:CreateLoadBalancer":
        "elasticloadbalancing:{region}:{account}:loadbalancer/app/{project}/*",
    "elasticloadbalancing:CreateTargetGroup":
        "elasticloadbalancing:{region}:{account}:targetgroup/{project}-users/*",
    "iam:CreateInstanceProfile": "iam::{account}:instance-profile/{project}-{region}-instance",
    "iam:CreateRole": "iam::{account}:role/{project}-{region}-users-start",
    "iam:PassRole": "iam::{account}:role/{project}-{region}-users-start",
    "logs:CreateLogGroup": "logs:{region}:{account}:log-group:/{project}/users",
    "rds:CreateDBCluster": "rds:{region}:{account}:cluster:{project}-data-x",
    "rds:CreateDBInstance": "rds:{region}:{account}:db:{project}-data-x",
    "route53:CreateHostedZone": "*",
    "secretsmanager:CreateSecret":
        "secretsmanager:{region}:{account}:secret:{project}/users/database",
    "sqs:CreateQueue": "sqs:{region}:{account}:{project}-cases",
    "states:CreateStateMachine": "states:{region}:{account}:stateMachine:{project}-cases",
    "tag:GetResources": "*",
}  # fmt: skip
"""One action for each type of resource that a deploy creates, and the resource as an ARN without
`arn:aws:`. A policy that allows these rarely lacks the other actions for the same resources."""

_ASSUMED: Final = re.compile(r"arn:(aws[a-z-]*):sts::(\d+):assumed-role/([^/]+)/.*")


def check(aws: Aws, account: Account, project: str, say: Callable[[str], None]) -> None:
    """Raise `CannotDeployError`, naming all actions that the caller may not perform. Reports what
    the simulator cannot know, and continues: conditions on values that only the real request has,
    and an organization's policies."""
    if account.caller.endswith(":root"):
        return
    assumed = _ASSUMED.fullmatch(account.caller)
    try:
        # Policies belong to the role, not to its session, whose ARN lacks the role's path.
        principal = (
            aws.iam.get_role(RoleName=assumed[3])["Role"]["Arn"] if assumed else account.caller
        )
        results = list(_simulated(aws, principal, account, project))
    except (ClientError, BotoCoreError) as error:
        say(f"Your permissions could not be checked: {error}")
        return
    denied = [name for name, answer in results if answer == _DENIED]
    unknown = [name for name, answer in results if answer == _UNKNOWN]
    if unknown:
        say(
            "The policy simulator does not know whether you may do this; the deploy will show: "
            f"{', '.join(unknown)}"
        )
    if denied:
        raise CannotDeployError(
            f"{account.caller} lacks permissions that a deploy needs: {', '.join(denied)}. "
            "docs/aws.md has the policies"
        )


_ALLOWED, _UNKNOWN, _DENIED = "allowed", "unknown", "denied"


def _simulated(
    aws: Aws, principal: str, account: Account, project: str
) -> Iterator[tuple[str, str]]:
    """Each action with the simulator's verdict for the resource that a deploy creates."""
    partition = account.caller.split(":")[1]
    by_resource: dict[str, list[str]] = {}
    for action, resource in REQUIRED_ACTIONS.items():
        arn = resource.format(region=aws.region, account=account.number, project=project)
        arn = arn if arn == "*" else f"arn:{partition}:{arn}"
        by_resource.setdefault(arn, []).append(action)
    for arn, actions in by_resource.items():
        pages = aws.iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=principal,
            ActionNames=actions,
            ResourceArns=[arn],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in _context(aws, project).items()
            ],
        )
        for page in pages:
            for result in page["EvaluationResults"]:
                yield result["EvalActionName"], _verdict(result)


def _context(aws: Aws, project: str) -> Mapping[str, str]:
    """The context keys of a real request, for policies with conditions."""
    return {
        "aws:RequestedRegion": aws.region or "",
        "aws:RequestTag/Project": project,
        "aws:ResourceTag/Project": project,
        "iam:PassedToService": "ecs-tasks.amazonaws.com",
    }


def _verdict(result: EvaluationResultTypeDef) -> str:
    if result["EvalDecision"] == "allowed":
        return _ALLOWED
    organization = result.get("OrganizationsDecisionDetail", {})
    if organization.get("AllowedByOrganizations") is False or result.get("MissingContextValues"):
        return _UNKNOWN
    return _DENIED
