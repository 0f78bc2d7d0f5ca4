"""Two commands on one project are refused, and a dead one is no obstacle."""

import json
from typing import Any, cast

import pytest

from deploy.errors import CannotDeployError
from deploy.lock import LASTS, Holder, Lock
from tests.unit.deploy.fakes import refusal


class Parameters:
    """The Parameter Store."""

    class exceptions:  # noqa: N801 - boto3 calls it so
        class ParameterNotFound(Exception):
            pass

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}

    def put_parameter(self, **request: Any) -> None:
        if request["Name"] in self.stored and not request.get("Overwrite"):
            raise refusal("ParameterAlreadyExists", "It exists")
        self.stored[request["Name"]] = request["Value"]

    def get_parameter(self, **request: Any) -> Any:
        if request["Name"] not in self.stored:
            raise self.exceptions.ParameterNotFound
        return {"Parameter": {"Value": self.stored[request["Name"]]}}

    def delete_parameter(self, **request: Any) -> None:
        del self.stored[request["Name"]]


class Clock:
    """The time of day."""

    def __init__(self) -> None:
        self.now = 1_000_000.0


STORE = "/board/lock"


def _lock(
    store: Parameters, clock: Clock, mark: str, host: str = "here", running: bool = True
) -> Lock:
    holder = Holder(f"make {mark}", host, 7, mark)
    return Lock(cast(Any, store), "board", holder, {}, lambda: clock.now, lambda _process: running)


def test_a_second_command_is_refused_and_told_who_has_the_lock() -> None:
    store, clock = Parameters(), Clock()
    with (
        _lock(store, clock, "deploy").held(print),
        pytest.raises(CannotDeployError, match=r"make deploy.*delete-parameter --name /board/lock"),
        _lock(store, clock, "pause", host="there").held(print),
    ):
        pass
    assert store.stored == {}


def test_the_lock_is_free_after_a_failure_too() -> None:
    store, clock = Parameters(), Clock()
    with pytest.raises(RuntimeError), _lock(store, clock, "deploy").held(print):
        raise RuntimeError
    assert store.stored == {}


def test_a_lock_that_nobody_renews_runs_out() -> None:
    store, clock = Parameters(), Clock()
    dead = _lock(store, clock, "deploy", host="there").held(print)
    dead.__enter__()
    said: list[str] = []
    with (
        pytest.raises(CannotDeployError, match="works on this project"),
        _lock(store, clock, "pause").held(said.append),
    ):
        pass
    clock.now += LASTS + 1
    with _lock(store, clock, "pause").held(said.append):
        assert json.loads(store.stored[STORE])["mark"] == "pause"
    assert "Taking over from `make deploy`" in said[0]


def test_a_lock_of_a_process_of_this_machine_that_is_gone_is_taken_at_once() -> None:
    store, clock = Parameters(), Clock()
    _lock(store, clock, "deploy").held(print).__enter__()
    with _lock(store, clock, "again", running=False).held(print):
        assert json.loads(store.stored[STORE])["mark"] == "again"


def test_who_works_on_renews_the_lock() -> None:
    store, clock = Parameters(), Clock()
    lock = _lock(store, clock, "deploy")
    with lock.held(print):
        for _ in range(20):
            clock.now += 50
            lock.renew()
            assert json.loads(store.stored[STORE])["until"] == clock.now + LASTS


def test_who_has_lost_the_lock_stops_and_leaves_the_others_alone() -> None:
    store, clock = Parameters(), Clock()
    lock = _lock(store, clock, "deploy")
    with lock.held(print):
        theirs = {**json.loads(store.stored[STORE]), "mark": "theirs"}
        store.stored[STORE] = json.dumps(theirs)
        clock.now += 50
        with pytest.raises(CannotDeployError, match="not ours any more"):
            lock.renew()
    assert json.loads(store.stored[STORE])["mark"] == "theirs"


def test_a_parameter_that_is_no_lock_is_not_removed() -> None:
    store, clock = Parameters(), Clock()
    store.stored[STORE] = "something of yours"
    with (
        pytest.raises(CannotDeployError, match="no lock of the board's"),
        _lock(store, clock, "deploy").held(print),
    ):
        pass
    assert store.stored == {STORE: "something of yours"}
