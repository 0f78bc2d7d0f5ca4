"""A target's pool of connections."""

from dataclasses import dataclass

import pytest

from gateway.http1.response_reader import ResponseReader
from gateway.targets.target import Address, Target, TargetState, TargetUser


@dataclass(eq=False)
class FakeConnection:
    """A fake `gateway.targets.target.PooledConnection` that records whether it was closed."""

    usable: bool = True
    closed: bool = False
    tunnel: bool = False
    unsent: int = 0

    def __post_init__(self) -> None:
        self.reader = ResponseReader()

    def begin(self, user: TargetUser, *, head_request: bool, upgrade: bool = False) -> None:
        raise AssertionError(f"nobody sends a request: {user}, {head_request}, {upgrade}")

    def write(self, data: bytes) -> None:
        raise AssertionError(f"nobody sends a request: {data!r}")

    def release(self) -> None:
        raise AssertionError("nobody has finished a request")

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        """Nothing is read."""

    resume_reading = pause_reading


@pytest.fixture
def target() -> Target:
    return Target(Address("127.0.0.1", 8000))


def test_connection_of_a_draining_target_does_not_return_to_the_pool(target: Target) -> None:
    connection = FakeConnection()
    target.state = TargetState.DRAINING
    target.put_back(connection)
    assert connection.closed
    assert target.take() is None


@pytest.mark.parametrize("state", [s for s in TargetState if s is not TargetState.DRAINING])
def test_connection_of_another_target_returns_to_the_pool(
    target: Target, state: TargetState
) -> None:
    connection = FakeConnection()
    target.state = state
    target.put_back(connection)
    assert target.take() is connection
    assert target.take() is None


def test_pool_returns_the_most_recently_used_connection_and_no_lost_one(target: Target) -> None:
    older, lost, newest = FakeConnection(), FakeConnection(usable=False), FakeConnection()
    for connection in (older, lost, newest):
        target.put_back(connection)
    assert [target.take(), target.take(), target.take()] == [newest, older, None]


def test_closing_idle_connections_closes_all(target: Target) -> None:
    connections = [FakeConnection(), FakeConnection()]
    for connection in connections:
        target.put_back(connection)
    target.close_idle()
    assert all(connection.closed for connection in connections)
    assert target.take() is None
