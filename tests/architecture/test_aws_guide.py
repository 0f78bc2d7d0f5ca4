"""docs/aws.md: its commands and parameters exist, and its table of permissions has every
call that a deploy sends to AWS."""

import fnmatch
import json
import re
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from deploy.checks import permissions
from deploy.checks.resource_exists import LOOKUPS
from tests.cloudformation import INFRA, ROOT, Deployment, read_document, template
from tests.rehearsal.gaps import MISSING, adapt

REAL_ACCOUNT = (ROOT / "docs" / "aws-real-account.md").read_text()
GUIDE = (ROOT / "docs" / "aws.md").read_text() + REAL_ACCOUNT
TARGETS = re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

# boto3's names of services that have another name in IAM.
IAM_NAMES = {
    "elb": "elasticloadbalancing",
    "quotas": "servicequotas",
    "scaling": "application-autoscaling",
    "secrets": "secretsmanager",
    "tagging": "tag",
}
# S3's operations have other names in IAM: service authorization reference of Amazon S3.
S3 = {
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectsV2": "ListBucket",
    "DeleteObjects": "DeleteObject",
}


# IAM attaches at most ten policies to a role.
POLICIES = {
    path.name: json.loads(path.read_text())
    for path in sorted((ROOT / "docs" / "policies").glob("deploy-*.json"))
}
STATEMENTS = [one for policy in POLICIES.values() for one in policy["Statement"]]
GRANTED = {action for statement in STATEMENTS for action in statement["Action"]}
"""The actions of the policies, as IAM writes them; some are patterns."""


def _is_granted(action: str, arn: str | None = None) -> bool:
    """Whether a statement allows the action, on the resource if one is given; IAM does not care
    about the case of actions."""
    for statement in STATEMENTS:
        resources = statement["Resource"]
        resources = [resources] if isinstance(resources, str) else resources
        if any(
            fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in statement["Action"]
        ) and (arn is None or any(fnmatch.fnmatchcase(arn, pattern) for pattern in resources)):
            return True
    return False


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


def test_every_resource_that_the_rehearsal_leaves_out_is_one_to_look_at(tmp_path: Path) -> None:
    def kinds(folder: Path) -> set[str]:
        return {
            resource["Type"]
            for path in folder.glob("*.yml")
            for resource in read_document(path)["Resources"].values()
        }

    adapt(INFRA, tmp_path)
    left_out = kinds(INFRA) - kinds(tmp_path)
    assert len(left_out) > 5
    rows = "".join(re.findall(r"^\| ([^|]+) \|[^|]+\|$", REAL_ACCOUNT, re.MULTILINE))
    assert not [kind for kind in left_out if f"`{kind}`" not in rows]
    assert not [name for name in MISSING if name not in rows]


def test_the_files_to_look_at_exist() -> None:
    named = set(re.findall(r"`([a-z-]+/[A-Za-z0-9_./-]+)`", REAL_ACCOUNT)) - {"board-data"}
    assert len(named) > 10
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_readme_and_the_guide_lead_to_what_only_a_real_account_shows() -> None:
    for page in ("README.md", "docs/aws.md"):
        assert "aws-real-account.md)" in (ROOT / page).read_text(), page


@pytest.mark.parametrize("action", permissions.REQUIRED_ACTIONS)
def test_the_policies_allow_every_required_action_on_what_a_deploy_creates(action: str) -> None:
    resource = permissions.REQUIRED_ACTIONS[action].format(
        region="eu-central-1", account="123456789012", project="board"
    )
    arn = resource if resource == "*" else f"arn:aws:{resource}"
    assert _is_granted(action, arn), arn


def test_the_policies_allow_every_call_to_aws() -> None:
    asked = set(_asked())
    assert len(asked) > 30
    missing = set()
    for client, method in asked:
        service = IAM_NAMES.get(client, client)
        operation = "".join(part.capitalize() for part in method.split("_"))
        operation = S3.get(operation, operation) if service == "s3" else operation
        if not _is_granted(f"{service}:{operation}"):
            missing.add(f"{service}:{operation}")
    assert not missing


def test_the_policies_do_not_allow_what_belongs_to_others() -> None:
    for action, arn in (
        ("ecr:BatchDeleteImage", "arn:aws:ecr:eu-central-1:1:repository/other/users"),
        ("iam:PassRole", "arn:aws:iam::1:role/admin"),
        ("iam:CreateRole", "arn:aws:iam::1:role/admin"),
        ("cloudformation:DeleteStack", "arn:aws:cloudformation:eu-central-1:1:stack/other/1"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:1:secret:board/x"),
        ("logs:DeleteLogGroup", "arn:aws:logs:eu-central-1:1:log-group:/other"),
        ("dynamodb:DeleteTable", "arn:aws:dynamodb:eu-central-1:1:table/other"),
    ):
        assert not _is_granted(action, arn), action


def test_a_deployer_may_pass_each_role_to_the_service_that_takes_it() -> None:
    passed = {
        service
        for statement in STATEMENTS
        if "iam:PassRole" in statement["Action"]
        for service in statement["Condition"]["StringEquals"]["iam:PassedToService"]
    }
    taking = {
        service
        for role in Deployment().of_kind("IAM::Role")
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
        for service in [statement["Principal"]["Service"]]
    }
    assert passed == taking


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_short_enough_to_be_pasted_and_is_in_the_guide(name: str) -> None:
    # IAM and AWS STS quotas: 6,144 characters of a managed policy, white space not counted.
    text = re.sub(r"\s", "", (ROOT / "docs" / "policies" / name).read_text())
    assert len(text) <= 6144
    assert f"policies/{name}" in GUIDE
    sids = [statement["Sid"] for statement in POLICIES[name]["Statement"]]
    assert len(sids) == len(set(sids))


# Actions that are not API operations.
NO_OPERATION = {
    "iam:PassRole", "tag:GetResources", "s3:ListAllMyBuckets", "budgets:ModifyBudget",
    "budgets:ViewBudget",
}  # fmt: skip
API_NAMES = {
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tag": "resourcegroupstaggingapi",
}


@pytest.mark.parametrize(
    "service", sorted({action.partition(":")[0] for action in GRANTED} - {"s3"})
)
def test_every_action_of_the_policies_is_one_that_aws_has(service: str) -> None:
    model = botocore.session.get_session().get_service_model(API_NAMES.get(service, service))
    operations = set(model.operation_names)
    for action in GRANTED:
        prefix, _, name = action.partition(":")
        if prefix == service and action not in NO_OPERATION:
            assert fnmatch.filter(operations, name), action
