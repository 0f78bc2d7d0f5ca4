"""What cases look like in requests and responses."""

from collections.abc import Sequence

from fastapi import Response
from pydantic import TypeAdapter

from kernel.http.fields import Id, Resource, Timestamp
from services.cases import model


class Outcome(Resource):
    """What was decided, as those who reported the post see it."""

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
    """A case, for moderators. `reason` and `note` are those of the first report; `reporters` has at
    most 100; `decision` is the latest."""

    id: Id
    post: Id
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


def personal(body: bytes, status: int = 200) -> Response:
    """A response of JSON for one person: no cache may store it."""
    headers = {"Cache-Control": "private, no-store"}
    return Response(body, status, headers, "application/json")


def _report(case: model.Case) -> Report:
    if case.state != "closed":
        case = case._replace(decision=None)
    return Report.model_validate(case)
