"""The order of the commands' steps, in an account that refuses what AWS would refuse, and in which
every visitor must be served all the time."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from deploy.checks.account import Account
from deploy.commands import deploy as up
from deploy.commands import destroy as down
from deploy.commands import pause
from deploy.commands.shift import shift
from deploy.errors import CannotDeployError
from tests.unit.deploy.account import (
    FakeAccount,
    RefusedError,
    installation,
    write_templates,
)
from tests.unit.deploy.fakes import FakeClock
from topology.deployments import DEPLOYMENTS, SERVICES

OLD, NEW = "0a1b2c3d4e5f", "5f4e3d2c1b0a"
ROOT = cast(Account, type("Root", (), {"caller": "arn:aws:iam::123456789012:root"})())


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates' parameters."""
    folder = tmp_path_factory.mktemp("templates")
    write_templates(folder)
    return folder


class Registry:
    """A registry with every image except those of the revision `missing`."""

    def __init__(self, missing: str = "") -> None:
        self.missing = missing

    def repository(self, name: str) -> str:
        return f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}"

    def has(self, _name: str, tag: str) -> bool:
        return tag != self.missing


class Visits:
    """The smoke test, with the origins that it has visited and the services that answered then."""

    def __init__(self, account: FakeAccount) -> None:
        self.account = account
        self.seen: list[tuple[str, set[str]]] = []

    def __call__(self, origin: str, *_: object) -> dict[str, str]:
        self.seen.append((origin, self.account.served()))
        return {}


def board(templates: Path, deployment: str, **parameters: str) -> FakeAccount:
    """An account in which this deployment runs with the old revision."""
    account = FakeAccount(templates)
    there = installation(account, deployment=deployment, parameters=parameters)
    registry = Registry()
    for part in ("registry", "network", "data", "cluster"):
        there.ensure_stack(part, {"NatMode": "one"})
    share = "100" if deployment == "microservices" else "0"
    shares = {f"{name.capitalize()}Share": share for name in SERVICES}
    there.ensure_stack("routing", {"Paused": "false", **shares})
    there.ensure_stack("operator", {"Image": f"{registry.repository('board/board')}:{OLD}"})
    there.ensure_stack("workflow", {})
    account.migrated = OLD
    for name in DEPLOYMENTS[deployment]:
        image = f"{registry.repository(f'board/{name}')}:{OLD}"
        there.ensure_stack(name, {"Name": name, "Image": image, "Paused": "false"})
    account.changes.clear()
    return account


def deploy(account: FakeAccount, registry: Registry | None = None, **settings: Any) -> Visits:
    """Deploy the new revision. Returns the visits of the smoke test at its end."""
    visits = Visits(account)
    there = installation(account, **settings)
    up.deploy(there, ROOT, cast(Any, registry or Registry()), NEW, cast(Any, visits))
    return visits


@pytest.mark.parametrize("before", DEPLOYMENTS)
@pytest.mark.parametrize("after", DEPLOYMENTS)
def test_deploy_serves_every_visitor_at_every_step(
    templates: Path, before: str, after: str
) -> None:
    account = board(templates, before)
    visits = deploy(account, deployment=after)
    assert visits.seen == [("http://board.example", set(SERVICES))]
    assert set(DEPLOYMENTS[after]) == account.stacks.keys() & {*SERVICES, "monolith"}
    images = {name: account.stacks[name].parameters["Image"] for name in DEPLOYMENTS[after]}
    assert {image.rpartition(":")[2] for image in images.values()} == {NEW}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_migrations_of_the_new_revision_come_before_its_first_service(
    templates: Path, deployment: str
) -> None:
    account = board(templates, deployment)
    deploy(account, deployment=deployment)
    services = [account.changes.index(name) for name in DEPLOYMENTS[deployment]]
    migrations = account.changes.index("bootstrap migrate")
    assert account.changes.index("operator") < migrations < min(services)


def test_services_come_after_those_that_they_call_and_what_measures_them_last(
    templates: Path,
) -> None:
    account = board(templates, "monolith")
    deploy(account, deployment="microservices")
    order = [part for part in account.changes if part in SERVICES]
    assert order == list(DEPLOYMENTS["microservices"])
    assert account.changes[-1] == "observability"


@pytest.mark.parametrize(
    ("before", "after"), [("strangler", "microservices"), ("microservices", "monolith")]
)
def test_services_are_deleted_only_after_the_load_balancer_applies_its_new_rules(
    templates: Path, before: str, after: str
) -> None:
    account = board(templates, before)

    def wait() -> None:
        if "routing" in account.changes:
            account.changes.append("waited")

    there = replace(installation(account, deployment=after), poller=FakeClock(wait).poller)
    up.deploy(there, ROOT, cast(Any, Registry()), NEW, cast(Any, Visits(account)))
    moved = max(n for n, change in enumerate(account.changes) if change == "routing")
    assert account.changes[moved + 1] == "waited"
    assert account.changes[moved + 2].startswith("no ")


def test_services_that_get_no_requests_are_deleted_before_those_that_they_call(
    templates: Path,
) -> None:
    account = board(templates, "microservices")
    deploy(account, deployment="monolith")
    gone = [f"no {name}" for name in reversed(DEPLOYMENTS["microservices"])]
    assert [change for change in account.changes if change in gone] == gone


def test_failed_migration_changes_no_service(templates: Path) -> None:
    account = board(templates, "microservices")
    account.exit_code = 1
    with pytest.raises(CannotDeployError, match="failed"):
        deploy(account)
    assert not [part for part in account.changes if part in SERVICES]
    assert account.served() == set(SERVICES)


def test_missing_image_changes_nothing(templates: Path) -> None:
    account = board(templates, "microservices")
    with pytest.raises(CannotDeployError, match="no image"):
        deploy(account, Registry(missing=NEW))
    assert account.changes == []


def test_impossible_choice_changes_nothing(templates: Path) -> None:
    account = board(templates, "microservices")
    with pytest.raises(CannotDeployError):
        deploy(account, parameters={"DatabaseKind": "instance"})
    assert account.changes == []


def test_shift_is_refused_while_paused(templates: Path) -> None:
    account = board(templates, "strangler")
    there = installation(account)
    pause.pause(there)
    changes = list(account.changes)
    with pytest.raises(CannotDeployError, match="paused"):
        shift(there, "posts", "10")
    assert account.changes == changes


def test_resume_serves_and_visits_the_board(templates: Path) -> None:
    account = board(templates, "microservices")
    pause.pause(installation(account))
    assert account.served() == set()
    visits = Visits(account)
    origin = pause.resume(installation(account), cast(Any, Registry()), cast(Any, visits))
    assert visits.seen == [(origin, set(SERVICES))]


# Choices


def test_resume_applies_a_choice_in_every_stack_that_it_concerns(templates: Path) -> None:
    account = board(templates, "microservices")
    pause.pause(installation(account))
    chosen = {"DesiredCount": "5", "MaxInstances": "4", "MaxCapacity": "8", "ListenerPort": "8080"}
    there = installation(account, parameters=chosen)
    pause.resume(there, cast(Any, Registry()), cast(Any, Visits(account)))
    for part, stack in account.stacks.items():
        for name, value in {**chosen, "MaxCount": "5"}.items():
            assert stack.parameters.get(name, value) == value, f"{part}: {name}"
    assert account.stacks["data"].parameters["MaxCapacity"] == "8"


@pytest.mark.parametrize("wanted", DEPLOYMENTS)
def test_resume_says_that_another_deployment_needs_a_deploy(templates: Path, wanted: str) -> None:
    account = board(templates, "monolith")
    pause.pause(installation(account))
    said: list[str] = []
    there = replace(installation(account, deployment=wanted), say=said.append)
    pause.resume(there, cast(Any, Registry()), cast(Any, Visits(account)))
    hint = f"Not changed now: DEPLOYMENT={wanted}; make deploy-ecs changes it"
    assert (hint in said) == (wanted != "monolith")


def test_pause_and_shift_change_no_choice(templates: Path) -> None:
    account = board(templates, "strangler", AccessLogs="true")
    before = {part: dict(stack.parameters) for part, stack in account.stacks.items()}
    # The rest would be refused by `make deploy-ecs`, or reach only some of the stacks.
    chosen = {"NatMode": "none", "AccessLogs": "false", "ListenerPort": "8080", "DesiredCount": "5"}
    said: list[str] = []
    there = replace(installation(account, parameters=chosen), say=said.append)
    shift(there, "posts", "10", force=True)
    pause.pause(there)
    own = {"Paused", "PostsShare"}
    for part, stack in account.stacks.items():
        changed = {name for name, value in stack.parameters.items() if before[part][name] != value}
        assert changed <= own, part
    left = "Not changed now: NatMode=none, AccessLogs=false, ListenerPort=8080, DesiredCount=5"
    assert len([line for line in said if line.startswith(left)]) == 2


# Destroying


def destroy(account: FakeAccount, **settings: Any) -> None:
    """Destroy everything."""
    account.deploying = False
    down.destroy(installation(account, **settings))


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_destroy_removes_every_stack_in_an_order_that_aws_accepts(
    templates: Path, deployment: str
) -> None:
    account = board(templates, deployment)
    destroy(account)
    assert account.stacks == {}


@pytest.mark.parametrize(
    "chosen", [{}, {"DeletionProtection": "true"}, {"DatabaseKind": "instance"}]
)
def test_destroy_lifts_the_protection_and_empties_the_bucket(
    templates: Path, chosen: dict[str, str]
) -> None:
    account = board(templates, "microservices", DeletionProtection="true")
    account.objects = ["one", "two"]
    destroy(account, parameters=chosen)
    assert (account.stacks, account.objects) == ({}, [])


@pytest.mark.parametrize(("keep", "kept"), [(False, 0), (True, 1)])
def test_destroy_keeps_the_final_snapshot_if_asked_and_always_those_of_others(
    templates: Path, keep: bool, kept: int
) -> None:
    account = board(templates, "microservices")
    destroy(account, keep_snapshot=keep)
    assert "board-by-hand" in account.snapshots
    assert len(account.snapshots) == 1 + kept


def test_destroy_leaves_another_project_alone(templates: Path) -> None:
    account = board(templates, "microservices")
    destroy(account)
    assert account.images["board-games/users"] == [OLD]
    assert list(account.families) == ["board-games-users"]


def test_the_account_refuses_what_aws_would(templates: Path) -> None:
    account = board(templates, "microservices")
    there = installation(account)
    for part in ("network", "cluster", "routing"):
        with pytest.raises(RefusedError, match="in use"):
            account.delete(f"board-{part}")
    image = f"{Registry().repository('board/users')}:{NEW}"
    with pytest.raises(RefusedError, match="not healthy"):
        there.ensure_stack("users", {"Name": "users", "Image": image})
    with pytest.raises(RefusedError, match="503"):
        there.ensure_stack("routing", {"PostsShare": "50"})
