"""Restoring from a snapshot: what AWS would refuse half-way is named before anything is created."""

from typing import Any, cast

import pytest

from deploy.aws import Aws
from deploy.checks.choices import DEFAULTS
from deploy.checks.database.snapshot import STORAGE_GIB, restored_version
from deploy.checks.database.versions import engine_version
from deploy.errors import CannotDeployError
from tests.cloudformation import template
from tests.unit.deploy.fakes import Pages, refusal

Found = dict[str, Any]
CLUSTER: Found = {
    "DBClusterSnapshotIdentifier": "of-the-cluster",
    "Engine": "aurora-postgresql",
    "EngineVersion": "17.9",
    "Status": "available",
}
INSTANCE: Found = {
    "DBSnapshotIdentifier": "of-the-instance",
    "Engine": "postgres",
    "EngineVersion": "18.3",
    "Status": "available",
    "AllocatedStorage": 20,
}


class Rds:
    """RDS with some snapshots in its region, and the versions that it offers."""

    region = "eu-west-9"

    def __init__(self, *snapshots: Found, offered: tuple[str, ...] = ()) -> None:
        self.rds = self
        self._clusters = [one for one in snapshots if "DBClusterSnapshotIdentifier" in one]
        self._instances = [one for one in snapshots if "DBSnapshotIdentifier" in one]
        self._offered = [{"EngineVersion": version} for version in offered]

    def describe_db_cluster_snapshots(self, **request: str) -> Found:
        """Those with this name or ARN."""
        name = request["DBClusterSnapshotIdentifier"].rpartition(":")[2]
        found = [one for one in self._clusters if one["DBClusterSnapshotIdentifier"] == name]
        if not found:
            raise refusal("DBClusterSnapshotNotFoundFault", "no")
        return {"DBClusterSnapshots": found}

    def describe_db_snapshots(self, **request: str) -> Found:
        """Those with this name or ARN."""
        name = request["DBSnapshotIdentifier"].rpartition(":")[2]
        found = [one for one in self._instances if one["DBSnapshotIdentifier"] == name]
        if not found:
            raise refusal("DBSnapshotNotFound", "no")
        return {"DBSnapshots": found}

    def get_paginator(self, operation: str) -> Pages:
        """All of them."""
        return {
            "describe_db_cluster_snapshots": Pages({"DBClusterSnapshots": self._clusters}),
            "describe_db_snapshots": Pages({"DBSnapshots": self._instances}),
            "describe_orderable_db_instance_options": Pages(
                {"OrderableDBInstanceOptions": self._offered}
            ),
        }[operation]


def _restored(name: str, kind: str, *snapshots: Found) -> str | None:
    return restored_version(cast(Aws, Rds(*snapshots)), name, kind, pytest.fail)


def test_version_of_the_snapshot_is_found() -> None:
    assert _restored("of-the-cluster", "aurora", CLUSTER, INSTANCE) == "17.9"
    assert _restored("of-the-instance", "instance", CLUSTER, INSTANCE) == "18.3"
    arn = "arn:aws:rds:eu-west-9:123456789012:snapshot:of-the-instance"
    assert _restored(arn, "instance", INSTANCE) == "18.3"


@pytest.mark.parametrize(
    ("name", "kind", "change", "message"),
    [
        ("gone", "aurora", {}, r"eu-west-9 has no snapshot gone: SNAPSHOT=\.\.\. can be of-the-cl"),
        ("gone", "instance", {"DBSnapshotIdentifier": "x", "Engine": "mysql"}, "it has none of"),
        ("of-the-instance", "aurora", {}, "is of an RDS instance.*use DATABASE=instance"),
        ("of-the-cluster", "instance", {}, "is of an Aurora cluster.*use DATABASE=aurora"),
        ("of-the-instance", "instance", {"Status": "creating"}, "is creating, and not available"),
        ("of-the-instance", "instance", {"Engine": "mysql"}, "is of mysql.*needs postgres"),
        ("of-the-instance", "instance", {"AllocatedStorage": 40}, "has 40 GiB.*data.yml"),
        (
            "arn:aws:rds:us-east-1:123456789012:snapshot:of-the-instance",
            "instance",
            {},
            r"not in eu-west-9: copy it there first \(aws rds copy-db-snapshot\)",
        ),
    ],
)
def test_snapshot_that_cannot_be_restored_is_refused(
    name: str, kind: str, change: Found, message: str
) -> None:
    with pytest.raises(CannotDeployError, match=message):
        _restored(name, kind, CLUSTER, {**INSTANCE, **change})


def test_unknown_snapshots_do_not_stop_a_deploy() -> None:
    class Denied(Rds):
        def describe_db_cluster_snapshots(self, **_: str) -> Found:
            raise refusal("AccessDenied", "no")

    said: list[str] = []
    aws = cast(Aws, Denied())
    assert restored_version(aws, "of-the-cluster", "aurora", said.append) is None
    assert "could not be looked up" in said[0]


def test_restored_database_has_the_version_of_its_snapshot_or_a_newer_one() -> None:
    def version(restored: str, *offered: str, chosen: str | None = None) -> str:
        aws = cast(Aws, Rds(offered=offered))
        return engine_version(aws, DEFAULTS, chosen, lambda _: None, restored=restored)

    assert version("18.3", "17.7", "18.3", "18.4") == "18.3"
    assert version("17.5", "17.4", "17.7", "17.9", "18.3") == "17.9"
    assert version("17.5", "17.7", "17.9", chosen="17.7") == "17.7"
    for chosen in ("17.4", "18.3"):
        with pytest.raises(CannotDeployError, match=r"is of PostgreSQL 17\.5.*leave that out"):
            version("17.5", "17.4", "17.7", "18.3", chosen=chosen)
    with pytest.raises(CannotDeployError, match=r"does not offer aurora-postgresql 17\.9"):
        version("17.9", "17.7", "18.3")


def test_storage_is_that_of_the_template() -> None:
    properties = template("data")["Resources"]["SingleDatabase"]["Properties"]
    assert int(properties["AllocatedStorage"]) == STORAGE_GIB
