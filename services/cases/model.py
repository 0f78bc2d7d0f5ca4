"""What a report, a case and a decision are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

State = Literal["opened", "assigned", "working", "escalated", "closed", "failed"]
STATES: tuple[State, ...] = get_args(State)

Reason = Literal["spam", "abuse", "off-topic", "other"]

Action = Literal["remove-post", "lock-thread", "ban-author", "none"]


class Decision(NamedTuple):
    """What somebody has decided about a case. `resolved` is false if it is for the next tier."""

    resolved: bool
    action: Action
    note: str | None
    by: int
    at: datetime


class Event(NamedTuple):
    """A line of a case's history. `by` is None for what the workflow did by itself."""

    at: datetime
    state: State
    by: int | None
    note: str | None


class Case(NamedTuple):
    """The reports of a post, and what became of them.

    `reason` and `note` are those of the first report. `round` counts how often the case was put
    before somebody; `decision` is the latest one, of whichever round.
    """

    id: int
    post: int
    author: int
    thread: int
    state: State
    reason: Reason
    note: str | None
    reporters: Sequence[int]
    assignee: int | None
    tier: int
    round: int
    decision: Decision | None
    message: str
    created_at: datetime
    closed_at: datetime | None
    history: Sequence[Event]
