"""What cases look like in requests and responses."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, TypeAdapter

from kernel.http.fields import Id, Prose, Reason, RequestBody, Resource, Timestamp
from services.cases import model


class NewReport(RequestBody):
    """A report of a post."""

    post: Id
    reason: model.Reason
    note: Annotated[Prose, Field(max_length=model.LONGEST_NOTE)] | None = None


class NewDecision(RequestBody):
    """What a moderator decides. `action` is `none` if the case is not resolved, which puts it
    before the next tier. The author of the post reads `note` as the reason of the action."""

    resolved: bool
    action: model.Action
    note: Reason | None = None


class Outcome(Resource):
    """A decision, as those who reported the post see it."""

    resolved: bool
    action: model.Action
    note: str | None


class Decision(Outcome):
    """What was decided, by whom and when."""

    by: Id
    at: Timestamp


class Event(Resource):
    """What happened to a case. `by` is null for what happened by itself."""

    at: Timestamp
    state: model.State
    by: Id | None
    note: str | None


class Case(Resource):
    """A case, for moderators. `reason` and `note` are those of the first report; `reporters` has
    the 100 earliest and `history` the 100 latest events; `decision` is the latest. `author` wrote
    the post, in `thread`."""

    id: Id
    post: Id
    author: Id
    thread: Id
    state: model.State
    reason: model.Reason
    note: str | None
    reporters: list[Id]
    assignee: Id | None
    tier: int
    decision: Decision | None
    message: str
    created_at: Timestamp
    closed_at: Timestamp | None
    history: list[Event]


class Report(Resource):
    """A case, for those who reported its post. `decision` is null until the case is closed."""

    id: Id
    post: Id
    state: model.State
    decision: Outcome | None
    message: str
    created_at: Timestamp
    closed_at: Timestamp | None


class Counts(Resource):
    """The number of cases in each state."""

    opened: int
    assigned: int
    working: int
    escalated: int
    closed: int
    failed: int


_CASES = TypeAdapter(list[Case])
_REPORTS = TypeAdapter(list[Report])


def one(case: model.Case, moderates: bool) -> bytes:
    """A case as JSON, as moderators or others see it."""
    shown = Case.model_validate(case) if moderates else _report(case)
    return shown.model_dump_json().encode()


def many(cases: Sequence[model.Case], moderates: bool) -> bytes:
    """Cases as a JSON array, as moderators or others see them."""
    if moderates:
        return _CASES.dump_json([Case.model_validate(case) for case in cases])
    return _REPORTS.dump_json([_report(case) for case in cases])


def _report(case: model.Case) -> Report:
    if case.state != "closed":
        case = case._replace(decision=None)
    return Report.model_validate(case)
