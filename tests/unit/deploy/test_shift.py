"""Traffic moves only to services that run, and the load balancer's own rules are checked."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.commands.shift import shift
from deploy.errors import CannotDeployError

SERVICE, MONOLITH = "arn:users", "arn:monolith"


class Board:
    """A project with these stacks, whose load balancer's rule has the weights that were set, or
    somebody else's."""

    def __init__(
        self, *there: str, weights: tuple[int, int] | None = None, health: str = "healthy"
    ) -> None:
        self._health = health
        self._there = there
        self._weights = weights
        self.brought: list[tuple[str, dict[str, str]]] = []
        self.said: list[str] = []
        self.say = self.said.append
        self.settings = SimpleNamespace(project="board")
        self.aws = SimpleNamespace(elb=self)

    def require_not_paused(self) -> None:
        pass

    def keeping_choices(self) -> Any:
        return self

    def require_stack(self, _: str) -> Any:
        outputs = {"UsersTargetsArn": SERVICE, "MonolithTargetsArn": MONOLITH}
        return SimpleNamespace(parameters={"UsersShare": "100"}, outputs=outputs)

    def find(self, part: str) -> object | None:
        return object() if part in self._there else None

    def ensure_stack(self, part: str, values: dict[str, str]) -> None:
        self.brought.append((part, values))
        share = int(values["UsersShare"])
        self._weights = self._weights or (share, 100 - share)

    def describe_target_health(self, TargetGroupArn: str) -> Any:  # noqa: N803 - as boto3 has it
        server = TargetGroupArn.removeprefix("arn:")
        states = [self._health] if server in self._there else []
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": s}} for s in states]}

    def describe_load_balancers(self, **_: object) -> Any:
        return {"LoadBalancers": [{"LoadBalancerArn": "arn"}]}

    def describe_listeners(self, **_: object) -> Any:
        return {"Listeners": [{"ListenerArn": "arn"}]}

    def describe_rules(self, **_: object) -> Any:
        weights = zip((SERVICE, MONOLITH), self._weights or (), strict=True)
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
        conditions = [{"PathPatternConfig": {"Values": ["/api/users", "/api/users/*"]}}]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        return {"Rules": [{"Conditions": conditions, "Actions": actions}]}


def test_shift_updates_the_routing_and_prints_its_rules() -> None:
    board = Board("users", "monolith")
    shift(cast(Any, board), "users", "10")
    assert board.brought == [("routing", {"UsersShare": "10"})]
    assert board.said == [
        "  /api/users /api/users/*: users 10, monolith 90",
        "users: from 100 % to 10 % to its service; the rest to the monolith",
    ]


@pytest.mark.parametrize(
    ("there", "share", "missing"),
    [(["users"], "99", "monolith"), (["monolith"], "1", "users"), (["users"], "0", "monolith")],
)
def test_shift_requires_both_targets_to_exist(there: list[str], share: str, missing: str) -> None:
    board = Board(*there)
    with pytest.raises(CannotDeployError, match=f"There is no {missing} .*DEPLOYMENT=strangler"):
        shift(cast(Any, board), "users", share)
    assert board.brought == []


@pytest.mark.parametrize(
    ("context", "share"), [("cases", "10"), ("users", "101"), ("users", "-1"), ("users", "ten")]
)
def test_invalid_arguments_or_choices_are_refused(context: str, share: str) -> None:
    board = Board("users", "monolith")
    with pytest.raises(CannotDeployError):
        shift(cast(Any, board), context, share)
    assert board.brought == []


@pytest.mark.parametrize("state", ["initial", "unhealthy", "draining"])
def test_shift_to_targets_that_are_not_healthy_is_refused_unless_it_is_forced(state: str) -> None:
    board = Board("users", "monolith", health=state)
    with pytest.raises(CannotDeployError, match=f"users is {state}, .* 10 %.*make status-ecs"):
        shift(cast(Any, board), "users", "10")
    assert board.brought == []
    shift(cast(Any, board), "users", "10", force=True)
    assert board.brought == [("routing", {"UsersShare": "10"})]


def test_shift_rejects_rules_that_were_changed_elsewhere() -> None:
    board = Board("users", "monolith", weights=(7, 93))
    with pytest.raises(CannotDeployError, match="`users 10, monolith 90`"):
        shift(cast(Any, board), "users", "10")
