"""What the workflow's tasks do, without a database."""

import pytest

from kernel.errors import Conflict, NotFound, Unavailable
from services.cases.model import Case, Choice, State
from services.cases.tasks import Tasks
from services.cases.workflow import Outcome
from tests.unit.cases.fakes import (
    ADMIN,
    AUTHOR,
    MODERATOR,
    OPEN,
    POST,
    THREAD,
    FakeModeration,
    FakeTaskStore,
    decided,
)
from tests.unit.fakes import noon

RESOLVED = Choice(True, "none", None)
UNRESOLVED = Choice(False, "none", None)
NEW = OPEN._replace(state="opened", message="", assignee=None)


def tasks(
    case: Case, moderation: FakeModeration | None = None
) -> tuple[Tasks, FakeTaskStore, FakeModeration]:
    """The tasks on a store with this case, on a board with a moderator and an admin."""
    board = moderation or FakeModeration(
        **{f"u{MODERATOR}": "moderator", f"u{ADMIN}": "admin"}  # type: ignore[arg-type]  # roles
    )
    store = FakeTaskStore(case)
    return Tasks(store, board, board, board, noon), store, board


async def test_message_grows_with_each_step_and_not_with_a_repeated_one() -> None:
    made, store, _ = tasks(NEW)
    opened = [await made.open(7, "open") for _ in range(2)]
    assigned = [await made.assign(7, "assign") for _ in range(2)]
    assert opened == ["Case 007: opened..."] * 2
    assert assigned == ["Case 007: opened...assigned..."] * 2
    assert [step.state for step in store.steps] == ["opened", "assigned"]


@pytest.mark.parametrize(
    ("roles", "author", "candidates"),
    [
        ({12: "moderator", 13: "admin"}, AUTHOR, [12]),
        ({12: "moderator", 13: "admin", 14: "moderator"}, 12, [14]),
        ({12: "moderator", 13: "admin"}, 12, [13]),
        ({13: "admin"}, AUTHOR, [13]),
        ({13: "admin"}, 13, []),
        ({}, AUTHOR, []),
    ],
)
async def test_case_is_assigned_to_moderators_but_not_to_the_author(
    roles: dict[int, str], author: int, candidates: list[int]
) -> None:
    board = FakeModeration(**{f"u{user}": role for user, role in roles.items()})  # type: ignore[arg-type]  # roles
    made, store, _ = tasks(NEW._replace(author=author), board)
    await made.assign(7, "assign")
    assert store.candidates == candidates


async def test_escalation_is_assigned_to_admins() -> None:
    made, store, _ = tasks(decided(UNRESOLVED))
    assert (await made.escalate(7, "escalate")).endswith("escalating.")
    assert store.candidates == [ADMIN]


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (OPEN, None),
        (decided(RESOLVED), Outcome(True, OPEN.message)),
        (decided(UNRESOLVED), Outcome(False, OPEN.message)),
        (decided(UNRESOLVED)._replace(round=2), None),
        (OPEN._replace(state="closed"), Outcome(True, OPEN.message)),
        (OPEN._replace(state="failed"), Outcome(False, OPEN.message)),
    ],
)
async def test_work_waits_until_somebody_has_decided_in_this_round(
    case: Case, outcome: Outcome | None
) -> None:
    made, _, _ = tasks(case)
    assert await made.work(7, "work") == outcome


@pytest.mark.parametrize(
    ("action", "target"),
    [("remove-post", POST), ("lock-thread", THREAD), ("ban-author", AUTHOR)],
)
async def test_decision_is_carried_out_once_in_the_moderators_name(
    action: str, target: int
) -> None:
    made, store, board = tasks(decided(Choice(True, action, "Advertising")))  # type: ignore[arg-type]  # an action
    messages = [await made.close(7, "close") for _ in range(3)]
    assert board.acts == [(action, target, MODERATOR, "Advertising", "case-7")]
    assert all(message.endswith("closed.") for message in messages)
    assert [step.state for step in store.steps] == ["closed"]


async def test_act_without_a_note_has_the_reason_of_the_report() -> None:
    made, _, board = tasks(decided(Choice(True, "remove-post", None)))
    await made.close(7, "close")
    assert board.acts[0][3] == "Reported: spam"


async def test_case_without_action_is_closed_and_nothing_is_done() -> None:
    made, store, board = tasks(decided(RESOLVED))
    await made.close(7, "close")
    assert (board.acts, store.case.state) == ([], "closed")


async def test_step_that_cannot_be_carried_out_leaves_the_case_open() -> None:
    made, store, board = tasks(decided(Choice(True, "ban-author", None)))
    for failure in (Unavailable("Users is down."), Conflict("They outrank you.")):
        board.failure = failure
        with pytest.raises(type(failure)):
            await made.close(7, "close")
        assert (store.steps, store.case.state) == ([], "working")
    board.failure = None
    await made.close(7, "close")
    assert store.case.state == "closed"


async def test_what_is_gone_already_closes_the_case_with_a_note() -> None:
    made, store, board = tasks(decided(Choice(True, "lock-thread", None)))
    board.failure = NotFound("There is no such thread.")
    await made.close(7, "close")
    assert (store.case.state, store.steps[0].note) == ("closed", "There was nothing left to do.")


@pytest.mark.parametrize("case", [OPEN, decided(UNRESOLVED)])
async def test_unresolved_case_is_not_closed(case: Case) -> None:
    made, store, _ = tasks(case)
    with pytest.raises(ValueError, match="Case 7 is not resolved"):
        await made.close(7, "close")
    assert store.steps == []


async def test_failure_shows_on_the_case_once_and_not_on_one_that_has_ended() -> None:
    made, store, _ = tasks(OPEN)
    for step in ("one", "two"):
        await made.fail(7, step, "States.TaskFailed", "x" * 1_000)
    [failed] = store.steps
    assert (store.case.state, len(failed.note or "")) == ("failed", 500)
    ended: State = "closed"
    made, store, _ = tasks(OPEN._replace(state=ended))
    await made.fail(7, "one", "States.TaskFailed", "")
    assert (store.case.state, store.steps) == (ended, [])
