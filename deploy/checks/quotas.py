"""The account's quotas, compared with what it uses and what the board needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import CannotDeployError


@dataclass(frozen=True)
class Quota:
    """A quota of the account: the codes of its service and its own (Service Quotas), what it
    counts, how much the board needs, and how much is in use."""

    service: str
    code: str
    what: str
    needed: int
    used: Callable[[Aws], int]


def _vpcs(aws: Aws) -> int:
    return sum(len(page["Vpcs"]) for page in aws.ec2.get_paginator("describe_vpcs").paginate())


def _addresses(aws: Aws) -> int:
    return len(aws.ec2.describe_addresses()["Addresses"])


def _load_balancers(aws: Aws) -> int:
    pages = aws.elb.get_paginator("describe_load_balancers").paginate()
    return sum(len(page["LoadBalancers"]) for page in pages)


def _egress_only_gateways(aws: Aws) -> int:
    pages = aws.ec2.get_paginator("describe_egress_only_internet_gateways").paginate()
    return sum(len(page["EgressOnlyInternetGateways"]) for page in pages)


_VPC: Final = Quota("vpc", "L-F678F1CE", "VPCs", 1, _vpcs)
_EGRESS: Final = Quota(
    "vpc", "L-45FE3B85", "egress-only internet gateways", 1, _egress_only_gateways
)
_BALANCERS: Final = Quota(
    "elasticloadbalancing", "L-53DA6B97", "Application Load Balancers", 2, _load_balancers
)


def _quotas_for(nat_mode: str) -> Iterator[Quota]:
    yield _VPC
    yield _EGRESS
    yield _BALANCERS
    addresses = {"one": 1, "per-zone": 2}.get(nat_mode, 0)
    if addresses:
        yield Quota("ec2", "L-0263D0A3", "Elastic IP addresses", addresses, _addresses)


def check(aws: Aws, nat_mode: str, say: Callable[[str], None]) -> None:
    """Raise `CannotDeployError`, naming every quota that is too small for a first deploy. One that
    cannot be read is reported, and does not stop the deploy: CloudFormation would."""
    too_small = []
    for quota in _quotas_for(nat_mode):
        try:
            found = aws.quotas.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)
            allowed, used = int(found["Quota"].get("Value", 0)), quota.used(aws)
        except (ClientError, BotoCoreError) as error:
            say(f"The quota of {quota.what} could not be read: {error}")
            continue
        if used + quota.needed > allowed:
            too_small.append(
                f"{quota.what}: {used} of {allowed} are in use, and {quota.needed} more are needed "
                f"(quota {quota.service}/{quota.code})"
            )
    if too_small:
        raise CannotDeployError(
            "The quotas of this account are too small for the board. "
            + "; ".join(too_small)
            + ". Ask for more at https://console.aws.amazon.com/servicequotas/, or use another "
            "region (AWS_REGION)"
        )
