"""The account's quotas, compared with what it uses and what the board needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import CannotDeployError

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef


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


def _nat_gateways(aws: Aws) -> int:
    """The most NAT gateways in any zone: the quota applies to each zone."""
    subnets = [
        gateway.get("SubnetId", "")
        for page in aws.ec2.get_paginator("describe_nat_gateways").paginate()
        for gateway in page["NatGateways"]
        if gateway.get("State") in {"pending", "available"}
    ]
    zones = {
        subnet.get("SubnetId", ""): subnet.get("AvailabilityZone", "")
        for page in aws.ec2.get_paginator("describe_subnets").paginate()
        for subnet in page["Subnets"]
    }
    return max(Counter(zones.get(subnet, "") for subnet in subnets).values(), default=0)


def _vcpus(aws: Aws) -> int:
    """The vCPUs of running instances of the standard families, as EC2 counts them."""
    running: list[FilterTypeDef] = [
        {"Name": "instance-state-name", "Values": ["pending", "running"]}
    ]
    return sum(
        instance["CpuOptions"].get("CoreCount", 1) * instance["CpuOptions"].get("ThreadsPerCore", 1)
        for page in aws.ec2.get_paginator("describe_instances").paginate(Filters=running)
        for reservation in page["Reservations"]
        for instance in reservation.get("Instances", [])
        if instance.get("InstanceType", "")[:1] in _STANDARD and "CpuOptions" in instance
    )


_STANDARD: Final = frozenset("acdhimrtz")
VCPUS_OF_AN_INSTANCE: Final = 2
"""The same for every type that cluster.yml allows."""

_VPC: Final = Quota("vpc", "L-F678F1CE", "VPCs", 1, _vpcs)
_EGRESS: Final = Quota(
    "vpc", "L-45FE3B85", "egress-only internet gateways", 1, _egress_only_gateways
)
_BALANCERS: Final = Quota(
    "elasticloadbalancing", "L-53DA6B97", "Application Load Balancers", 2, _load_balancers
)


def _quotas_for(nat_mode: str, instances: int) -> Iterator[Quota]:
    yield _VPC
    yield _EGRESS
    yield _BALANCERS
    yield Quota(
        "ec2", "L-1216C47A", "vCPUs of standard instances",
        instances * VCPUS_OF_AN_INSTANCE, _vcpus,
    )  # fmt: skip
    gateways = {"one": 1, "per-zone": 2}.get(nat_mode, 0)
    if gateways:
        yield Quota("ec2", "L-0263D0A3", "Elastic IP addresses", gateways, _addresses)
        yield Quota("vpc", "L-FE5A380F", "NAT gateways in a zone", 1, _nat_gateways)


def check(aws: Aws, nat_mode: str, instances: int, say: Callable[[str], None]) -> None:
    """Raise `CannotDeployError`, naming every quota that is too small for a first deploy with this
    NatMode and number of instances. A quota that cannot be read is reported, and the deploy
    continues."""
    too_small = []
    for quota in _quotas_for(nat_mode, instances):
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
