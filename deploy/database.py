"""The RDS instance of a board that has one: stopped while the board is paused. An Aurora cluster
pauses by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from deploy.aws import Aws
from deploy.poller import Poller

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef

STARTS_WITHIN: Final = 20 * 60.0
STARTS_AGAIN_AFTER: Final = timedelta(days=7)
"""When AWS starts a stopped instance by itself (Amazon RDS User Guide, Stopping a DB instance)."""


def stop(aws: Aws, name: str, poller: Poller, now: datetime, say: Callable[[str], None]) -> None:
    """Stop the instance, and say when AWS starts it again."""
    found = _settled(aws, name, poller)
    if found.get("DBInstanceStatus") == "available":
        aws.rds.stop_db_instance(DBInstanceIdentifier=name)
        found = _describe(aws, name)
    again = found.get("AutomaticRestartTime") or now + STARTS_AGAIN_AFTER
    say(
        f"The database {name} is stopped. AWS starts it again by itself on {again:%d %B %Y}, and "
        "bills it from then on; make pause-ecs stops it again"
    )


def start(aws: Aws, name: str, poller: Poller, say: Callable[[str], None]) -> None:
    """Start the instance if it is stopped, and wait until it is available."""
    found = _settled(aws, name, poller)
    if found.get("DBInstanceStatus") == "stopped":
        say(f"The database {name}: starting it, which takes some minutes ...")
        aws.rds.start_db_instance(DBInstanceIdentifier=name)
        _until(aws, name, poller, ("available",))
        say(f"The database {name}: available")


def _settled(aws: Aws, name: str, poller: Poller) -> DBInstanceTypeDef:
    """The instance once it is available or stopped; in between, RDS rejects commands."""
    return _until(aws, name, poller, ("available", "stopped"))


def _until(aws: Aws, name: str, poller: Poller, states: tuple[str, ...]) -> DBInstanceTypeDef:
    def look() -> DBInstanceTypeDef | None:
        found = _describe(aws, name)
        return found if found.get("DBInstanceStatus") in states else None

    return poller.until(look, STARTS_WITHIN, f"Waiting for the database {name}")


def _describe(aws: Aws, name: str) -> DBInstanceTypeDef:
    (found,) = aws.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return found
