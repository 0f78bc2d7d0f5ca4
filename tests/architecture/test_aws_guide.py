"""docs/aws.md: its commands and parameters exist, and its table of permissions has every
call that a deploy sends to AWS."""

import fnmatch
import re
from collections.abc import Iterator

import botocore.session
import pytest
from botocore import xform_name

from deploy.checks import permissions
from deploy.checks.resource_exists import LOOKUPS
from tests.cloudformation import INFRA, ROOT, template

GUIDE = (ROOT / "docs" / "aws.md").read_text()
TARGETS = re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

# What boto3 calls a service, where IAM has another name for it.
IAM_NAMES = {
    "elb": "elasticloadbalancing",
    "quotas": "servicequotas",
    "scaling": "application-autoscaling",
    "secrets": "secretsmanager",
    "tagging": "tag",
}
# Whose operations IAM knows by other names: service authorization reference of Amazon S3.
S3 = {
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectsV2": "ListBucket",
    "DeleteObjects": "DeleteObject",
}


def _granted() -> set[str]:
    """The actions of the table, as IAM writes them; some are patterns."""
    section = GUIDE.partition("## The deployer's permissions")[2].partition("\n## ")[0]
    found: set[str] = set()
    for row in re.findall(r"^\| (`.+?) \| (`.+?) \|", section, re.MULTILINE):
        services, actions = (re.findall(r"`([^`]+)`", cell) for cell in row)
        for action in actions:
            found.add(action if ":" in action else f"{services[0]}:{action}")
    return found


GRANTED = _granted()


def _is_granted(action: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in GRANTED)


def _asked() -> Iterator[tuple[str, str]]:
    """Every call to AWS in deploy/: the client's name in `deploy.aws.Aws`, and the method."""
    for lookup in LOOKUPS.values():
        yield lookup.client, lookup.call
    for path in sorted((ROOT / "deploy").rglob("*.py")):
        text = path.read_text()
        for client, call in re.findall(
            r"\b_?aws\.([a-z0-9]+)\s*\.\s*(get_paginator\(\s*\"[a-z0-9_]+\"|[a-z0-9_]+\()", text
        ):
            if call != "get_waiter(":
                yield client, re.sub(r"get_paginator\(\s*|[\"(]", "", call)
        for client, waiter in re.findall(
            r"\b_?aws\.([a-z0-9]+)\s*\.\s*get_waiter\(\s*\"([a-z_]+)\"", text
        ):
            model = botocore.session.get_session().get_waiter_model(client)
            name = "".join(part.capitalize() for part in waiter.split("_"))
            yield client, xform_name(model.get_waiter(name).operation)


def test_the_commands_of_the_guide_are_targets() -> None:
    named = set(re.findall(r"make ([a-z-]+)", GUIDE))
    assert len(named) >= 8
    assert named <= set(TARGETS)


def test_the_parameters_of_the_guide_are_those_of_templates() -> None:
    known = {name for path in INFRA.glob("*.yml") for name in template(path.stem)["Parameters"]}
    named = set(re.findall(r"`([A-Z][a-z][A-Za-z]+)=[^`]", GUIDE)) | set(
        re.findall(r"PARAMETERS=([A-Z][A-Za-z]+)=", GUIDE)
    )
    assert len(named) >= 4
    assert named <= known | {"Project"}


def test_every_required_action_is_in_the_table() -> None:
    assert not [action for action in permissions.REQUIRED_ACTIONS if not _is_granted(action)]


def test_every_call_to_aws_is_in_the_table() -> None:
    asked = set(_asked())
    assert len(asked) > 30
    missing = set()
    for client, method in asked:
        service = IAM_NAMES.get(client, client)
        operation = "".join(part.capitalize() for part in method.split("_"))
        # IAM matches actions whatever their case; the table has AWS's own.
        operation = S3.get(operation, operation) if service == "s3" else operation
        granted = {pattern.lower() for pattern in GRANTED}
        action = f"{service}:{operation}".lower()
        if not any(fnmatch.fnmatchcase(action, pattern) for pattern in granted):
            missing.add(f"{service}:{operation}")
    assert not missing


# Actions that are no operations of an API.
NO_OPERATION = {"iam:PassRole", "tag:GetResources", "s3:ListAllMyBuckets"}
API_NAMES = {
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "tag": "resourcegroupstaggingapi",
}


@pytest.mark.parametrize(
    "service", sorted({action.partition(":")[0] for action in GRANTED} - {"s3"})
)
def test_every_action_of_the_table_is_one_that_aws_has(service: str) -> None:
    model = botocore.session.get_session().get_service_model(API_NAMES.get(service, service))
    operations = set(model.operation_names)
    for action in GRANTED:
        prefix, _, name = action.partition(":")
        if prefix == service and action not in NO_OPERATION:
            assert fnmatch.filter(operations, name), action
