"""A deploy that is interrupted at any step, and run again, ends where an uninterrupted one does."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.checks.account import Account
from deploy.commands import deploy as up
from deploy.errors import CannotDeployError
from deploy.installation import FOUNDATION, Installation, template_name
from deploy.settings import Settings
from tests.unit.deploy.fakes import FakeClock
from topology.deployments import DEPLOYMENTS
from topology.routing import SHARES

OLD, NEW = "0a1b2c3d4e5f", "ffffffffffff"
REGISTRY = SimpleNamespace(repository=lambda name: f"registry/{name}", has=lambda *_: True)


class Interrupted(BaseException):
    """Ctrl-C."""


class LiveBoard:
    """A board that runs as strangler, half moved: the parameters of its stacks. Each step that
    changes it can be interrupted, before it or after it; doing it again must make no difference."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, str]] = {part: {} for part in FOUNDATION}
        self.stacks["routing"] = dict.fromkeys(SHARES, "50")
        self.stacks |= {
            name: {"Image": f"registry/board/{name}:{OLD}"} for name in DEPLOYMENTS["strangler"]
        }
        self.migrated = OLD
        self.steps = 0
        self.interrupt_at: float | None = None

    def step(self, change: Any) -> None:
        """Make a change. `interrupt_at` is its number to interrupt before it, or half more to
        interrupt after it."""
        self.steps += 1
        if self.interrupt_at == self.steps:
            raise Interrupted
        change()
        if self.interrupt_at == self.steps + 0.5:
            raise Interrupted

    @property
    def state(self) -> Any:
        """Everything that a deploy leaves."""
        return (self.stacks, self.migrated)


class Command:
    """One command's view of the board; what it has in memory is lost in an interruption."""

    require_not_paused = Installation.require_not_paused

    def __init__(self, board: LiveBoard, deployment: str | None, templates: Path) -> None:
        self.board = board
        self.settings = Settings(deployment=deployment, templates=templates)
        self.poller = FakeClock().poller
        self.stacks = self
        self.region = "here"
        self.aws = cast(Any, SimpleNamespace(region="here", ecs=self))

    def say(self, _: str) -> None:
        pass

    def is_paused(self) -> bool:
        return False

    def stack_name(self, part: str) -> str:
        return part

    def find(self, part: str) -> Any:
        if part not in self.board.stacks:
            return None
        parameters = self.board.stacks[part]
        outputs = {"PublicOrigin": "http://b", "ServiceName": part, "TaskDefinitionArn": part}
        return SimpleNamespace(id=part, name=part, parameters=parameters, outputs=outputs)

    require_stack = Installation.require_stack

    def chosen_before(self) -> dict[str, str]:
        return {"InstanceType": "t3.small"}

    def keeping_choices(self) -> Any:
        return self

    def require_possible_changes(self) -> None:
        pass

    def outputs(self) -> dict[str, str]:
        return {"Cluster": "c", "BootstrapTaskArn": "b", "MigrateTaskArn": "m",
                "CapacityProvider": "p"}  # fmt: skip

    def ensure_stack(self, part: str, values: dict[str, str], _watch: object = None) -> Any:
        known = ("Image", *SHARES) if part == "routing" else ("Image",)
        kept = {name: value for name, value in values.items() if name in known}

        def change() -> None:
            before = self.board.stacks.get(part, {})
            self.board.stacks[part] = {**before, **kept}

        self.board.step(change)
        return SimpleNamespace(
            outputs=self.find(part).outputs,
            parameters={"NatMode": "one", **self.board.stacks[part]},
        )

    def delete(self, part: str) -> None:
        if part in self.board.stacks:
            self.board.step(lambda: self.board.stacks.pop(part))

    def run_task(self, **_: Any) -> Any:
        def migrate() -> None:
            self.board.migrated = self.board.stacks["operator"]["Image"].rpartition(":")[2]

        self.board.step(migrate)
        return {"tasks": [{"taskArn": "a/b/c"}], "failures": []}

    def describe_tasks(self, **_: Any) -> Any:
        return {"tasks": [{"lastStatus": "STOPPED", "containers": [{"exitCode": 0}]}]}

    def describe_task_definition(self, **_: Any) -> Any:
        return {"taskDefinition": {}}

    def capacity_reporter(self) -> Any:
        return lambda: None

    def plan_pause(self, _: object) -> None:
        pass

    def services(self) -> Any:
        return SimpleNamespace(
            wait_until_deployed=lambda *_: self.board.step(lambda: None),
            crash_loop_check=lambda _: lambda: None,
            failure_reporter=lambda _: lambda: None,
            failed=lambda _: frozenset(),
        )

    def run(self) -> None:
        """`make deploy-ecs`."""
        account = Account("1", "arn:aws:iam::1:user/ines")
        up.deploy(cast(Any, self), account, cast(Any, REGISTRY), NEW, lambda *_: {})


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A folder of templates without parameters: these tests choose nothing."""
    for layer in (*map(template_name, FOUNDATION), "service", "observability"):
        (tmp_path / f"{layer}.yml").write_text("Resources: {}")
    return tmp_path


@pytest.mark.parametrize("deployment", ["microservices", "monolith", "strangler"])
def test_deploy_interrupted_at_any_step_and_run_again_ends_where_it_should(
    deployment: str, templates: Path
) -> None:
    whole = LiveBoard()
    Command(whole, deployment, templates).run()
    services = {part: found["Image"] for part, found in whole.stacks.items() if "Image" in found}
    assert services.keys() - {"operator"} == set(DEPLOYMENTS[deployment])
    assert all(image.endswith(NEW) for image in services.values())
    assert whole.migrated == NEW
    # The complete run has counted the steps: interrupt one run before, and one after each of them.
    assert whole.steps >= 10
    for half in range(2, 2 * whole.steps + 2):
        board = LiveBoard()
        board.interrupt_at = half / 2
        with pytest.raises(Interrupted):
            Command(board, deployment, templates).run()
        board.interrupt_at = None
        Command(board, deployment, templates).run()
        assert board.state == whole.state, f"interrupted at step {half / 2}"


def test_interrupted_change_of_the_deployment_is_asked_about_and_not_guessed(
    templates: Path,
) -> None:
    board = LiveBoard()
    del board.stacks["web"]
    with pytest.raises(CannotDeployError, match="Choose one of them with DEPLOYMENT"):
        Command(board, None, templates).run()


def test_interrupted_first_deploy_of_microservices_continues_without_a_choice(
    templates: Path,
) -> None:
    board = LiveBoard()
    for name in ("monolith", "web"):
        del board.stacks[name]
    board.stacks["routing"] = dict.fromkeys(SHARES, "100")
    Command(board, None, templates).run()
    assert {*DEPLOYMENTS["microservices"]} == board.stacks.keys() - {*FOUNDATION, "observability"}
