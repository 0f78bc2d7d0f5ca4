"""Whether the region offers the instance type, in the network's zones."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.checks.choices import ROOM_MIB
from deploy.errors import CannotDeployError


def require_instance_type(aws: Aws, kind: str, say: Callable[[str], None]) -> None:
    """Raise `CannotDeployError` if one of the two zones of the network, which are the region's
    first, does not offer the type; it names those that both offer."""
    try:
        zones = _zones(aws)
        offered = {zone: _types(aws, zone) for zone in zones}
    except (ClientError, BotoCoreError) as error:
        say(f"Whether {aws.region} offers {kind} could not be looked up: {error}")
        return
    if len(zones) < 2:
        raise CannotDeployError(f"{aws.region} does not have two zones that this account may use")
    lacking = [zone for zone in zones if kind not in offered[zone]]
    if lacking:
        both = set.intersection(*offered.values()) & ROOM_MIB.keys()
        choice = f"use INSTANCE_TYPE=..., one of {', '.join(sorted(both))}" if both else (
            "choose another region"
        )  # fmt: skip
        verb = "does" if len(lacking) == 1 else "do"
        raise CannotDeployError(f"{' and '.join(lacking)} {verb} not offer {kind}: {choice}")


def _zones(aws: Aws) -> list[str]:
    found = aws.ec2.describe_availability_zones(
        Filters=[
            {"Name": "zone-type", "Values": ["availability-zone"]},
            {"Name": "state", "Values": ["available"]},
        ]
    )["AvailabilityZones"]
    return sorted(zone.get("ZoneName", "") for zone in found)[:2]


def _types(aws: Aws, zone: str) -> set[str]:
    pages = aws.ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone", Filters=[{"Name": "location", "Values": [zone]}]
    )
    return {
        str(offer.get("InstanceType")) for page in pages for offer in page["InstanceTypeOfferings"]
    }
