"""Reads a state machine. Refuses everything that the interpreter does not support, and names it.

Supported: JSONPath; Task (`.waitForTaskToken` too), Choice, Pass, Wait, Succeed, Fail; InputPath,
OutputPath, ResultPath, Parameters, ResultSelector; Retry, Catch, TimeoutSeconds, HeartbeatSeconds.
The specification is https://states-language.net/spec.html.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from workflow.choices import parse_rule
from workflow.intrinsics import Expression, Literal, parse_expression
from workflow.paths import Path, parse_path, parse_reference
from workflow.states import (
    Catcher,
    Choice,
    Fail,
    Kind,
    Machine,
    Pass,
    Retrier,
    State,
    Succeed,
    Task,
    Wait,
)
from workflow.templates import Template, parse_template
from workflow.values import Json, is_number, timestamp

CALLBACK: Final = "waitForTaskToken"
"""The integration pattern of a task that somebody completes with its token."""

_LONGEST_SECONDS: Final = 99_999_999
_WHOLE: Final = parse_path("$")
_MACHINE_FIELDS: Final = {"Comment", "QueryLanguage", "StartAt", "States", "Version"}
_EVERY_STATE: Final = {"Type", "Comment", "QueryLanguage"}
_GOES_ON: Final = {"InputPath", "OutputPath", "Next", "End"}
_FIELDS: Final[Mapping[str, set[str]]] = {
    "Pass": _GOES_ON | {"Parameters", "Result", "ResultPath"},
    "Task": _GOES_ON
    | {"Resource", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
    | {"TimeoutSeconds", "HeartbeatSeconds"},
    "Choice": {"InputPath", "OutputPath", "Choices", "Default"},
    "Wait": _GOES_ON | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Succeed": {"InputPath", "OutputPath"},
    "Fail": {"Error", "ErrorPath", "Cause", "CausePath"},
}
_RETRIER_FIELDS: Final = {
    *("Comment", "ErrorEquals", "IntervalSeconds", "MaxAttempts"),
    *("BackoffRate", "MaxDelaySeconds", "JitterStrategy"),
}
_CATCHER_FIELDS: Final = {"Comment", "ErrorEquals", "Next", "ResultPath"}
_RESERVED: Final = {
    *("States.ALL", "States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout"),
    *("States.Permissions", "States.ResultPathMatchFailure", "States.ParameterPathFailure"),
    *("States.IntrinsicFailure", "States.NoChoiceMatched", "States.Runtime"),
    *("States.BranchFailed", "States.DataLimitExceeded", "States.ExceedToleratedFailureThreshold"),
    *("States.ItemReaderFailed", "States.ResultWriterFailed", "States.QueryEvaluationError"),
}

_T = TypeVar("_T")


class DefinitionRefused(Exception):
    """A state machine that is wrong or not supported. Its text names the state and the field."""


def load(document: Json) -> Machine:
    """The machine that a JSON document defines. Raises `DefinitionRefused`."""
    top = _object(document, "the state machine")
    _only(top, _MACHINE_FIELDS, "the state machine")
    _json_path_only(top, "the state machine")
    if top.get("Version", "1.0") != "1.0":
        raise DefinitionRefused("the state machine: Version is not 1.0")
    found = _object(top.get("States"), "States")
    states = {name: _Reader(name, _object(state, name)).state() for name, state in found.items()}
    start = top.get("StartAt")
    if not isinstance(start, str):
        raise DefinitionRefused("the state machine: StartAt is missing")
    machine = Machine(start, states, top)
    _check_transitions(machine)
    return machine


def _check_transitions(machine: Machine) -> None:
    reached: set[str] = set()
    pending = [(machine.start_at, "StartAt")]
    while pending:
        name, origin = pending.pop()
        if name not in machine.states:
            raise DefinitionRefused(f"{origin}: there is no state {name!r}")
        if name not in reached:
            reached.add(name)
            pending += [(target, name) for target in machine.states[name].targets]
    for name in machine.states:
        if name not in reached:
            raise DefinitionRefused(f"{name}: no state leads there")


@dataclass(frozen=True, slots=True)
class _Reader:
    """One state of the document."""

    name: str
    fields: Mapping[str, Json]

    def state(self) -> State:
        kind = self.fields.get("Type")
        if not isinstance(kind, str) or kind not in _FIELDS:
            raise DefinitionRefused(f"{self.name}: the type {kind} is not supported")
        _only(self.fields, _EVERY_STATE | _FIELDS[kind], self.name)
        _json_path_only(self.fields, self.name)
        read: Mapping[str, Callable[[], Kind]] = {
            "Pass": self._pass,
            "Task": self._task,
            "Choice": self._choice,
            "Wait": self._wait,
            "Succeed": Succeed,
            "Fail": self._fail,
        }
        return State(
            self.name,
            self.optional_path("InputPath", parse_path, _WHOLE),
            self.optional_path("OutputPath", parse_path, _WHOLE),
            read[kind](),
        )

    def _pass(self) -> Pass:
        result = Literal(self.fields["Result"]) if "Result" in self.fields else None
        return Pass(
            self._template("Parameters"),
            result,
            self.optional_path("ResultPath", parse_reference, _WHOLE),
            self._next(),
        )

    def _task(self) -> Task:
        resource = self.fields.get("Resource")
        if not isinstance(resource, str):
            raise DefinitionRefused(f"{self.name}: Resource is missing")
        _, dot, pattern = resource.rpartition(":")[2].partition(".")
        if dot and pattern != CALLBACK:
            raise DefinitionRefused(f"{self.name}: the pattern .{pattern} is not supported")
        heartbeat = self.whole_number("HeartbeatSeconds", 1)
        timeout = self.whole_number("TimeoutSeconds", 1)
        if heartbeat is not None and timeout is not None and heartbeat >= timeout:
            raise DefinitionRefused(f"{self.name}: HeartbeatSeconds is not below TimeoutSeconds")
        return Task(
            resource,
            pattern == CALLBACK,
            self._template("Parameters"),
            self._template("ResultSelector"),
            self.optional_path("ResultPath", parse_reference, _WHOLE),
            timeout,
            heartbeat,
            tuple(self._retrier(one) for one in self._rules("Retry")),
            tuple(self._catcher(one) for one in self._rules("Catch")),
            self._next(),
        )

    def _choice(self) -> Choice:
        found = self.fields.get("Choices")
        if not isinstance(found, list) or not found:
            raise DefinitionRefused(f"{self.name}: Choices is empty")
        default = self.fields.get("Default")
        if default is not None and not isinstance(default, str):
            raise DefinitionRefused(f"{self.name}: Default is not the name of a state")
        rules = []
        for one in found:
            fields = dict(_object(one, self.name))
            target = fields.pop("Next", None)
            if not isinstance(target, str):
                raise DefinitionRefused(f"{self.name}: a choice has no Next")
            rules.append((self._parsed("Choices", parse_rule, fields), target))
        return Choice(tuple(rules), default)

    def _wait(self) -> Wait:
        given = [name for name in _FIELDS["Wait"] - _GOES_ON if name in self.fields]
        if len(given) != 1:
            raise DefinitionRefused(f"{self.name}: a Wait has one of Seconds, SecondsPath, ...")
        (name,) = given
        value = self.fields[name]
        by_seconds = name.startswith("Seconds")
        if name.endswith("Path"):
            return Wait(self._path(name), by_seconds, self._next())
        if by_seconds:
            seconds = self.whole_number(name, 0)
            if seconds is not None:
                return Wait(seconds, by_seconds, self._next())
        moment = timestamp(value)
        if moment is None:
            raise DefinitionRefused(f"{self.name}: {name} is not a timestamp")
        return Wait(moment, by_seconds, self._next())

    def _fail(self) -> Fail:
        return Fail(self._text_or_path("Error"), self._text_or_path("Cause"))

    def _text_or_path(self, name: str) -> Expression | None:
        path, text = self.fields.get(f"{name}Path"), self.fields.get(name)
        if path is not None and text is not None:
            raise DefinitionRefused(f"{self.name}: {name} and {name}Path exclude each other")
        for value in (path, text):
            if value is not None and not isinstance(value, str):
                raise DefinitionRefused(f"{self.name}: {name} is not a string")
        if isinstance(path, str):
            return self._parsed(f"{name}Path", parse_expression, path)
        return None if text is None else Literal(text)

    def _next(self) -> str | None:
        target, end = self.fields.get("Next"), self.fields.get("End", False)
        if end not in {True, False} or (target is None) is not end:
            raise DefinitionRefused(f"{self.name}: it needs either Next or End")
        if target is not None and not isinstance(target, str):
            raise DefinitionRefused(f"{self.name}: Next is not the name of a state")
        return target

    def _rules(self, name: str) -> list[Mapping[str, Json]]:
        """The objects of Retry or Catch; `States.ALL` must be alone, in the last of them."""
        found = self.fields.get(name, [])
        if not isinstance(found, list):
            raise DefinitionRefused(f"{self.name}: {name} is not a list")
        rules = [_object(one, f"{self.name}: {name}") for one in found]
        for number, rule in enumerate(rules, 1):
            errors = self._errors(rule)
            if "States.ALL" in errors and (len(errors) > 1 or number < len(rules)):
                raise DefinitionRefused(f"{self.name}: States.ALL is not alone or not the last")
        return rules

    def _errors(self, rule: Mapping[str, Json]) -> tuple[str, ...]:
        found = rule.get("ErrorEquals")
        if not isinstance(found, list) or not found:
            raise DefinitionRefused(f"{self.name}: ErrorEquals is empty")
        errors = [one for one in found if isinstance(one, str)]
        unknown = [one for one in errors if one.startswith("States.") and one not in _RESERVED]
        if len(errors) != len(found) or unknown:
            raise DefinitionRefused(f"{self.name}: ErrorEquals has unknown names: {unknown}")
        return tuple(errors)

    def _retrier(self, rule: Mapping[str, Json]) -> Retrier:
        _only(rule, _RETRIER_FIELDS, f"{self.name}: Retry")
        if rule.get("JitterStrategy", "NONE") != "NONE":
            raise DefinitionRefused(f"{self.name}: JitterStrategy is not supported")
        backoff = rule.get("BackoffRate", 2.0)
        if not isinstance(backoff, int | float) or not is_number(backoff) or backoff < 1:
            raise DefinitionRefused(f"{self.name}: BackoffRate is not a number from 1 on")
        numbers = _Reader(self.name, rule)
        interval = numbers.whole_number("IntervalSeconds", 1)
        attempts = numbers.whole_number("MaxAttempts", 0)
        return Retrier(
            self._errors(rule),
            1 if interval is None else interval,
            3 if attempts is None else attempts,
            float(backoff),
            numbers.whole_number("MaxDelaySeconds", 1),
        )

    def _catcher(self, rule: Mapping[str, Json]) -> Catcher:
        _only(rule, _CATCHER_FIELDS, f"{self.name}: Catch")
        target = rule.get("Next")
        if not isinstance(target, str):
            raise DefinitionRefused(f"{self.name}: a Catch has no Next")
        path = _Reader(self.name, rule).optional_path("ResultPath", parse_reference, _WHOLE)
        return Catcher(self._errors(rule), target, path)

    def _template(self, name: str) -> Template | None:
        if name not in self.fields:
            return None
        return self._parsed(name, parse_template, self.fields[name])

    def _path(self, name: str) -> Path:
        value = self.fields[name]
        if not isinstance(value, str):
            raise DefinitionRefused(f"{self.name}: {name} is not a path")
        return self._parsed(name, parse_path, value)

    def optional_path(
        self, name: str, parse: Callable[[str], Path], default: Path | None
    ) -> Path | None:
        """The path of a field that may be missing, or `null`: None."""
        value = self.fields.get(name, default.text if default else None)
        if value is None:
            return None
        if not isinstance(value, str):
            raise DefinitionRefused(f"{self.name}: {name} is not a path")
        return self._parsed(name, parse, value)

    def whole_number(self, name: str, least: int) -> int | None:
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise DefinitionRefused(f"{self.name}: {name} is not a whole number")
        if not least <= value <= _LONGEST_SECONDS:
            raise DefinitionRefused(f"{self.name}: {name} is not {least} to {_LONGEST_SECONDS}")
        return value

    def _parsed(self, name: str, parse: Callable[..., _T], value: Json | Mapping[str, Json]) -> _T:
        try:
            return parse(value)
        except ValueError as error:
            raise DefinitionRefused(f"{self.name}: {name}: {error}") from error


def _object(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise DefinitionRefused(f"{what} is not an object")
    return value


def _only(fields: Mapping[str, Json], allowed: set[str], what: str) -> None:
    for name in fields:
        if name not in allowed:
            raise DefinitionRefused(f"{what}: {name} is not supported")


def _json_path_only(fields: Mapping[str, Json], what: str) -> None:
    language = fields.get("QueryLanguage", "JSONPath")
    if language != "JSONPath":
        raise DefinitionRefused(f"{what}: the QueryLanguage {language} is not supported")
