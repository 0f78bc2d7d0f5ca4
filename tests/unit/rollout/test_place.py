"""A command goes to the board that runs, and is refused if that could be one of several."""

import pytest

from rollout.board import State
from rollout.errors import CannotRollOutError
from rollout.place import choose


class Running:
    """A board that runs somewhere."""

    def __init__(self, place: str) -> None:
        self.place = place

    def state(self) -> State:
        return State({}, {})

    def shift(self, service: str, share: int, *, force: bool) -> State:
        raise AssertionError(f"{service} {share} {force}")

    def start(self, server: str) -> State:
        raise AssertionError(server)

    def stop(self, server: str) -> State:
        raise AssertionError(server)


def chosen(running: set[str], **environment: str) -> str:
    boards = {name: Running(name) if name in running else None for name in ("laptop", "compose")}
    finders = {name: lambda found=board: found for name, board in boards.items()}
    board = choose(environment, finders)
    return "aws" if board is None else board.place


@pytest.mark.parametrize("place", ["laptop", "compose"])
def test_the_only_board_that_runs_is_chosen(place: str) -> None:
    assert chosen({place}) == place


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"])
def test_aws_is_chosen_if_it_is_configured_and_nothing_runs_here(name: str) -> None:
    assert chosen(set(), **{name: "x"}) == "aws"


@pytest.mark.parametrize(
    ("running", "environment", "candidates"),
    [
        ({"laptop", "compose"}, {}, "ON=laptop, ON=compose"),
        ({"laptop"}, {"AWS_REGION": "x"}, "ON=laptop, ON=aws"),
        ({"laptop", "compose"}, {"AWS_PROFILE": "x"}, "ON=laptop, ON=compose, ON=aws"),
    ],
)
def test_choice_between_several_boards_is_left_to_the_user(
    running: set[str], environment: dict[str, str], candidates: str
) -> None:
    with pytest.raises(CannotRollOutError, match=f"add one of {candidates}$"):
        chosen(running, **environment)


@pytest.mark.parametrize("on", ["laptop", "compose", "aws"])
def test_on_decides_between_several_boards(on: str) -> None:
    assert chosen({"laptop", "compose"}, AWS_REGION="x", ON=on) == on


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, r"no board runs here: start one with make run \(laptop\), make up \(compose\)"),
        ({"ON": "compose"}, r"start one with make up \(compose\)$"),
        ({"ON": "compose", "AWS_REGION": "x"}, r"start one with make up \(compose\)$"),
        ({"ON": "moon"}, "ON=moon: it must be one of laptop, compose, aws"),
    ],
)
def test_command_without_a_board_is_refused(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(CannotRollOutError, match=sentence):
        chosen(set(), **environment)
