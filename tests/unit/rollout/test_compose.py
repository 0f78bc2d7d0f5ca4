"""The board in Compose: which commands run in which containers, and what is refused."""

import json
from collections.abc import Sequence

import pytest

from containers.engine import CommandResult
from containers.errors import CannotStartError
from rollout.compose import ADMIN_SOCKET, ComposeBoard, find
from rollout.errors import CannotRollOutError
from topology.deployments import MONOLITH, SERVERS, SERVICES
from topology.routing import target_group


class FakeCompose:
    """A Compose project whose gateway has a rule for each service."""

    def __init__(self, *running: str, shares: int = 0) -> None:
        self.running = [*running]
        self.registered = [*running]
        self.weights = dict.fromkeys(SERVICES, shares)
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, arguments: Sequence[str]) -> CommandResult:
        assert arguments[:3] == ("compose", "--profile", "*")
        command = tuple(arguments[3:])
        self.commands.append(command)
        output = ""
        if command[0] == "ps":
            output = "\n".join(["postgres", "gateway-monolith", *self.running])
        elif command[0] == "up":
            self.running += command[5:]
        elif command[0] == "stop":
            self.running.remove(command[1])
        elif command[0] == "exec":
            output = json.dumps(self._gateway(*command[6:]))
        return CommandResult(0, output, "")

    def _gateway(self, command: str, option: str, socket: str, *arguments: str) -> object:
        assert (option, socket) == ("--admin-socket", ADMIN_SOCKET)
        if command == "weights":
            rule, weight, _ = arguments
            self.weights[rule] = int(weight.partition("=")[2])
        elif command == "register":
            self.registered.append(arguments[1].removeprefix("http://").removesuffix(":8000"))
        elif command == "deregister":
            self.registered.remove(arguments[1].removeprefix("http://").removesuffix(":8000"))
        elif command == "rules":
            rules = [
                {
                    "LogicalId": name,
                    "Weights": {target_group(name): share, target_group(MONOLITH): 100 - share},
                }
                for name, share in self.weights.items()
            ]
            return [{"Rules": [*rules, {"LogicalId": "ApiRule"}]}]
        return {
            target_group(name): {
                "TargetHealthDescriptions": [{"TargetHealth": {"State": "healthy"}}]
                if name in self.registered
                else []
            }
            for name in SERVERS
        }


def board(compose: FakeCompose) -> ComposeBoard:
    found = find(compose)
    assert found is not None
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_shift_changes_the_weights_of_the_services_rules_only(service: str) -> None:
    compose = FakeCompose(*SERVERS)
    state = board(compose).shift(service, 10, force=False)
    assert state.shares == dict.fromkeys(SERVICES, 0) | {service: 10}


def test_shift_to_a_service_that_does_not_run_is_refused_unless_it_is_forced() -> None:
    compose = FakeCompose(MONOLITH)
    with pytest.raises(CannotRollOutError, match="web does not run"):
        board(compose).shift("web", 10, force=False)
    assert compose.weights["web"] == 0
    assert board(compose).shift("web", 10, force=True).shares["web"] == 10


def test_start_starts_what_the_service_calls_and_registers_all_of_it() -> None:
    compose = FakeCompose(MONOLITH)
    state = board(compose).start("posts")
    assert {*state.health} >= {MONOLITH, "users", "threads", "posts"}
    assert {*compose.running} == {*state.health}
    with pytest.raises(CannotRollOutError, match="posts is running already"):
        board(compose).start("posts")


def test_stop_deregisters_before_it_stops() -> None:
    compose = FakeCompose(*SERVERS, shares=100)
    assert MONOLITH not in board(compose).stop(MONOLITH).health
    words = [word for command in compose.commands for word in command]
    assert words.index("deregister") < words.index("stop")


def test_stop_of_what_still_gets_requests_is_refused() -> None:
    compose = FakeCompose(*SERVERS, shares=100)
    with pytest.raises(CannotRollOutError, match="posts still gets 100 %"):
        board(compose).stop("posts")
    assert "posts" in compose.running


def test_command_during_another_is_refused_before_it_does_anything() -> None:
    compose = FakeCompose(*SERVERS)
    waiting = [True]

    def during(arguments: Sequence[str]) -> CommandResult:
        if "weights" in arguments and waiting:
            waiting.clear()
            with pytest.raises(CannotRollOutError, match="another command is not finished yet"):
                board(compose).shift("users", 99, force=False)
            with pytest.raises(CannotRollOutError, match="another command is not finished yet"):
                board(compose).stop("web")
        return compose(arguments)

    state = ComposeBoard(during, "gateway").shift("web", 10, force=False)
    assert not waiting
    assert state.shares == dict.fromkeys(SERVICES, 0) | {"web": 10}


def test_failure_of_docker_is_reported() -> None:
    def broken(arguments: Sequence[str]) -> CommandResult:
        listing = "ps" in arguments
        return CommandResult(0 if listing else 1, "gateway\n" if listing else "", "no such thing")

    found = find(broken)
    assert found is not None
    with pytest.raises(CannotRollOutError, match="no such thing"):
        found.state()


def test_two_gateways_at_once_are_refused() -> None:
    with pytest.raises(CannotRollOutError, match="gateway and gateway-monolith run at the same"):
        find(lambda _: CommandResult(0, "gateway\ngateway-monolith\nposts\n", ""))


def test_nothing_is_found_without_docker_or_without_a_gateway() -> None:
    def no_docker(_: Sequence[str]) -> CommandResult:
        raise CannotStartError("there is no docker")

    assert find(no_docker) is None
    assert find(lambda _: CommandResult(1, "", "no engine")) is None
    assert find(lambda _: CommandResult(0, "postgres\n", "")) is None
