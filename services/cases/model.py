"""Reports, cases and decisions, and their rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple, get_args

from kernel.contracts import Actor, Role
from kernel.errors import Conflict, FieldError, Forbidden, Invalid
from kernel.moderation.log import Act

State = Literal["opened", "assigned", "working", "escalated", "closed", "failed"]
STATES: Final[tuple[State, ...]] = get_args(State)
ENDED: Final[frozenset[State]] = frozenset({"closed", "failed"})
"""The states in which nothing more happens to a case."""

Reason = Literal["spam", "abuse", "off-topic", "other"]

Action = Literal["remove-post", "lock-thread", "ban-author", "none"]

LONGEST_NOTE: Final = 1_000
"""Characters of the note of a report."""

_RANKS: Final[Mapping[Role, int]] = {"member": 0, "moderator": 1, "admin": 2}


class NewReport(NamedTuple):
    """A report that is about to be stored, of a post by `author` in `thread`."""

    post: int
    author: int
    thread: int
    reporter: int
    reason: Reason
    note: str | None


class Choice(NamedTuple):
    """What a moderator decides. If the case is not resolved, it is put before the next tier."""

    resolved: bool
    action: Action
    note: str | None

    def check(self) -> None:
        """Raises `Invalid` for an action without a resolution."""
        if not self.resolved and self.action != "none":
            raise Invalid(FieldError("/action", "A case that is not resolved has no action yet."))


class Decision(NamedTuple):
    """A decision about a case."""

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


class Step(NamedTuple):
    """One entry into a state of a case's workflow. It is written once, however often it is
    repeated. `words` are added to the case's message."""

    key: str
    state: State
    words: str
    note: str | None = None


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
    decided_round: int
    message: str
    created_at: datetime
    closed_at: datetime | None
    history: Sequence[Event]

    @property
    def answer(self) -> Decision | None:
        """The decision of the present round, or None while nobody has decided."""
        return self.decision if self.decided_round == self.round else None

    def act(self, moderator: int, choice: Choice) -> Act:
        """The act of deciding this case."""
        name = "resolve-case" if choice.resolved else "escalate-case"
        return Act(name, moderator, self.id, self.author, choice.note)

    def check_may_decide(self, actor: Actor) -> None:
        """Raises `Forbidden` unless the actor may decide this case."""
        if not actor.moderates:
            raise Forbidden("This is for moderators.")
        if self.tier > 1 and actor.role != "admin":
            raise Forbidden("This case has been escalated: only admins decide it.")
        if actor.id == self.author:
            raise Forbidden("Nobody decides a case about their own post.")

    def check_undecided(self) -> None:
        """Raises `Conflict` when the case has ended, or somebody has decided."""
        if self.state in ENDED:
            raise Conflict(f"This case is {self.state}.")
        if self.answer is not None:
            raise Conflict("This case has been decided.")


def check_may_ban(actor: Actor, author: Role) -> None:
    """Raises `Forbidden` unless the actor has a higher role than the author of the post."""
    if _RANKS[actor.role] <= _RANKS[author]:
        raise Forbidden("Only people of a lower role can be banned.")


def opening(case: int) -> str:
    """The beginning of a case's message; each step adds its words."""
    return f"Case {case:03}: opened..."
