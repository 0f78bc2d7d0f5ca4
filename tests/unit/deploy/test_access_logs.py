"""AWS does not delete a bucket with content, so the bucket is emptied when access logs are turned
off."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.checks import dns
from deploy.commands.deploy import ensure_routing
from deploy.installation import Installation
from deploy.settings import Settings
from tests.unit.deploy.fakes import FakeClock, Pages

BUCKET = "board-eu-west-1-123456789012-requests"


@dataclass
class Account:
    """A bucket of access logs, and the routing stack that owns it. Deleting the bucket fails
    silently while it has content, as it does when CloudFormation cleans up after an update."""

    logs: str = "true"
    objects: int = 3
    late: int = 0
    exists: bool = True
    done: list[str] = field(default_factory=list)

    def find_own(self, name: str) -> Any:
        parameters = {"AccessLogs": self.logs, "Paused": "false"}
        return SimpleNamespace(id=name, name=name, parameters=parameters, outputs={})

    def ensure_stack(self, name: str, _template: Any, values: Any, _watch: Any) -> Any:
        self.logs = values.get("AccessLogs", self.logs)
        self.done.append(self.logs)
        if self.logs == "false" and not self.objects:
            self.exists = False
        return self.find_own(name)

    def get_paginator(self, call: str) -> Any:
        if call == "list_stack_resources":
            found = [{"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": BUCKET}]
            return Pages({"StackResourceSummaries": found})
        return Pages({"Contents": [{"Key": str(number)} for number in range(self.objects)]})

    def delete_objects(self, **_: Any) -> None:
        self.objects, self.late = self.late, 0
        self.done.append("emptied")

    def list_buckets(self) -> Any:
        return {"Buckets": [{"Name": BUCKET}] if self.exists else []}

    def delete_bucket(self, **request: str) -> None:
        assert not self.objects
        assert request["Bucket"] == BUCKET
        self.exists = False
        self.done.append("deleted")


def _route(account: Account, **chosen: str) -> None:
    aws = SimpleNamespace(region="here", cloudformation=account, s3=account)
    board = Installation(
        Settings(parameters=chosen), cast(Any, aws), cast(Any, account), cast(Any, None),
        FakeClock().poller, lambda _: None,
    )  # fmt: skip
    ensure_routing(board, {"Paused": "false"})


def test_bucket_with_content_is_emptied_after_the_load_balancer_stops_logging() -> None:
    account = Account()
    _route(account, AccessLogs="false")
    assert account.done == ["ending", "emptied", "false"]
    assert not account.exists


def test_logs_delivered_late_do_not_leave_a_bucket_without_a_stack() -> None:
    account = Account(late=1)
    _route(account, AccessLogs="false")
    assert account.done == ["ending", "emptied", "false", "emptied", "deleted"]
    assert not account.exists


@pytest.mark.parametrize(
    ("before", "chosen", "done"),
    [
        ("false", {"AccessLogs": "false"}, ["false"]),
        ("false", {"AccessLogs": "true"}, ["true"]),
        ("true", {}, ["true"]),
        # The command was interrupted in between.
        ("ending", {"AccessLogs": "false"}, ["ending", "emptied", "false"]),
    ],
)
def test_bucket_is_not_emptied_while_access_logs_stay_on(
    before: str, chosen: dict[str, str], done: list[str]
) -> None:
    account = Account(logs=before)
    _route(account, **chosen)
    assert account.done == done


def test_the_record_of_a_domain_is_named_with_the_load_balancer_that_it_leads_to() -> None:
    balancer = {"LoadBalancerDnsName": "board-1.eu-west-1.elb.amazonaws.com"}
    [line] = dns.record({"PublicOrigin": "https://board.example", **balancer})
    assert line.startswith(
        "Point A and AAAA of board.example at board-1.eu-west-1.elb.amazonaws.com"
    )
    assert not list(dns.record({"PublicOrigin": "http://board-1.example", **balancer}))
    assert not list(dns.record({}))
