"""Two commands never work on one project at once, and a crashed one does not block the next."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import WaiterError

from deploy.errors import CannotDeployError
from deploy.lock import LEASE_SECONDS, Holder, Lock
from tests.unit.deploy.fakes import refusal

Item = dict[str, dict[str, str]]


class LockTable:
    """DynamoDB with at most one table, which has at most one item. Each write evaluates its
    condition and stores in one step, as DynamoDB does. `before_write` is called before each write,
    for what other commands do between a read and a write."""

    def __init__(self) -> None:
        self.exists = False
        self.deleting = False
        self.tags: dict[str, str] = {}
        self.item: Item | None = None
        self.before_write: Callable[[], None] = lambda: None
        self._one_at_a_time = threading.Lock()

    def create_table(self, **request: Any) -> None:
        if self.exists:
            raise refusal("ResourceInUseException", "Table already exists")
        self.exists = True
        self.tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}

    def describe_table(self, **request: Any) -> Any:
        return {"Table": {"TableArn": f"arn:aws:dynamodb:here:1:table/{request['TableName']}"}}

    def list_tags_of_resource(self, **_: object) -> Any:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()]}

    def delete_table(self, **_: object) -> None:
        self.exists, self.item = False, None

    def get_waiter(self, _: str) -> Any:
        def wait(**_: object) -> None:
            if self.deleting:
                raise WaiterError("TableExists", "Max attempts exceeded", {})

        return SimpleNamespace(wait=wait)

    def get_item(self, **request: Any) -> Any:
        assert request["ConsistentRead"] is True
        return {"Item": dict(self.item)} if self.item else {}

    def put_item(self, **request: Any) -> None:
        self._write(request, request["Item"])

    def delete_item(self, **request: Any) -> None:
        self._write(request, None)

    def _write(self, request: Any, item: Item | None) -> None:
        self.before_write()
        with self._one_at_a_time:
            if not self._holds(request):
                raise refusal("ConditionalCheckFailedException", "The conditional request failed")
            self.item = item

    def _holds(self, request: Any) -> bool:
        def term(text: str) -> bool:
            if text.startswith("attribute_not_exists"):
                return self.item is None
            name, _, value = text.partition(" = ")
            attribute = request["ExpressionAttributeNames"][name]
            expected = request["ExpressionAttributeValues"][value]
            return self.item is not None and bool(self.item[attribute] == expected)

        return any(
            all(term(text) for text in alternative.split(" AND "))
            for alternative in request["ConditionExpression"].split(" OR ")
        )

    @property
    def holder(self) -> str:
        """The token of the holder."""
        return self.item["Token"]["S"] if self.item else "nobody"


class Clock:
    """The current time."""

    def __init__(self) -> None:
        self.now = 1_000_000.5


def _lock(
    table: LockTable, clock: Clock, token: str, host: str = "here", running: bool = True
) -> Lock:
    holder = Holder(f"make {token}", host, 7, token)
    aws = cast(Any, SimpleNamespace(dynamodb=table))
    return Lock(aws, "board", holder, {}, lambda: clock.now, lambda _process: running)


def _expired(table: LockTable, clock: Clock) -> Lock:
    """A lock whose holder on another machine has not renewed it in time."""
    lock = _lock(table, clock, "deploy", host="there")
    lock.acquire(print)
    clock.now += LEASE_SECONDS + 1
    return lock


def test_second_command_is_refused_with_the_name_of_the_holder() -> None:
    table, clock = LockTable(), Clock()
    with (
        _lock(table, clock, "deploy").held(print),
        pytest.raises(CannotDeployError, match=r"make deploy.*delete-item --table-name board-lock"),
        _lock(table, clock, "pause", host="there").held(print),
    ):
        pass
    assert table.item is None


def test_lock_is_released_after_a_failure() -> None:
    table, clock = LockTable(), Clock()
    with pytest.raises(RuntimeError), _lock(table, clock, "deploy").held(print):
        raise RuntimeError
    assert table.item is None


def test_lease_that_is_not_renewed_expires() -> None:
    table, clock = LockTable(), Clock()
    _lock(table, clock, "deploy", host="there").acquire(print)
    said: list[str] = []
    with (
        pytest.raises(CannotDeployError, match="works on this project"),
        _lock(table, clock, "pause").held(said.append),
    ):
        pass
    clock.now += LEASE_SECONDS + 1
    with _lock(table, clock, "pause").held(said.append):
        assert table.holder == "pause"
    assert "Taking over the lock of `make deploy`" in said[0]


def test_lock_of_a_dead_process_of_this_machine_is_taken_over_at_once() -> None:
    table, clock = LockTable(), Clock()
    _lock(table, clock, "deploy").acquire(print)
    with _lock(table, clock, "again", running=False).held(print):
        assert table.holder == "again"


def test_expired_lease_that_is_renewed_meanwhile_is_not_taken_over() -> None:
    table, clock = LockTable(), Clock()
    slow = _expired(table, clock)

    def renew_once() -> None:
        if table.holder == "deploy" and table.item and float(table.item["Until"]["N"]) < clock.now:
            table.before_write = lambda: None
            slow.renew()

    # The first write is the attempt to create the item; the holder renews before the second.
    writes = iter([lambda: None, renew_once])
    table.before_write = lambda: next(writes, lambda: None)()
    with (
        pytest.raises(CannotDeployError, match=r"`make deploy`.*works on this project"),
        _lock(table, clock, "pause").held(print),
    ):
        pass
    assert table.holder == "deploy"


def test_expired_lease_that_another_command_takes_over_first_is_refused() -> None:
    table, clock = LockTable(), Clock()
    _expired(table, clock)
    faster = _lock(table, clock, "faster", host="elsewhere")

    def overtake() -> None:
        table.before_write = lambda: None
        faster.acquire(print)

    writes = iter([lambda: None, overtake])
    table.before_write = lambda: next(writes, lambda: None)()
    with (
        pytest.raises(CannotDeployError, match="`make faster`"),
        _lock(table, clock, "slower").held(print),
    ):
        pass
    assert table.holder == "faster"


def test_one_of_many_concurrent_takeovers_succeeds() -> None:
    table, clock = LockTable(), Clock()
    _expired(table, clock)
    count = 8
    # All have read the expired lease, and none has written it yet, when the first one writes.
    all_have_read, reads = threading.Barrier(count), threading.local()

    def wait_for_the_others() -> None:
        reads.writes = getattr(reads, "writes", 0) + 1
        if reads.writes == 2:
            all_have_read.wait(timeout=30)

    table.before_write = wait_for_the_others
    holders: list[str] = []
    refused: list[str] = []

    def take(token: str) -> None:
        try:
            _lock(table, clock, token, host=token).acquire(print)
            holders.append(token)
        except CannotDeployError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=take, args=(f"command-{i}",)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert holders == [table.holder]
    assert len(refused) == count - 1


def test_holder_renews_the_lease_while_it_works() -> None:
    table, clock = LockTable(), Clock()
    lock = _lock(table, clock, "deploy")
    with lock.held(print):
        for _ in range(20):
            clock.now += 50
            lock.renew()
            assert table.item
            assert float(table.item["Until"]["N"]) == clock.now + LEASE_SECONDS


def test_holder_that_lost_the_lock_stops_and_leaves_the_new_one_alone() -> None:
    table, clock = LockTable(), Clock()
    lock = _lock(table, clock, "deploy")
    with lock.held(print):
        assert table.item
        table.item = {**table.item, "Token": {"S": "theirs"}}
        clock.now += 50
        with pytest.raises(CannotDeployError, match="has lost the lock board-lock"):
            lock.renew()
    assert table.holder == "theirs"


def test_holder_that_did_not_notice_the_loss_does_not_release_the_new_lock() -> None:
    table, clock = LockTable(), Clock()
    with _lock(table, clock, "deploy").held(print):
        assert table.item
        table.item = {**table.item, "Token": {"S": "theirs"}}
    assert table.holder == "theirs"


def test_lock_is_held_if_the_response_of_the_first_attempt_is_lost() -> None:
    table, clock = LockTable(), Clock()
    lock = _lock(table, clock, "deploy")
    lock.acquire(print)
    # boto3 sends the request again when no response arrives.
    with lock.held(print):
        assert table.holder == "deploy"
    assert table.item is None


def test_deleting_the_table_releases_the_lock_with_it() -> None:
    table, clock = LockTable(), Clock()
    lock = _lock(table, clock, "destroy")
    with lock.held(print):
        lock.delete_table()
        assert not table.exists
    with _lock(table, clock, "push").held(print):
        assert table.holder == "push"
        lock.delete_table()
        assert table.exists


def test_table_that_is_being_deleted_refuses_the_next_command() -> None:
    table, clock = LockTable(), Clock()
    table.exists = table.deleting = True
    with (
        pytest.raises(CannotDeployError, match="another command may be deleting it"),
        _lock(table, clock, "deploy").held(print),
    ):
        pass


def test_item_that_is_not_a_lock_is_left_alone() -> None:
    table, clock = LockTable(), Clock()
    table.exists, table.item = True, {"Token": {"S": "something of yours"}}
    with (
        pytest.raises(CannotDeployError, match="not a lock of the board"),
        _lock(table, clock, "deploy").held(print),
    ):
        pass
    assert table.item == {"Token": {"S": "something of yours"}}


def test_table_of_somebody_else_is_not_written_into() -> None:
    table, clock = LockTable(), Clock()
    table.exists, table.tags = True, {"Team": "marketing"}
    holder = Holder("make deploy", "here", 7, "deploy")
    aws = cast(Any, SimpleNamespace(dynamodb=table))
    lock = Lock(aws, "board", holder, {"Project": "board"}, lambda: clock.now, lambda _: True)
    with (
        pytest.raises(CannotDeployError, match="board-lock exists already and is not the board's"),
        lock.held(print),
    ):
        pass
    assert (table.item, table.exists) == (None, True)
