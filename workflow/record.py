"""The durable record of one execution, as a value and as JSON."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias, cast

from workflow.values import Json


class Status(Enum):
    """Whether an execution goes on."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Ready:
    """The state has not been entered yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """In a Wait state, or between two attempts of a task, until a time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Called:
    """A task was called with this input and token. `delivered` is true when the host knows that the
    resource has the call; until then the call is made again after a crash."""

    token: str
    input: Json
    delivered: bool
    timeout_at: datetime | None
    heartbeat_at: datetime | None


Phase: TypeAlias = Ready | Waiting | Called


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution. `data` is the raw input of the state `state`; `retries` counts the retries of
    each retrier of that state; `number` counts transitions. When it has ended, `data` is its
    output, and `error` and `cause` say why it failed."""

    machine: str
    name: str
    started_at: datetime
    input: Json
    number: int
    status: Status
    state: str
    entered_at: datetime
    data: Json
    phase: Phase
    retries: tuple[int, ...] = ()
    error: str | None = None
    cause: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The record as a JSON object."""
        return {
            "machine": self.machine,
            "name": self.name,
            "startedAt": self.started_at.isoformat(),
            "input": self.input,
            "number": self.number,
            "status": self.status.value,
            "state": self.state,
            "enteredAt": self.entered_at.isoformat(),
            "data": self.data,
            "phase": _phase_to_json(self.phase),
            "retries": list(self.retries),
            "error": self.error,
            "cause": self.cause,
        }

    @classmethod
    def from_json(cls, found: dict[str, Json]) -> "Execution":
        """The record that `to_json` wrote."""
        return cls(
            machine=str(found["machine"]),
            name=str(found["name"]),
            started_at=datetime.fromisoformat(str(found["startedAt"])),
            input=found["input"],
            number=cast("int", found["number"]),
            status=Status(found["status"]),
            state=str(found["state"]),
            entered_at=datetime.fromisoformat(str(found["enteredAt"])),
            data=found["data"],
            phase=_phase_from_json(cast("dict[str, Json]", found["phase"])),
            retries=tuple(cast("list[int]", found["retries"])),
            error=_text(found["error"]),
            cause=_text(found["cause"]),
        )


def _phase_to_json(phase: Phase) -> Json:
    if isinstance(phase, Ready):
        return {"name": "ready"}
    if isinstance(phase, Waiting):
        return {"name": "waiting", "until": phase.until.isoformat()}
    return {
        "name": "called",
        "token": phase.token,
        "input": phase.input,
        "delivered": phase.delivered,
        "timeoutAt": _moment_to_json(phase.timeout_at),
        "heartbeatAt": _moment_to_json(phase.heartbeat_at),
    }


def _phase_from_json(found: dict[str, Json]) -> Phase:
    if found["name"] == "ready":
        return Ready()
    if found["name"] == "waiting":
        return Waiting(datetime.fromisoformat(str(found["until"])))
    return Called(
        token=str(found["token"]),
        input=found["input"],
        delivered=found["delivered"] is True,
        timeout_at=_moment(found["timeoutAt"]),
        heartbeat_at=_moment(found["heartbeatAt"]),
    )


def _text(found: Json) -> str | None:
    return None if found is None else str(found)


def _moment_to_json(moment: datetime | None) -> Json:
    return None if moment is None else moment.isoformat()


def _moment(found: Json) -> datetime | None:
    return None if found is None else datetime.fromisoformat(str(found))
