"""Each lookup is a call that AWS has, and distinguishes existing resources from missing ones."""

from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.model import ListShape, StructureShape

from deploy.aws import Aws
from deploy.checks.resource_exists import LOOKUPS, Lookup, resource_exists
from tests.unit.deploy.fakes import refusal

AWS = Aws(
    boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1"
    )
)
REST = {"s3": "board-routing-logs", "sns": "board-alarms", "sqs": "board"}


@pytest.mark.parametrize("lookup", LOOKUPS.values(), ids=lambda lookup: lookup.call)
def test_every_lookup_is_a_call_that_aws_has(lookup: Lookup) -> None:
    client: Any = getattr(AWS, lookup.client)
    operation = client.meta.service_model.operation_model(
        client.meta.method_to_api_mapping[lookup.call]
    )
    sent = [*(lookup.fixed or {}), *(["cluster"] if lookup.cluster else [])]
    if lookup.parameter is not None:
        sent.append(lookup.parameter)
        parameter = operation.input_shape.members[lookup.parameter]
        assert isinstance(parameter, ListShape) == lookup.listed
    assert set(operation.input_shape.required_members) <= set(sent)
    assert set(sent) <= set(operation.input_shape.members)
    if lookup.key is not None:
        found = operation.output_shape.members[lookup.key]
        element = found.member if isinstance(found, ListShape) else found
        if lookup.match is not None:
            assert isinstance(element, StructureShape)
            assert lookup.match in element.members
    assert not lookup.paginated or client.can_paginate(lookup.call)


def _arn(service: str, kind: str) -> str:
    rest = f"{kind}/board" if kind else REST[service]
    return f"arn:aws:{service}:eu-west-1:1:{rest}"


def _aws(lookup: Lookup, respond: Any) -> Any:
    client = SimpleNamespace(**{lookup.call: respond})
    client.get_paginator = lambda _: SimpleNamespace(paginate=lambda **sent: [respond(**sent)])
    return cast(Any, SimpleNamespace(**{lookup.client: client}))


# Lists that AWS returns empty, or without the resource, if it does not exist.
LISTING = {target: lookup for target, lookup in LOOKUPS.items() if lookup.key is not None}


@pytest.mark.parametrize("target", LISTING, ids="-".join)
def test_resource_that_is_not_listed_does_not_exist(target: tuple[str, str]) -> None:
    lookup = LOOKUPS[target]
    empty: dict[str | None, list[object]] = {lookup.key: []}
    assert not resource_exists(_aws(lookup, lambda **_: empty), _arn(*target))


@pytest.mark.parametrize("target", LOOKUPS, ids="-".join)
def test_resource_that_is_refused_as_unknown_does_not_exist(target: tuple[str, str]) -> None:
    def respond(**_: object) -> Any:
        raise refusal("ResourceNotFoundException", "It is gone")

    assert not resource_exists(_aws(LOOKUPS[target], respond), _arn(*target))


@pytest.mark.parametrize("target", LOOKUPS, ids="-".join)
def test_other_errors_are_raised(target: tuple[str, str]) -> None:
    def respond(**_: object) -> Any:
        raise refusal("AccessDenied", "You may not look")

    with pytest.raises(Exception, match="You may not look"):
        resource_exists(_aws(LOOKUPS[target], respond), _arn(*target))


ELEMENTS: dict[tuple[str, str], dict[str, Any]] = {
    ("application-autoscaling", "scalable-target"): {
        "ScalableTargetARN": "arn:aws:application-autoscaling:eu-west-1:1:scalable-target/board"
    },
    ("cloudwatch", "dashboard"): {"DashboardName": "board"},
    ("ec2", "instance"): {"Instances": [{"State": {"Name": "running"}}]},
    ("ecs", "capacity-provider"): {"status": "ACTIVE"},
    ("logs", "log-group"): {"logGroupName": "board"},
    ("s3", ""): {"Name": REST["s3"]},
}
GONE: dict[tuple[str, str], dict[str, Any]] = {
    ("cloudformation", "stack"): {"StackStatus": "DELETE_COMPLETE"},
    ("cloudwatch", "dashboard"): {"DashboardName": "board-of-others"},
    ("ec2", "instance"): {"Instances": [{"State": {"Name": "terminated"}}]},
    ("ec2", "natgateway"): {"State": "deleting"},
    ("ec2", "vpc-endpoint"): {"State": "Deleted"},
    ("ecs", "capacity-provider"): {"status": "INACTIVE"},
    ("ecs", "cluster"): {"status": "INACTIVE"},
    ("ecs", "container-instance"): {"status": "INACTIVE"},
    ("ecs", "service"): {"status": "INACTIVE"},
    ("ecs", "task"): {"lastStatus": "STOPPED"},
    ("logs", "log-group"): {"logGroupName": "board-of-others"},
    ("s3", ""): {"Name": "board-of-others"},
}


def _responding(lookup: Lookup, element: dict[str, Any], sent: list[dict[str, Any]]) -> Any:
    def respond(**request: Any) -> Any:
        sent.append(request)
        return {lookup.key: [element]} if lookup.key else {}

    return _aws(lookup, respond)


@pytest.mark.parametrize("target", LOOKUPS, ids="-".join)
def test_resource_that_is_returned_exists(target: tuple[str, str]) -> None:
    lookup, sent = LOOKUPS[target], list[dict[str, Any]]()
    assert resource_exists(_responding(lookup, ELEMENTS.get(target, {}), sent), _arn(*target))
    (request,) = sent
    identifiers = {"board", "/board", _arn(*target)}
    if lookup.parameter is not None:
        value = request[lookup.parameter]
        assert (value[0] if lookup.listed else value) in identifiers


@pytest.mark.parametrize("target", GONE, ids="-".join)
def test_resource_that_is_only_remembered_does_not_exist(target: tuple[str, str]) -> None:
    assert not resource_exists(_responding(LOOKUPS[target], GONE[target], []), _arn(*target))


def test_task_definition_that_is_being_deleted_does_not_exist() -> None:
    target = ("ecs", "task-definition")
    response = {"taskDefinition": {"status": "DELETE_IN_PROGRESS"}}
    assert not resource_exists(_aws(LOOKUPS[target], lambda **_: response), _arn(*target))


def test_ecs_services_are_looked_up_in_their_cluster() -> None:
    sent: list[dict[str, Any]] = []
    arn = "arn:aws:ecs:eu-west-1:1:service/board/posts"
    resource_exists(_responding(LOOKUPS["ecs", "service"], {}, sent), arn)
    assert sent == [{"services": [arn], "cluster": "board"}]


def test_resource_of_an_unknown_type_counts_as_existing() -> None:
    assert resource_exists(cast(Any, SimpleNamespace()), "arn:aws:quantum:eu-west-1:1:thing/board")
