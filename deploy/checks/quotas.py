"""What the account may have, held against what it has and what the board needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.errors import CannotDeployError

if TYPE_CHECKING:
    from deploy.aws import Aws


@dataclass(frozen=True)
class Quota:
    """A quota of the account: its code and the service's (Service Quotas), what it counts, how
    much of it the board needs, and how much is taken."""

    service: str
    code: str
    what: str
    needed: int
    taken: Callable[[Aws], int]


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


def _of(nat_mode: str) -> Iterator[Quota]:
    yield _VPC
    yield _EGRESS
    yield _BALANCERS
    addresses = {"one": 1, "per-zone": 2}.get(nat_mode, 0)
    if addresses:
        yield Quota("ec2", "L-0263D0A3", "Elastic IP addresses", addresses, _addresses)


def check(aws: Aws, nat_mode: str, say: Callable[[str], None]) -> None:
    """Raise `CannotDeployError`, naming every quota that is too small for a first deploy. One that
    cannot be read is said to be so, and does not stop anybody: CloudFormation would."""
    too_small = []
    for quota in _of(nat_mode):
        try:
            found = aws.quotas.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)
            allowed, taken = int(found["Quota"].get("Value", 0)), quota.taken(aws)
        except (ClientError, BotoCoreError) as error:
            say(f"The quota of {quota.what} could not be read: {error}")
            continue
        if taken + quota.needed > allowed:
            too_small.append(
                f"{quota.what}: {taken} of {allowed} are taken, and {quota.needed} are needed "
                f"(quota {quota.service}/{quota.code})"
            )
    if too_small:
        raise CannotDeployError(
            "This account may not have as much as the board needs. "
            + "; ".join(too_small)
            + ". Ask for more at https://console.aws.amazon.com/servicequotas/, or use another "
            "region (AWS_REGION)"
        )
