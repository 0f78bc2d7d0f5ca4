"""One command at a time: two that work on the same project are refused.

The lock is a parameter of Systems Manager, because that is there before anything else is, costs
nothing, and one of two who create it at once is refused. Who holds it renews it while it works, so
that what a killed command leaves behind runs out by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from deploy.errors import CannotDeployError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

LASTS: Final = 180.0
"""Seconds after which a lock that nobody renews is nobody's."""

RENEWED_EVERY: Final = 45.0


@dataclass(frozen=True)
class Holder:
    """Who works on a project: the command, on which machine, as which process, and a mark that no
    other has."""

    command: str
    host: str
    process: int
    mark: str


class Lock:
    """The lock of one project. `now` is the time of day in seconds; `is_running` says whether
    there is such a process on this machine."""

    def __init__(
        self,
        client: SSMClient,
        project: str,
        holder: Holder,
        tags: Mapping[str, str],
        now: Callable[[], float],
        is_running: Callable[[int], bool],
    ) -> None:
        self._client = client
        self.name = f"/{project}/lock"
        self._holder = holder
        self._tags = tags
        self._now = now
        self._is_running = is_running
        self._until = 0.0

    @contextmanager
    def held(self, say: Callable[[str], None]) -> Iterator[None]:
        """Hold it while the block runs. Raises `CannotDeployError` when somebody else does."""
        self._take(say)
        try:
            yield
        finally:
            self._release()

    def renew(self) -> None:
        """Say, if it is time to, that we still work. Does nothing when we do not hold it. Raises
        `CannotDeployError` when somebody else has taken it meanwhile."""
        if not self._until or self._now() < self._until - LASTS + RENEWED_EVERY:
            return
        found = self._read()
        if found is None or found["mark"] != self._holder.mark:
            self._until = 0.0
            raise CannotDeployError(
                f"The lock {self.name} is not ours any more: {_who(found)} has taken it. What is "
                "under way in AWS goes on; run the command again when the other has ended"
            )
        self._client.put_parameter(Name=self.name, Value=self._value(), Overwrite=True)

    def _take(self, say: Callable[[str], None]) -> None:
        for _ in range(3):
            try:
                self._client.put_parameter(
                    Name=self.name,
                    Value=self._value(),
                    Type="String",
                    Description="Who works on this project now",
                    Tags=[{"Key": key, "Value": value} for key, value in self._tags.items()],
                )
            except ClientError as error:
                if error.response["Error"].get("Code") != "ParameterAlreadyExists":
                    raise
            else:
                return
            found = self._read()
            if found is not None:
                if self._is_held(found):
                    self._until = 0.0
                    raise CannotDeployError(
                        f"{_who(found)} works on this project. Wait for it to end; if it has died, "
                        f"its lock runs out within {LASTS / 60:.0f} minutes, or break it now with: "
                        f"aws ssm delete-parameter --name {self.name}"
                    )
                say(f"Taking over from {_who(found)}, which has ended without saying so.")
                self._delete()
        raise CannotDeployError(f"Somebody else keeps taking the lock {self.name}: try again")

    def _is_held(self, found: Mapping[str, object]) -> bool:
        if found["host"] == self._holder.host:
            process = found["process"]
            return isinstance(process, int) and self._is_running(process)
        until = found["until"]
        return isinstance(until, int | float) and until > self._now()

    def _release(self) -> None:
        if not self._until:
            return
        self._until = 0.0
        found = self._read()
        if found is not None and found["mark"] == self._holder.mark:
            self._delete()

    def _value(self) -> str:
        self._until = self._now() + LASTS
        holder = self._holder
        return json.dumps(
            {
                "command": holder.command,
                "host": holder.host,
                "process": holder.process,
                "mark": holder.mark,
                "until": self._until,
            }
        )

    def _read(self) -> Mapping[str, object] | None:
        try:
            value = self._client.get_parameter(Name=self.name)["Parameter"].get("Value", "")
        except self._client.exceptions.ParameterNotFound:
            return None
        try:
            found = json.loads(value)
            return {key: found[key] for key in ("command", "host", "process", "mark", "until")}
        except (ValueError, TypeError, KeyError):
            raise CannotDeployError(
                f"The parameter {self.name} is no lock of the board's: {value!r}"
            ) from None

    def _delete(self) -> None:
        try:
            self._client.delete_parameter(Name=self.name)
        except self._client.exceptions.ParameterNotFound:
            pass


def _who(found: Mapping[str, object] | None) -> str:
    if found is None:
        return "Somebody else"
    return f"`{found['command']}` (process {found['process']} on {found['host']})"
