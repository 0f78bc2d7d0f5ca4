"""`make logs-ecs`."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from deploy.commands.status import LOGGED, recent_lines
from deploy.errors import CannotDeployError
from deploy.installation import Installation
from tests.cloudformation import TEMPLATES, template

STREAM = "app/app/0123456789abcdef"


class Logs:
    """CloudWatch Logs with these lines: a time and a text, by group. A group without lines is
    deleted while it is read."""

    def __init__(self, groups: Mapping[str, list[tuple[int, str]]]) -> None:
        self._groups = groups

    def get_paginator(self, call: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, f"_{call}"))

    def _describe_log_groups(self, *, logGroupNamePrefix: str) -> Iterable[Any]:  # noqa: N803 - as boto3 has it
        names = [name for name in self._groups if name.startswith(logGroupNamePrefix)]
        yield {"logGroups": [{"logGroupName": name} for name in names]}

    def _filter_log_events(self, *, logGroupName: str, startTime: int) -> Iterable[Any]:  # noqa: N803 - as boto3 has it
        lines = self._groups[logGroupName]
        if not lines:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "FilterLogEvents")
        yield {
            "events": [
                {"timestamp": at, "message": f"{text}\n", "logStreamName": STREAM}
                for at, text in lines
                if at >= startTime
            ]
        }


LOGS = Logs(
    {
        "/board/posts": [(10, "early"), (30, "late")],
        "/board/users": [(20, "between")],
        "/board/posts-of-marketing": [(25, "not ours")],
        "/board/web": [],
    }
)


def _lines(service: str | None, since: int = 0) -> list[str]:
    board = SimpleNamespace(
        settings=SimpleNamespace(project="board"), aws=SimpleNamespace(logs=LOGS)
    )
    return [line for _, line in recent_lines(cast(Installation, board), service, since)]


def test_lines_of_one_service_are_those_of_its_log_alone() -> None:
    assert _lines("posts") == ["posts/01234567 early", "posts/01234567 late"]


def test_lines_of_all_services_are_in_the_order_of_time() -> None:
    assert [line.split()[1] for line in _lines(None)] == ["early", "between", "not", "late"]


def test_lines_before_the_given_time_are_left_out() -> None:
    assert _lines("posts", since=11) == ["posts/01234567 late"]


def test_log_that_is_deleted_while_it_is_read_has_no_lines() -> None:
    assert _lines("web") == []


def test_unknown_service_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(CannotDeployError, match="SERVICE=psots: must be one of users, threads"):
        _lines("psots")


def test_everything_that_logs_can_be_named() -> None:
    logs = {
        resource["Properties"]["LogGroupName"]["Fn::Sub"]
        for name in ("service", "operator")
        for resource in template(name)["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    assert logs == {"/${Project}/${Name}", "/${Project}/operator"}
    assert set(LOGGED) == {"operator", *(n for n, of in TEMPLATES.items() if of == "service")}
