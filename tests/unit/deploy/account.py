"""A fake AWS account with the board's stacks. It records every change, and refuses changes that AWS
would refuse in that state or that visitors would notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml

from deploy.errors import StackFailedError
from deploy.installation import Installation
from deploy.settings import Settings
from deploy.stacks.cloudformation import Stack
from deploy.stacks.templates import Template
from tests.cloudformation import INFRA, TEMPLATES, template
from tests.unit.deploy.fakes import FakeClock, Pages
from topology.deployments import SERVERS, SERVICES, calls_of
from topology.routing import share_parameter

PROJECT = "board"
TAGS = {"Project": PROJECT}
BUCKET = "board-eu-central-1-123456789012-requests"


class RefusedError(StackFailedError):
    """AWS would refuse the change, or visitors would notice it."""


class FakeAccount:
    """The account. `changes` has every change, in order; `objects`, the contents of the bucket of
    access logs. `migrated` is the revision whose migrations have run, and `exit_code` is the next
    one-off task's. `templates` is a folder that `write_templates` has filled."""

    def __init__(self, templates: Path) -> None:
        self.templates = templates
        self.stacks: dict[str, Stack] = {}
        self.changes: list[str] = []
        self.objects: list[str] = []
        self.migrated = ""
        self.exit_code = 0
        self.snapshots = {"board-by-hand": "board-data-database"}
        self.families = {f"{PROJECT}-users": [True], "board-games-users": [True]}
        self.images = {f"{PROJECT}/users": ["0a1b2c3d4e5f"], "board-games/users": ["0a1b2c3d4e5f"]}

    # What visitors would notice

    def served(self) -> set[str]:
        """The services whose requests are answered, by the service or by the monolith."""
        routing = self.stacks.get("routing")
        if routing is None or routing.parameters.get("Paused") == "true":
            return set()
        found = set()
        for service in SERVICES:
            share = int(routing.parameters.get(share_parameter(service), "100"))
            needed = {service} if share else set()
            needed |= {"monolith"} if share < 100 else set()
            if all(self._runs(name) for name in needed):
                found.add(service)
        return found

    def _runs(self, name: str) -> bool:
        stack = self.stacks.get(name)
        return stack is not None and stack.parameters.get("Paused") != "true"

    # CloudFormation

    def ensure_stack(
        self,
        name: str,
        of: Template,
        values: Mapping[str, str],
        _watch: Callable[[], None] = lambda: None,
    ) -> Stack:
        """Create or update a stack. Raises `RefusedError`."""
        part = name.removeprefix(f"{PROJECT}-")
        before = self.stacks.get(part)
        declared = _declared(of.body)
        parameters = {
            key: values.get(key, (before.parameters if before else {}).get(key, default))
            for key, default in ((k, str(v.get("Default", ""))) for k, v in declared.items())
        }
        if part in SERVERS:
            self._check_service(part, parameters)
        served = self.served()
        outputs = {key: f"{part}.{key}" for key in template(_layer(part)).get("Outputs", {})}
        if part == "routing":
            outputs["PublicOrigin"] = "http://board.example"
        stack = Stack(part, name, "UPDATE_COMPLETE", parameters, outputs, TAGS)
        self.stacks[part] = stack
        self.changes.append(part)
        paused = parameters.get("Paused") == "true"
        if not paused and (lost := served - self.served()):
            raise RefusedError(f"{part}: visitors of {', '.join(sorted(lost))} get 503")
        return stack

    def _check_service(self, name: str, parameters: Mapping[str, str]) -> None:
        missing = {
            "network",
            "data",
            "cluster",
            "routing",
            "operator",
            "workflow",
        } - self.stacks.keys()
        if missing:
            raise RefusedError(f"{name}: no {', '.join(sorted(missing))}")
        if parameters.get("Paused") == "true":
            return
        if self.stacks["routing"].parameters.get("Paused") == "true":
            raise RefusedError(f"{name}: the target group has no associated load balancer")
        for called in calls_of(name):
            if called not in self.stacks and "monolith" not in self.stacks:
                raise RefusedError(f"{name}: its tasks find no {called}")
        revision = parameters["Image"].rpartition(":")[2]
        if name != "web" and self.migrated != revision:
            raise RefusedError(
                f"{name}: {revision} is not healthy on migrations of {self.migrated}"
            )

    def find(self, name: str) -> Stack | None:
        """The stack of this name."""
        return self.stacks.get(name.removeprefix(f"{PROJECT}-"))

    find_own = find

    def delete(self, name: str, _watch: Callable[[], None] = lambda: None) -> None:
        """Delete a stack. Raises `RefusedError`."""
        part = name.removeprefix(f"{PROJECT}-")
        if part not in self.stacks:
            return
        users = {
            "cluster": {*SERVERS, "operator"},
            "routing": set(SERVERS),
            "network": {"data", "cluster", "routing", *SERVERS},
            "registry": set[str](),
        }.get(part, set())
        if held := users & self.stacks.keys():
            raise RefusedError(f"{part}: in use by {', '.join(sorted(held))}")
        if part == "routing" and self.objects:
            raise RefusedError("routing: the bucket you tried to delete is not empty")
        if part == "data":
            if self.stacks[part].parameters["DeletionProtection"] == "true":
                raise RefusedError("data: cannot delete protected Cluster")
            self.snapshots["board-data-snapshot-database-1x"] = "board-data-database"
        if part == "registry" and self.images[f"{PROJECT}/users"]:
            raise RefusedError("registry: the repository still contains images")
        served = self.served()
        del self.stacks[part]
        self.changes.append(f"no {part}")
        if self.deploying and (lost := served - self.served()):
            raise RefusedError(f"{part}: visitors of {', '.join(sorted(lost))} get 503")

    deploying = True
    """Whether visitors must be served all the time: not while the board is being destroyed."""

    # The clients

    def get_paginator(self, call: str) -> Any:
        """All pages of a list."""
        return SimpleNamespace(paginate=lambda **request: self._pages(call, request))

    def _pages(self, call: str, request: Mapping[str, Any]) -> Iterable[Any]:
        if call == "list_stack_resources":
            resources = {
                "routing": [("AWS::S3::Bucket", BUCKET)],
                "data": [("AWS::RDS::DBCluster", "board-data-database")],
                "registry": [("AWS::ECR::Repository", f"{PROJECT}/users")],
            }.get(request["StackName"], [])
            summaries = [{"ResourceType": k, "PhysicalResourceId": n} for k, n in resources]
            return [{"StackResourceSummaries": summaries}]
        if call == "list_objects_v2":
            return [{"Contents": [{"Key": key} for key in self.objects]}]
        if call == "list_images":
            tags = self.images[request["repositoryName"]]
            return [{"imageIds": [{"imageTag": tag} for tag in tags]}]
        if call == "describe_db_cluster_snapshots":
            found = [
                {"DBClusterSnapshotIdentifier": name, "DBClusterIdentifier": cluster}
                for name, cluster in self.snapshots.items()
                if cluster == request.get("DBClusterIdentifier", cluster)
            ]
            return [{"DBClusterSnapshots": found}]
        if call == "list_task_definition_families":
            prefix = request["familyPrefix"]
            return [{"families": [name for name in self.families if name.startswith(prefix)]}]
        if call == "list_task_definitions":
            arns = [
                f"arn:task-definition/{family}:{number}"
                for family, own in self.families.items()
                for number, _ in enumerate(own, 1)
                if family.startswith(request["familyPrefix"]) and request["status"] == "ACTIVE"
            ]
            return [{"taskDefinitionArns": arns}]
        return Pages().paginate()

    def delete_objects(self, **request: Any) -> None:
        """Empty the bucket."""
        gone = {found["Key"] for found in request["Delete"]["Objects"]}
        self.objects = [key for key in self.objects if key not in gone]

    def batch_delete_image(self, **request: Any) -> None:
        """Delete images."""
        self.images[request["repositoryName"]] = []

    def delete_db_cluster_snapshot(self, **request: Any) -> None:
        """Delete a snapshot."""
        del self.snapshots[request["DBClusterSnapshotIdentifier"]]

    def describe_task_definition(self, **request: Any) -> Any:
        """The tags of a revision: the project's for every revision that exists."""
        family = request["taskDefinition"].rpartition("/")[2].rpartition(":")[0]
        tags = [{"key": "Project", "value": PROJECT if family in self.families else ""}]
        return {"tags": tags, "taskDefinition": {"containerDefinitions": []}}

    def deregister_task_definition(self, **request: Any) -> None:
        """The first step of deleting a revision."""
        self.changes.append(f"deregistered {request['taskDefinition'].rpartition('/')[2]}")

    def delete_task_definitions(self, **request: Any) -> None:
        """The second step."""
        for arn in request["taskDefinitions"]:
            del self.families[arn.rpartition("/")[2].rpartition(":")[0]]

    def describe_auto_scaling_groups(self, **_: Any) -> Any:
        """No instance runs."""
        return {"AutoScalingGroups": [{"Instances": []}]}

    def list_container_instances(self, **_: Any) -> Any:
        """No instance is registered."""
        return {"containerInstanceArns": []}

    def update_auto_scaling_group(self, **request: Any) -> None:
        """Change the number of instances."""
        self.changes.append(f"{request['DesiredCapacity']} instances")

    def run_task(self, **request: Any) -> Any:
        """Run a command of the board, from the operator stack's current image."""
        (override,) = request["overrides"]["containerOverrides"]
        command = " ".join(override["command"])
        self.changes.append(command)
        if "migrate" in override["command"] and self.exit_code == 0:
            self.migrated = self.stacks["operator"].parameters["Image"].rpartition(":")[2]
        return {"tasks": [{"taskArn": "arn:task/board/1"}], "failures": []}

    def describe_tasks(self, **_: Any) -> Any:
        """The task has ended."""
        containers = [{"name": "board", "exitCode": self.exit_code}]
        task = {"taskArn": "arn:task/board/1", "taskDefinitionArn": "arn:d/board:1"}
        return {"tasks": [{**task, "lastStatus": "STOPPED", "containers": containers}]}

    def describe_addresses(self, **_: Any) -> Any:
        """No address is billed."""
        return {"Addresses": []}

    def describe_target_health(self, **_: Any) -> Any:
        """Nothing is registered."""
        return {"TargetHealthDescriptions": []}

    def describe_load_balancers(self, **_: Any) -> Any:
        """The public one."""
        return {"LoadBalancers": [{"LoadBalancerArn": "arn:balancer"}]}

    def describe_listeners(self, **_: Any) -> Any:
        """Nothing can be read of its rules."""
        return {"Listeners": []}

    def describe_scaling_activities(self, **_: Any) -> Any:
        """Nothing failed."""
        return {"Activities": []}


class FakeAws:
    """The account, as every client of its services."""

    region = "eu-central-1"

    def __init__(self, account: FakeAccount) -> None:
        self._account = account

    def __getattr__(self, _client: str) -> FakeAccount:
        return self._account


class FakeInstallation(Installation):
    """An installation in a fake account, whose services start at once."""

    def services(self) -> Any:
        """The services of the cluster."""
        return SimpleNamespace(
            wait_until_deployed=lambda *_: None,
            wait_until_stopped=lambda *_: None,
            crash_loop_check=lambda _: lambda: None,
            failure_reporter=lambda _: lambda: None,
            failed=lambda _: frozenset(),
        )


def installation(account: FakeAccount, **settings: Any) -> Installation:
    """The installation, with these settings."""
    aws, stacks, nobody = cast(Any, FakeAws(account)), cast(Any, account), cast(Any, None)
    return FakeInstallation(
        Settings(templates=account.templates, **settings),
        aws,
        stacks,
        nobody,
        FakeClock().poller,
        lambda _: None,
    )


def _layer(part: str) -> str:
    return TEMPLATES.get(part, part)


@cache
def _declared(body: str) -> Mapping[str, Any]:
    declared: Mapping[str, Any] = yaml.safe_load(body)["Parameters"]
    return declared


def write_templates(folder: Path) -> None:
    """Write templates with nothing but parameters: the commands read no more, and reading whole
    templates would take most of the tests' time."""
    for path in INFRA.glob("*.yml"):
        body = path.read_text(encoding="utf-8")
        start = body.index("\nParameters:\n") + 1
        sections = ("Rules", "Mappings", "Conditions", "Resources")
        ends = (body.find(f"\n{section}:\n", start) for section in sections)
        parameters = body[start : min(end for end in ends if end > 0)]
        resources = "\nResources:\n  Nothing: {Type: AWS::CloudFormation::WaitConditionHandle}\n"
        (folder / path.name).write_text(parameters + resources, encoding="utf-8")
