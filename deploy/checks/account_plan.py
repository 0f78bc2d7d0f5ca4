"""Whether the account is on the Free plan, which does not allow everything."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import CannotDeployError

SMALLEST: Final = ("db.t4g.micro", "db.t3.micro")
"""The database instances that the Free plan allows; some accounts lack one of them."""


def is_free(aws: Aws, say: Callable[[str], None]) -> bool:
    """Whether the account is on the Free plan. If AWS does not answer, says so and returns
    False."""
    try:
        plan = aws.freetier.get_account_plan_state()
    except (ClientError, BotoCoreError) as error:
        say(f"Whether this account is on the Free plan is unknown: {error}")
        return False
    # Only the Free plan has a status; one that has expired allows nothing at all.
    if plan.get("accountPlanStatus") == "EXPIRED":
        raise CannotDeployError(
            "This account's Free plan has ended: upgrade it in the console, under Billing"
        )
    return bool(plan.get("accountPlanType") == "FREE")


def require_allowed(aws: Aws, effective: Mapping[str, str]) -> None:
    """Raise `CannotDeployError` if the Free plan does not allow these parameters. It names all of
    them, and what is allowed."""
    found = list(_not_allowed(aws, effective))
    if found:
        raise CannotDeployError(
            "This account is on the Free plan: " + "; ".join(found) + ". Or upgrade the account "
            "to the paid plan, which keeps its credits"
        )


def _not_allowed(aws: Aws, effective: Mapping[str, str]) -> Iterator[str]:
    if effective["DatabaseKind"] != "instance":
        yield "it does not allow Aurora clusters: use DATABASE=instance"
    elif effective["DatabaseClass"] not in SMALLEST:
        yield (
            f"it does not allow a database {effective['DatabaseClass']}: use PARAMETERS="
            f"DatabaseClass={SMALLEST[0]}, or {SMALLEST[1]} if that is refused"
        )
    if effective["DatabaseKind"] == "instance" and effective["BackupDays"] != "1":
        yield "it allows backups for one day: use PARAMETERS=BackupDays=1"
    eligible = _eligible_types(aws)
    if eligible and effective["InstanceType"] not in eligible:
        yield (
            f"it does not allow instances {effective['InstanceType']}: use INSTANCE_TYPE=..., "
            f"one of {', '.join(sorted(eligible))}"
        )


def _eligible_types(aws: Aws) -> set[str]:
    pages = aws.ec2.get_paginator("describe_instance_types").paginate(
        Filters=[
            {"Name": "free-tier-eligible", "Values": ["true"]},
            {"Name": "processor-info.supported-architecture", "Values": ["x86_64"]},
        ]
    )
    return {str(found.get("InstanceType")) for page in pages for found in page["InstanceTypes"]}


def hint(message: str, database_class: str) -> str:
    """What to do if the message is RDS's refusal of an instance class: an account on the Free plan
    may have only one of the two smallest. Empty for other messages."""
    if "not available with free plan" not in message and "free plan" not in message.lower():
        return ""
    if database_class not in SMALLEST:
        return ""
    other = SMALLEST[1 - SMALLEST.index(database_class)]
    return f" Try the other one: PARAMETERS=DatabaseClass={other}"
