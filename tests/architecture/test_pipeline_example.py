"""The example of a pipeline runs commands that exist, with a role for one branch only."""

import re

import yaml

from tests.architecture.test_aws_guide import GUIDE, POLICIES, TARGETS
from tests.cloudformation import ROOT, read_document

FOLDER = ROOT / "docs" / "examples" / "pipeline"
WORKFLOW = yaml.safe_load((FOLDER / "deploy.yml").read_text())
ROLE = read_document(FOLDER / "role.yml")["Resources"]["Role"]["Properties"]


def test_the_workflow_pushes_and_deploys_with_commands_that_exist() -> None:
    commands = [step["run"] for step in WORKFLOW["jobs"]["deploy"]["steps"] if "run" in step]
    assert commands == ["make push-ecr", "make deploy-ecs"]
    assert {command.removeprefix("make ") for command in commands} <= set(TARGETS)


def test_the_workflow_has_no_long_lived_keys_and_no_other_permissions() -> None:
    assert WORKFLOW["permissions"] == {"id-token": "write", "contents": "read"}
    text = (FOLDER / "deploy.yml").read_text()
    assert "secrets." not in text
    assert "access-key" not in text


def test_a_running_deploy_is_not_cancelled() -> None:
    assert WORKFLOW["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
    [job] = WORKFLOW["jobs"].values()
    # A session of the role ends after an hour.
    assert job["timeout-minutes"] * 60 <= ROLE["MaxSessionDuration"]


def test_only_the_branch_of_the_repository_may_use_the_role() -> None:
    [statement] = ROLE["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"]["Federated"]["Fn::Sub"].endswith(f":oidc-provider/{issuer}")
    assert statement["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": {"Fn::Sub": "repo:${Repository}:ref:refs/heads/${Branch}"},
        }
    }
    # The branch is the one on which the workflow runs. YAML reads `on` as a boolean.
    parameters = read_document(FOLDER / "role.yml")["Parameters"]
    assert WORKFLOW[True] == {"push": {"branches": [parameters["Branch"]["Default"]]}}
    assert not re.fullmatch(parameters["Repository"]["AllowedPattern"], "octo-org/*")
    assert not re.fullmatch(parameters["Branch"]["AllowedPattern"], "*")


def test_the_role_has_the_policies_that_every_call_needs_and_no_others() -> None:
    names = {arn["Fn::Sub"].rpartition("policy/board-")[2] for arn in ROLE["ManagedPolicyArns"]}
    assert {f"{name}.json" for name in names} == POLICIES.keys()
    assert "Policies" not in ROLE
    [uses] = [
        step["with"]["role-to-assume"]
        for step in WORKFLOW["jobs"]["deploy"]["steps"]
        if "role-to-assume" in step.get("with", {})
    ]
    assert uses.endswith(f":role/{ROLE['RoleName']}")


def test_the_guide_has_the_example() -> None:
    for name in ("deploy.yml", "role.yml"):
        assert f"examples/pipeline/{name}" in GUIDE
