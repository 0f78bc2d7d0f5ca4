"""Small machines for the tests of one rule."""

from datetime import UTC, datetime, timedelta

from workflow.definition import load
from workflow.record import Execution
from workflow.states import Machine
from workflow.transition import Event, Proceed, Transition, advance, start
from workflow.values import Json

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def one(**state: Json) -> Machine:
    """A machine with one state, `It`, and a `Caught` one for errors, if it is named."""
    states: dict[str, Json] = {"It": state}
    if "Caught" in str(state):
        states["Caught"] = {"Type": "Succeed"}
    return load({"StartAt": "It", "States": states})


def task(**fields: Json) -> Machine:
    """A machine with one task that ends it."""
    return one(Type="Task", Resource="arn:aws:lambda:::function:f", End=True, **fields)


def passing(**fields: Json) -> Machine:
    """A machine with one Pass that ends it."""
    return one(Type="Pass", End=True, **fields)


def begun(machine: Machine, data: Json) -> Execution:
    """An execution in its first state."""
    started = start(machine, "machine", "name", data, NOW)
    return advance(machine, started.execution, Proceed(), NOW).execution


def after(machine: Machine, execution: Execution, event: Event, seconds: float = 0) -> Transition:
    """The transition at some seconds after `NOW`."""
    return advance(machine, execution, event, NOW + timedelta(seconds=seconds))
