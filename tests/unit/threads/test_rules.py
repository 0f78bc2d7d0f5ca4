"""Who may change and remove a thread, and until when."""

from datetime import UTC, datetime, timedelta

import pytest

from kernel.contracts import Actor, Role
from kernel.errors import Forbidden
from services.threads.model import Thread

STARTED = datetime(2026, 11, 23, 8, 3, tzinfo=UTC)
ALICE, BOB = Actor(1, "member"), Actor(2, "member")
THREAD = Thread(
    id=1, title="Bread", created_by=ALICE.id, created_at=STARTED, edited_at=None, version=1,
    post_count=0, posts_by_others=0, last_post_at=None, last_post_by=None, locked=False,
    pinned=False,
)  # fmt: skip
DAY = timedelta(hours=24)
MOMENT = timedelta(milliseconds=1)


def test_author_of_a_thread_may_change_its_title_for_a_day() -> None:
    THREAD.check_editable(ALICE, STARTED)
    THREAD.check_editable(ALICE, STARTED + DAY)
    with pytest.raises(Forbidden, match="for a day"):
        THREAD.check_editable(ALICE, STARTED + DAY + MOMENT)


@pytest.mark.parametrize("role", ["moderator", "admin"])
def test_moderators_may_always_change_and_remove_any_thread(role: Role) -> None:
    theirs = THREAD._replace(posts_by_others=5)
    moderator = Actor(BOB.id, role)
    theirs.check_editable(moderator, STARTED + 1000 * DAY)
    theirs.check_removable(moderator)


def test_other_members_may_not_change_or_remove_a_thread() -> None:
    with pytest.raises(Forbidden):
        THREAD.check_editable(BOB, STARTED)
    with pytest.raises(Forbidden):
        THREAD.check_removable(BOB)


def test_author_of_a_thread_may_remove_it_while_nobody_else_has_posted() -> None:
    THREAD._replace(post_count=3).check_removable(ALICE)
    with pytest.raises(Forbidden, match="Others have posted"):
        THREAD._replace(post_count=1, posts_by_others=1).check_removable(ALICE)
