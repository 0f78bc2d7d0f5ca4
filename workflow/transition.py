"""Computes one transition of an execution: its next record, what happened, and the commands.

The host is the program that uses this package. It stores the record, then carries out the commands.
The commands follow from the record alone, so after a crash between the two, `commands` returns the
same ones for the stored record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from workflow.choices import is_met
from workflow.intrinsics import Expression, evaluate
from workflow.paths import Path, PathMissing
from workflow.record import Called, Execution, Ready, Status, Waiting
from workflow.states import Choice, Fail, Machine, Pass, Retrier, State, Succeed, Task, Wait
from workflow.templates import Template, fill
from workflow.values import Json, StateFailed, is_number, timestamp


@dataclass(frozen=True, slots=True)
class Proceed:
    """Do what is due: enter a state, end a wait, retry a task, or end a task at its time limit."""


@dataclass(frozen=True, slots=True)
class TaskDelivered:
    """The resource has received the call, and the result will come later."""

    token: str


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    """The task has this result."""

    token: str
    output: Json


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The task failed."""

    token: str
    error: str
    cause: str


@dataclass(frozen=True, slots=True)
class TaskHeartbeat:
    """Somebody still works on the task, so its heartbeat limit starts again."""

    token: str


Event: TypeAlias = Proceed | TaskDelivered | TaskSucceeded | TaskFailed | TaskHeartbeat


@dataclass(frozen=True, slots=True)
class Call:
    """Call the state's resource with the input. Then report its result, or `TaskDelivered` if the
    result comes later."""

    token: str
    state: str
    resource: str
    input: Json


@dataclass(frozen=True, slots=True)
class ProceedAt:
    """Send `Proceed` at this time."""

    at: datetime


Command: TypeAlias = Call | ProceedAt


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry of the execution's history. `type` is a type of history event of AWS Step Functions,
    and `details` has the event's values, such as `input`, `output`, `error` and `cause`. `state` is
    None for events of the execution itself."""

    type: str
    state: str | None
    details: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Transition:
    """The next record, and what happened since the previous one. If nothing was due, the record is
    the same object as before, and the history is empty."""

    execution: Execution
    history: tuple[Happened, ...] = ()
    commands: tuple[Command, ...] = ()


class StaleToken(Exception):
    """No task waits for this token: the task has ended or timed out, or never existed."""


def start(machine: Machine, machine_name: str, name: str, data: Json, now: datetime) -> Transition:
    """The record of a new execution."""
    execution = Execution(
        machine=machine_name,
        name=name,
        started_at=now,
        input=data,
        number=1,
        status=Status.RUNNING,
        state=machine.start_at,
        entered_at=now,
        data=data,
        phase=Ready(),
    )
    history = (Happened("ExecutionStarted", None, {"input": data}),)
    return Transition(execution, history, commands(machine, execution))


def commands(machine: Machine, execution: Execution) -> tuple[Command, ...]:
    """The commands that the host must carry out for this record; none if the execution ended."""
    phase = execution.phase
    if execution.status is not Status.RUNNING:
        return ()
    if isinstance(phase, Ready):
        return (ProceedAt(execution.entered_at),)
    if isinstance(phase, Waiting):
        return (ProceedAt(phase.until),)
    task = _task(machine.states[execution.state])
    limits = [moment for moment in (phase.timeout_at, phase.heartbeat_at) if moment is not None]
    timer = (ProceedAt(min(limits)),) if limits else ()
    if phase.delivered:
        return timer
    return (Call(phase.token, execution.state, task.resource, phase.input), *timer)


def advance(machine: Machine, execution: Execution, event: Event, now: datetime) -> Transition:
    """The transition that the event causes. Raises `StaleToken`."""
    if execution.status is not Status.RUNNING:
        if isinstance(event, Proceed):
            return Transition(execution)
        raise StaleToken(event.token)
    step = _Step(machine, execution, now)
    try:
        following = step.proceed() if isinstance(event, Proceed) else step.task_event(event)
    except StateFailed as failure:
        following = step.ended(failure.error, failure.cause)
    if following is execution:
        return Transition(execution, commands=commands(machine, execution))
    following = replace(following, number=execution.number + 1)
    return Transition(following, tuple(step.history), commands(machine, following))


class _Step:
    """Computes one transition. Raises `StateFailed` for failures that end the execution."""

    def __init__(self, machine: Machine, execution: Execution, now: datetime) -> None:
        self._execution = execution
        self._now = now
        self._state = machine.states[execution.state]
        self.history: list[Happened] = []

    def proceed(self) -> Execution:
        phase = self._execution.phase
        if isinstance(phase, Ready):
            return self._enter()
        if isinstance(phase, Waiting):
            if self._now < phase.until:
                return self._execution
            kind = self._state.kind
            if isinstance(kind, Wait):
                return self._leave(self._input(), kind.next)
            return self._call(_task(self._state))
        if phase.timeout_at is not None and phase.timeout_at <= self._now:
            return self._failed(StateFailed("States.Timeout", "The task timed out."))
        if phase.heartbeat_at is not None and phase.heartbeat_at <= self._now:
            return self._failed(StateFailed("States.HeartbeatTimeout", "No heartbeat came."))
        return self._execution

    def task_event(
        self, event: TaskDelivered | TaskSucceeded | TaskFailed | TaskHeartbeat
    ) -> Execution:
        phase = self._execution.phase
        if not isinstance(phase, Called) or phase.token != event.token:
            raise StaleToken(event.token)
        task = _task(self._state)
        if isinstance(event, TaskDelivered):
            if phase.delivered:
                return self._execution
            return replace(self._execution, phase=replace(phase, delivered=True))
        if isinstance(event, TaskHeartbeat):
            beat = replace(phase, heartbeat_at=self._after(task.heartbeat))
            return replace(self._execution, phase=beat)
        if isinstance(event, TaskFailed):
            return self._failed(StateFailed(event.error, event.cause))
        self._note("TaskSucceeded", output=event.output)
        try:
            result = self._filled(task.result_selector, event.output)
            output = self._combined(task.result_path, result)
        except StateFailed as failure:
            return self._failed(failure, noted=True)
        return self._leave(output, task.next)

    def ended(self, error: str | None, cause: str | None) -> Execution:
        """The execution, ended by a failure."""
        details: dict[str, Json] = {"error": error, "cause": cause}
        self.history.append(Happened("ExecutionFailed", None, details))
        return replace(self._execution, status=Status.FAILED, error=error, cause=cause)

    def _enter(self) -> Execution:
        self._execution = replace(self._execution, entered_at=self._now, retries=())
        self._note(f"{self._state.type}StateEntered", input=self._execution.data)
        kind = self._state.kind
        if isinstance(kind, Task):
            return self._call(kind)
        if isinstance(kind, Pass):
            return self._pass(kind)
        if isinstance(kind, Wait):
            return replace(self._execution, phase=Waiting(self._until(kind)))
        if isinstance(kind, Fail):
            return self.ended(self._text(kind.error), self._text(kind.cause))
        data = self._input()
        return self._leave(data, None if isinstance(kind, Succeed) else self._chosen(kind, data))

    def _pass(self, kind: Pass) -> Execution:
        result = self._filled(kind.parameters, self._input())
        if kind.result is not None:
            result = self._filled(kind.result, result)
        return self._leave(self._combined(kind.result_path, result), kind.next)

    def _chosen(self, kind: Choice, data: Json) -> str:
        for rule, target in kind.rules:
            if is_met(rule, data, self._context()):
                return target
        if kind.default is None:
            raise StateFailed("States.NoChoiceMatched", "No rule is met, and there is no Default.")
        return kind.default

    def _until(self, kind: Wait) -> datetime:
        value = kind.until
        if isinstance(value, datetime):
            return value
        if isinstance(value, int):
            return self._now + timedelta(seconds=value)
        found = self._at(value, self._input())
        if kind.by_seconds and isinstance(found, int | float) and is_number(found) and found >= 0:
            return self._now + timedelta(seconds=found)
        moment = timestamp(found)
        if kind.by_seconds or moment is None:
            raise StateFailed("States.Runtime", f"There is no time at {value.text}.")
        return moment

    def _call(self, task: Task) -> Execution:
        """Call the resource, for the first time or as a retry. Each attempt has a new token."""
        token = f"{self._execution.name}/{self._execution.number + 1}"
        try:
            given = self._filled(task.parameters, self._input(), token=token)
        except StateFailed as failure:
            if failure.error == "States.Runtime":
                raise
            return self._failed(failure, noted=True)
        self._note("TaskScheduled", resource=task.resource)
        called = Called(token, given, False, self._after(task.timeout), self._after(task.heartbeat))
        return replace(self._execution, phase=called)

    def _failed(self, failure: StateFailed, *, noted: bool = False) -> Execution:
        """Plan a retry of the task, or go on where its error is caught, or end the execution. With
        `noted`, the failure is not added to the history, because the resource did not fail: its
        input or result could not be computed."""
        task = _task(self._state)
        if not noted:
            type_ = "TaskTimedOut" if _is_timeout(failure.error) else "TaskFailed"
            self._note(type_, error=failure.error, cause=failure.cause)
        for number, retrier in enumerate(task.retriers):
            if _matches(retrier.errors, failure.error):
                counts = self._execution.retries or (0,) * len(task.retriers)
                if counts[number] >= retrier.attempts:
                    break
                pause = Waiting(self._now + _delay(retrier, counts[number]))
                counts = (*counts[:number], counts[number] + 1, *counts[number + 1 :])
                return replace(self._execution, phase=pause, retries=counts)
        for catcher in task.catchers:
            if _matches(catcher.errors, failure.error):
                caught: Json = {"Error": failure.error, "Cause": failure.cause}
                return self._gone(self._combined(catcher.result_path, caught), catcher.next)
        raise failure

    def _leave(self, output: Json, target: str | None) -> Execution:
        path = self._state.output_path
        return self._gone({} if path is None else self._at(path, output), target)

    def _gone(self, output: Json, target: str | None) -> Execution:
        """Leave the state. The execution is then about to enter the state `target`; if that is
        None, it has succeeded."""
        self._note(f"{self._state.type}StateExited", output=output)
        if target is not None:
            return replace(
                self._execution, state=target, data=output, phase=Ready(), entered_at=self._now
            )
        self.history.append(Happened("ExecutionSucceeded", None, {"output": output}))
        return replace(self._execution, status=Status.SUCCEEDED, data=output)

    def _input(self) -> Json:
        path = self._state.input_path
        return {} if path is None else self._at(path, self._execution.data)

    def _at(self, path: Path, data: Json) -> Json:
        try:
            return path.read(data, self._context())
        except PathMissing as missing:
            raise StateFailed("States.Runtime", f"The path {missing} was not found.") from missing

    def _filled(self, template: Template | None, data: Json, token: str | None = None) -> Json:
        return data if template is None else fill(template, data, self._context(token))

    def _combined(self, path: Path | None, result: Json) -> Json:
        data = self._execution.data
        return data if path is None else path.write(data, result)

    def _text(self, expression: Expression | None) -> str | None:
        if expression is None:
            return None
        try:
            value = evaluate(expression, self._execution.data, self._context())
        except PathMissing as missing:
            raise StateFailed("States.Runtime", f"The path {missing} was not found.") from missing
        if not isinstance(value, str):
            raise StateFailed("States.Runtime", "The error or the cause is not a string.")
        return value

    def _context(self, token: str | None = None) -> Json:
        """The context object, which `$$` paths read."""
        execution = self._execution
        found: dict[str, Json] = {
            "Execution": {
                "Id": f"{execution.machine}:{execution.name}",
                "Input": execution.input,
                "Name": execution.name,
                "StartTime": execution.started_at.isoformat(),
            },
            "State": {
                "Name": execution.state,
                "EnteredTime": execution.entered_at.isoformat(),
                "RetryCount": sum(execution.retries),
            },
            "StateMachine": {"Id": execution.machine, "Name": execution.machine},
        }
        task = self._state.kind
        if token is not None and isinstance(task, Task) and task.waits_for_token:
            found["Task"] = {"Token": token}
        return found

    def _after(self, seconds: int | None) -> datetime | None:
        return None if seconds is None else self._now + timedelta(seconds=seconds)

    def _note(self, type_: str, **details: Json) -> None:
        self.history.append(Happened(type_, self._state.name, details))


def _task(state: State) -> Task:
    if not isinstance(state.kind, Task):
        raise TypeError(f"{state.name} is a {state.type}, and the record is one of a task")
    return state.kind


def _is_timeout(error: str) -> bool:
    return error in {"States.Timeout", "States.HeartbeatTimeout"}


def _matches(errors: Sequence[str], error: str) -> bool:
    """Whether a retrier or catcher for these errors applies to this error. `States.Timeout`
    includes missed heartbeats, and `States.TaskFailed` everything but timeouts. `States.Runtime`,
    which is a fault in the definition or its data, is never retried or caught."""
    if error == "States.Runtime":
        return False
    if error in errors or "States.ALL" in errors:
        return True
    if _is_timeout(error):
        return "States.Timeout" in errors
    return "States.TaskFailed" in errors


def _delay(retrier: Retrier, retries: int) -> timedelta:
    seconds = retrier.interval * retrier.backoff**retries
    return timedelta(seconds=min(seconds, retrier.longest or seconds, 31_622_400))  # 366 days
