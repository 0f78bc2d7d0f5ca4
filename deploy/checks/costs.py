"""What costs money now, by the resources that exist.

List prices in US dollars for us-east-1, November 2026, without taxes, traffic or free tiers; other
regions cost up to half as much again. https://aws.amazon.com/pricing/ has current ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.checks.ownership import has_project_tag, resources, zone_name

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef

_HOURS: Final = 730
MONTHLY_INSTANCES: Final = {
    "t3.small": 15.18,
    "t3.medium": 30.37,
    "t3.large": 60.74,
    "t3a.small": 13.72,
    "t3a.medium": 27.45,
    "t3a.large": 54.90,
    "m7i-flex.large": 69.90,
    "m7i.large": 73.58,
    "m7a.large": 84.62,
}
MONTHLY_DATABASES: Final = {
    "db.t4g.micro": 11.68,
    "db.t3.micro": 13.14,
    "db.t4g.small": 23.36,
    "db.t4g.medium": 47.45,
}
_DATABASE_DISK: Final = 2.30


@dataclass(frozen=True)
class Cost:
    """How many resources of a type exist, and their price for a month in US dollars: None if it
    depends on their use, which `note` explains."""

    what: str
    count: int
    monthly: float | None
    note: str = ""


def costs(aws: Aws, project: str) -> list[Cost]:
    """The project's resources billed by the hour or month, most expensive types first."""
    return [cost for cost in _all(aws, project) if cost.count]


def _all(aws: Aws, project: str) -> Iterator[Cost]:
    tagged: list[FilterTypeDef] = [{"Name": "tag:Project", "Values": [project]}]
    gateways = [
        gateway
        for page in aws.ec2.get_paginator("describe_nat_gateways").paginate(Filters=tagged)
        for gateway in page["NatGateways"]
        if gateway.get("State") in {"pending", "available"}
    ]
    yield Cost("NAT gateways", len(gateways), 32.85 * len(gateways), "and 0.045 per GB")

    balancers = [
        balancer
        for page in aws.elb.get_paginator("describe_load_balancers").paginate()
        for balancer in page["LoadBalancers"]
        if balancer.get("LoadBalancerName") in {project, f"{project}-services"}
    ]
    yield Cost("load balancers", len(balancers), 16.43 * len(balancers), "and by their load")
    addresses = len(aws.ec2.describe_addresses(Filters=tagged)["Addresses"])
    addresses += 2 * sum(balancer.get("Scheme") == "internet-facing" for balancer in balancers)

    kinds: dict[str, int] = {}
    running: list[FilterTypeDef] = [
        *tagged,
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    for page in aws.ec2.get_paginator("describe_instances").paginate(Filters=running):
        for reservation in page["Reservations"]:
            for instance in reservation.get("Instances", []):
                kind = str(instance.get("InstanceType", "unknown"))
                kinds[kind] = kinds.get(kind, 0) + 1
                addresses += "PublicIpAddress" in instance
    for kind, count in sorted(kinds.items()):
        price = MONTHLY_INSTANCES.get(kind)
        yield Cost(
            f"instances {kind}", count, None if price is None else (price + 2.40) * count,
            "with 30 GB of disk each",
        )  # fmt: skip
    yield Cost("public IPv4 addresses", addresses, 3.65 * addresses)

    own_clusters = _clusters_of_the_stack(aws, project)
    clusters = [
        cluster
        for page in aws.rds.get_paginator("describe_db_clusters").paginate()
        for cluster in page["DBClusters"]
        if cluster.get("DBClusterIdentifier") in own_clusters
        or (
            cluster.get("DBClusterIdentifier", "").startswith(f"{project}-data-")
            and has_project_tag(project, cluster.get("TagList", []))
        )
    ]
    databases = [
        instance
        for page in aws.rds.get_paginator("describe_db_instances").paginate()
        for instance in page["DBInstances"]
        if instance.get("Engine") == "postgres"
        and instance.get("DBInstanceIdentifier", "").startswith(f"{project}-data-")
        and has_project_tag(project, instance.get("TagList", []))
    ]
    for database in databases:
        of_class = database.get("DBInstanceClass", "")
        stopped = database.get("DBInstanceStatus") == "stopped"
        price = 0.0 if stopped else MONTHLY_DATABASES.get(of_class, 0.0)
        note = "stopped: AWS starts it again after seven days" if stopped else "with 20 GB of disk"
        yield Cost(f"databases {of_class}", 1, _DATABASE_DISK + price, note)
    yield Cost(
        "Aurora clusters", len(clusters), None,
        f"0.12 per hour for each unit while awake ({0.12 * _HOURS:.2f} a month), and 0.10 per GB",
    )  # fmt: skip

    # RDS stores the administrator's password of each as a secret.
    administrators = len(clusters) + len(databases)
    secrets = sum(
        secret.get("Name", "").startswith(f"{project}/")
        for page in aws.secrets.get_paginator("list_secrets").paginate()
        for secret in page["SecretList"]
    )
    yield Cost("secrets", secrets + administrators, 0.40 * (secrets + administrators))

    zones = sum(
        zone["Name"].rstrip(".") == zone_name(project, aws.region)
        for page in aws.route53.get_paginator("list_hosted_zones").paginate()
        for zone in page["HostedZones"]
    )
    yield Cost("hosted zones", zones, 0.50 * zones)
    repositories = sum(
        repository.get("repositoryName", "").startswith(f"{project}/")
        for page in aws.ecr.get_paginator("describe_repositories").paginate()
        for repository in page["repositories"]
    )
    yield Cost("repositories of images", repositories, None, "0.10 per GB")
    groups = sum(
        len(page["logGroups"])
        for page in aws.logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"/{project}/"
        )
    )
    yield Cost("log groups", groups, None, "0.50 per GB written, 0.03 per GB stored")


def _clusters_of_the_stack(aws: Aws, project: str) -> list[str]:
    """The Aurora clusters in the data stack; none if there is no such stack."""
    try:
        return resources(aws, f"{project}-data", "AWS::RDS::DBCluster")
    except ClientError as error:
        # CloudFormation's only name for "there is no such stack".
        if error.response["Error"].get("Code") != "ValidationError":
            raise
        return []


def total(found: list[Cost]) -> float:
    """The monthly price of all resources with a fixed price."""
    return sum(cost.monthly or 0 for cost in found)
