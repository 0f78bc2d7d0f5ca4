"""Whether a database can be restored from a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.checks.database.versions import ENGINES
from deploy.errors import CannotDeployError

STORAGE_GIB: Final = 20
"""The storage of an RDS instance in the template. RDS does not restore into less than a snapshot
has."""

_UNKNOWN: Final = ("DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault",
                   "InvalidParameterValue")  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """A snapshot, as RDS describes it. `storage` is in GiB."""

    status: str
    engine: str
    version: str
    storage: int


def restored_version(aws: Aws, name: str, kind: str, say: Callable[[str], None]) -> str | None:
    """The version of PostgreSQL in the snapshot; None if it cannot be looked up.

    `name` is the snapshot's name or ARN, `kind` the database's: `aurora` or `instance`. Raises
    `CannotDeployError`, with what to do, if the region does not have the snapshot, or it cannot
    become a database of this kind.
    """
    if name.startswith("arn:") and name.split(":")[3] != aws.region:
        raise CannotDeployError(
            f"SNAPSHOT={name} is not in {aws.region}: copy it there first (aws rds "
            f"copy-db{'-cluster' * (kind == 'aurora')}-snapshot), or set AWS_REGION"
        )
    try:
        found = _find(aws, name, kind)
        if found is None:
            raise CannotDeployError(_absent(aws, name, kind))
    except (ClientError, BotoCoreError) as error:
        say(f"The snapshot {name} could not be looked up: {error}")
        return None
    if found.engine != ENGINES[kind]:
        raise CannotDeployError(
            f"SNAPSHOT={name} is of {found.engine}, and the board needs {ENGINES[kind]}"
        )
    if found.status != "available":
        raise CannotDeployError(
            f"SNAPSHOT={name} is {found.status}, and not available: wait until it is"
        )
    if kind == "instance" and found.storage > STORAGE_GIB:
        raise CannotDeployError(
            f"SNAPSHOT={name} has {found.storage} GiB of storage, and the template's instance has "
            f"{STORAGE_GIB}: change AllocatedStorage in infra/data.yml"
        )
    return found.version


def _absent(aws: Aws, name: str, kind: str) -> str:
    other = "instance" if kind == "aurora" else "aurora"
    if _find(aws, name, other) is not None:
        what = {"aurora": "an Aurora cluster", "instance": "an RDS instance"}
        return (
            f"SNAPSHOT={name} is of {what[other]}, and can be restored to one only: use "
            f"DATABASE={other}"
        )
    known = ", ".join(_names(aws, kind))
    return f"{aws.region} has no snapshot {name}: " + (
        f"SNAPSHOT=... can be {known}" if known else "it has none of this kind of database"
    )


def _find(aws: Aws, name: str, kind: str) -> Snapshot | None:
    try:
        if kind == "aurora":
            clusters = aws.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
            for one in clusters["DBClusterSnapshots"]:
                return Snapshot(
                    one.get("Status", ""), one.get("Engine", ""), one.get("EngineVersion", ""), 0
                )
        else:
            instances = aws.rds.describe_db_snapshots(DBSnapshotIdentifier=name)
            for each in instances["DBSnapshots"]:
                return Snapshot(
                    each.get("Status", ""),
                    each.get("Engine", ""),
                    each.get("EngineVersion", ""),
                    each.get("AllocatedStorage", 0),
                )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
    return None


def _names(aws: Aws, kind: str) -> Iterator[str]:
    if kind == "aurora":
        for page in aws.rds.get_paginator("describe_db_cluster_snapshots").paginate():
            for one in page["DBClusterSnapshots"]:
                if one.get("Engine") == ENGINES[kind]:
                    yield one.get("DBClusterSnapshotIdentifier", "")
    else:
        for found in aws.rds.get_paginator("describe_db_snapshots").paginate():
            for each in found["DBSnapshots"]:
                if each.get("Engine") == ENGINES[kind]:
                    yield each.get("DBSnapshotIdentifier", "")
