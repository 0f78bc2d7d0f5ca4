"""The service-linked roles with which AWS's services act in an account. AWS creates a role at the
first use of its service, but that use may fail because the role is too new: so they are created
first."""

from collections.abc import Callable, Mapping
from typing import Final

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.poller import Poller

ROLES: Final[Mapping[str, str]] = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com":
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
}  # fmt: skip
"""The role of each service that a deploy uses (AWS services that work with IAM)."""

TIMEOUT: Final = 60.0


def ensure(aws: Aws, poller: Poller, say: Callable[[str], None]) -> None:
    """Create the missing roles, and wait until IAM knows them. If IAM refuses, say so and continue:
    AWS usually creates them itself."""
    for service, role in ROLES.items():
        try:
            if _exists(aws, role):
                continue
            created = aws.iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"]
        except ClientError as error:
            if error.response["Error"].get("Code") != "InvalidInput":
                say(f"The role of {service} could not be created: {error}")
            # InvalidInput means that another command has created it meanwhile.
            continue
        say(f"{created}: created for {service}")
        _await(aws, created, poller)


def _await(aws: Aws, role: str, poller: Poller) -> None:
    def exists() -> bool | None:
        return True if _exists(aws, role) else None

    poller.until(exists, TIMEOUT, f"Waiting for the role {role}")


def _exists(aws: Aws, role: str) -> bool:
    try:
        aws.iam.get_role(RoleName=role)
    except aws.iam.exceptions.NoSuchEntityException:
        return False
    return True
