"""What the region offers: instance types in the network's zones, and versions of the database."""

from collections.abc import Callable, Mapping
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.checks.choices import DEFAULTS, ROOM_MIB
from deploy.errors import CannotDeployError

_ENGINES: Final[Mapping[str, str]] = {"aurora": "aurora-postgresql", "instance": "postgres"}
_SERVERLESS: Final = "db.serverless"


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
        raise CannotDeployError(f"{' and '.join(lacking)} does not offer {kind}: {choice}")


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


def engine_version(
    aws: Aws, effective: Mapping[str, str], chosen: str | None, say: Callable[[str], None]
) -> str:
    """The version of the database to create: the chosen one, or the default, or, if AWS has retired
    that, the newest available one of the same major version. Raises `CannotDeployError` for a
    version that is not available, and names those that are."""
    default = DEFAULTS["EngineVersion"]
    engine = _ENGINES[effective["DatabaseKind"]]
    kind = _SERVERLESS if engine != "postgres" else effective["DatabaseClass"]
    try:
        offered = _versions(aws, engine, kind)
    except (ClientError, BotoCoreError) as error:
        say(f"Which versions {aws.region} offers could not be looked up: {error}")
        return chosen or default
    if chosen in offered:
        return chosen
    if chosen is None:
        if default in offered:
            return default
        same = [one for one in offered if _numbers(one)[0] == _numbers(default)[0]]
        if same:
            newest = max(same, key=_numbers)
            say(f"{engine} {default} is no longer available: using {newest}")
            return newest
    what = f"{engine} {chosen or default} as {kind}"
    usable = sorted((one for one in offered if _numbers(one)[0] >= 17), key=_numbers)
    raise CannotDeployError(
        f"{aws.region} does not offer {what}: "
        + (
            f"use ENGINE_VERSION=..., one of {', '.join(usable)}"
            if usable
            else "choose another PARAMETERS=DatabaseClass=..., or another region"
        )
    )


def _versions(aws: Aws, engine: str, kind: str) -> set[str]:
    pages = aws.rds.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine=engine, DBInstanceClass=kind, Vpc=True
    )
    return {
        option.get("EngineVersion", "")
        for page in pages
        for option in page["OrderableDBInstanceOptions"]
    }


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdecimal()] or [0]
