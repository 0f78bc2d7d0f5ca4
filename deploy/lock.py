"""One command at a time: a command refuses to start while another one works on the same project.

The lock is an item in a DynamoDB table of its own. Each change of it is one conditional write, so
if two commands try at the same time, exactly one succeeds. The holder renews the item while it
runs; the lease of a killed command expires by itself. docs/decisions/aws-lock.md compares the
alternatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, WaiterError

from deploy.aws import Aws
from deploy.errors import CannotDeployError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

LEASE_SECONDS: Final = 180.0
"""After this long without a renewal, another command may take the lock over."""

RENEW_EVERY_SECONDS: Final = 45.0

_KEY: Final = "Project"
_REFUSED: Final = "ConditionalCheckFailedException"


@dataclass(frozen=True)
class Holder:
    """Who works on a project: the command, the machine, the process id, and a token that no other
    holder has."""

    command: str
    host: str
    process: int
    token: str

    def __str__(self) -> str:
        return f"`{self.command}` (process {self.process} on {self.host})"


@dataclass(frozen=True)
class _Lease:
    """The lock as it was read: `until` is the time of its expiry in seconds since 1970."""

    holder: Holder
    until: float


class Lock:
    """The lock of one project. `now` returns the seconds since 1970; `is_running` returns whether
    this machine has a process with that id."""

    def __init__(
        self,
        aws: Aws,
        project: str,
        holder: Holder,
        tags: Mapping[str, str],
        now: Callable[[], float],
        is_running: Callable[[int], bool],
    ) -> None:
        self._aws = aws
        self._project = project
        self._holder = holder
        self._tags = tags
        self._now = now
        self._is_running = is_running
        self._until = 0.0

    @property
    def table(self) -> str:
        """The name of the lock's table."""
        return table_name(self._project)

    @property
    def _own_token(self) -> Mapping[str, AttributeValueTypeDef]:
        return {":token": {"S": self._holder.token}}

    @contextmanager
    def held(self, say: Callable[[str], None]) -> Iterator[None]:
        """Hold the lock while the block runs. Raises `CannotDeployError` if another command holds
        it."""
        self.acquire(say)
        try:
            yield
        finally:
            self.release()

    def acquire(self, say: Callable[[str], None]) -> None:
        """Take the lock. Raises `CannotDeployError` if another command holds it."""
        self._ensure_table()
        for _ in range(3):
            # It is already this command's token if an earlier attempt succeeded but its response
            # was lost.
            if self._write("attribute_not_exists(#Token) OR #Token = :token", self._own_token):
                return
            lease = self._read()
            if lease is None:
                continue
            if self._is_held(lease):
                raise CannotDeployError(
                    f"{lease.holder} works on this project. Wait until it has ended; if it has "
                    f"crashed, its lock expires within {LEASE_SECONDS / 60:.0f} minutes, or remove "
                    f"it now with: aws dynamodb delete-item --table-name {self.table} --key "
                    f'\'{{"{_KEY}": {{"S": "{self._project}"}}}}\''
                )
            # Fails if the holder has renewed the lease meanwhile, or another command took it over.
            unchanged: Mapping[str, AttributeValueTypeDef] = {
                ":token": {"S": lease.holder.token},
                ":until": {"N": repr(lease.until)},
            }
            if self._write("#Token = :token AND #Until = :until", unchanged):
                say(f"Taking over the lock of {lease.holder}, which ended without releasing it.")
                return
        raise CannotDeployError(
            f"Other commands keep taking the lock {self.table}: run the command again"
        )

    def release(self) -> None:
        """Release the lock if this command still has it."""
        if not self._until:
            return
        self._until = 0.0
        try:
            self._aws.dynamodb.delete_item(
                TableName=self.table,
                Key={_KEY: {"S": self._project}},
                ConditionExpression="#Token = :token",
                ExpressionAttributeNames={"#Token": "Token"},
                ExpressionAttributeValues=self._own_token,
            )
        except ClientError as error:
            # Another command has taken it over, and the lock is that command's.
            if _code(error) != _REFUSED:
                raise

    def renew(self) -> None:
        """Extend the lease if it is time to; does nothing unless the lock is held. Raises
        `CannotDeployError` if another command has taken the lock over."""
        if not self._until or self._now() < self._until - LEASE_SECONDS + RENEW_EVERY_SECONDS:
            return
        if not self._write("#Token = :token", self._own_token):
            self._until = 0.0
            lease = self._read()
            raise CannotDeployError(
                f"This command has lost the lock {self.table}: "
                f"{lease.holder if lease else 'another command'} has taken it over. What AWS has "
                "started continues; run the command again when the other one has ended"
            )

    def delete_table(self) -> None:
        """Delete the table, and with it the lock, and wait until it no longer exists. Does nothing
        unless the lock is held: only its holder can know that no other command needs the table."""
        if not self._until:
            return
        self._until = 0.0
        self._aws.dynamodb.delete_table(TableName=self.table)
        self._aws.dynamodb.get_waiter("table_not_exists").wait(
            TableName=self.table, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    def _is_held(self, lease: _Lease) -> bool:
        if lease.holder.host == self._holder.host:
            return self._is_running(lease.holder.process)
        return lease.until > self._now()

    def _write(self, condition: str, values: Mapping[str, AttributeValueTypeDef]) -> bool:
        """Store the holder with a new lease if the condition holds for the item that is stored;
        returns whether it did."""
        until = self._now() + LEASE_SECONDS
        try:
            self._aws.dynamodb.put_item(
                TableName=self.table,
                Item={
                    _KEY: {"S": self._project},
                    "Command": {"S": self._holder.command},
                    "Host": {"S": self._holder.host},
                    "Process": {"N": str(self._holder.process)},
                    "Token": {"S": self._holder.token},
                    "Until": {"N": repr(until)},
                },
                ConditionExpression=condition,
                # These names are reserved words in a condition.
                ExpressionAttributeNames={
                    f"#{name}": name for name in ("Token", "Until") if f"#{name}" in condition
                },
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if _code(error) != _REFUSED:
                raise
            return False
        self._until = until
        return True

    def _read(self) -> _Lease | None:
        item = self._aws.dynamodb.get_item(
            TableName=self.table, Key={_KEY: {"S": self._project}}, ConsistentRead=True
        ).get("Item")
        if item is None:
            return None
        try:
            holder = Holder(
                item["Command"]["S"],
                item["Host"]["S"],
                int(item["Process"]["N"]),
                item["Token"]["S"],
            )
            return _Lease(holder, float(item["Until"]["N"]))
        except (KeyError, ValueError):
            raise CannotDeployError(
                f"The table {self.table} has an item that is not a lock of the board: {item!r}"
            ) from None

    def _ensure_table(self) -> None:
        try:
            self._aws.dynamodb.create_table(
                TableName=self.table,
                AttributeDefinitions=[{"AttributeName": _KEY, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": _KEY, "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
                Tags=[{"Key": key, "Value": value} for key, value in self._tags.items()],
            )
        except ClientError as error:
            if _code(error) != "ResourceInUseException":
                raise
            existed = True
        else:
            existed = False
        try:
            self._aws.dynamodb.get_waiter("table_exists").wait(
                TableName=self.table, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
        except WaiterError as error:
            raise CannotDeployError(
                f"The table {self.table} is not ready: another command may be deleting it. Run the "
                f"command again in a minute ({error})"
            ) from error
        if existed:
            self._require_ownership()

    def _require_ownership(self) -> None:
        """Raise `CannotDeployError` unless the table has the project's tags: somebody else's table
        with that name must not be changed or deleted."""
        table = self._aws.dynamodb.describe_table(TableName=self.table)["Table"]
        found = self._aws.dynamodb.list_tags_of_resource(ResourceArn=table.get("TableArn", ""))
        tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
        if any(tags.get(key) != value for key, value in self._tags.items()):
            raise CannotDeployError(
                f"A DynamoDB table {self.table} exists already and is not the board's: choose "
                "another PROJECT, or another region"
            )


def table_name(project: str) -> str:
    """The name of the table with the project's lock."""
    return f"{project}-lock"


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")
