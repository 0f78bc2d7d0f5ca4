"""The roles that AWS's services act by in an account. AWS creates one at the first use of its
service, and the first use may come too early for it: so they are created before."""

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
    """Create the roles that do not exist, and wait until IAM knows them. Where IAM does not tell,
    or does not let us, say so and go on: AWS creates them itself, as a rule."""
    for service, role in ROLES.items():
        try:
            if _exists(aws, role):
                continue
            created = aws.iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"]
        except ClientError as error:
            if error.response["Error"].get("Code") != "InvalidInput":
                say(f"The role of {service} could not be looked after: {error}")
            # Invalid because another command has created it meanwhile.
            continue
        say(f"{created}: created, for {service}")
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
