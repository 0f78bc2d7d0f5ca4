"""The rules for decisions about other users, without a database."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.contracts import Actor, Role
from kernel.errors import Conflict, Failure, Forbidden, Invalid, NotFound
from kernel.moderation.log import Act
from services.users import tokens
from services.users.model import Ban, Standing, User
from services.users.moderation import Moderation
from tests.unit.fakes import NOON, FakeUsers, noon
from tests.unit.users.fakes import FakeUserStore

KETTLES = Ban("Sold kettles.", None)
ACTORS = {
    "member": Actor(1, "member"),
    "moderator": Actor(2, "moderator"),
    "admin": Actor(3, "admin"),
}


def standing(number: int, role: Role, other_admins: int = 0) -> Standing:
    """A user with this role."""
    user = User(number, f"user-{number}", "User", "", None, role, NOON)
    return Standing(user, "(a hash)", None, other_admins)


PEOPLE = [standing(actor.id, actor.role) for actor in ACTORS.values()]


def moderating(*others: Standing) -> tuple[Moderation, FakeUserStore]:
    """The rules on a store with one user of each role, and others."""
    store = FakeUserStore(*PEOPLE, *others)
    return Moderation(store, FakeUsers(**ACTORS), noon), store


Decision = Callable[[Moderation, str, int], Awaitable[object]]

DECISIONS: dict[str, Decision] = {
    "role": lambda moderation, token, user: moderation.set_role(token, user, "moderator"),
    "ban": lambda moderation, token, user: moderation.ban(token, user, KETTLES),
    "lift": lambda moderation, token, user: moderation.lift_ban(token, user),
    "link": lambda moderation, token, user: moderation.issue_reset(token, user),
}


@pytest.mark.parametrize(
    ("name", "token", "user"),
    [
        *((name, "member", 9) for name in DECISIONS),
        ("role", "moderator", 9),
        ("link", "moderator", 9),
        ("ban", "moderator", 2),
        ("ban", "moderator", 3),
        ("ban", "admin", 3),
        ("lift", "moderator", 2),
    ],
)
async def test_decision_needs_a_higher_role(name: str, token: str, user: int) -> None:
    moderation, store = moderating(standing(9, "member"))
    before = dict(store.standings)
    with pytest.raises(Forbidden):
        await DECISIONS[name](moderation, token, user)
    assert (store.standings, store.links, store.acts) == (before, {}, [])


@pytest.mark.parametrize("name", ["ban", "lift"])
@pytest.mark.parametrize("role", ["moderator", "admin"])
async def test_nobody_bans_another_of_the_same_role(name: str, role: Role) -> None:
    moderation, store = moderating(standing(9, role))
    before = dict(store.standings)
    with pytest.raises(Forbidden, match="lower role"):
        await DECISIONS[name](moderation, role, 9)
    assert store.standings == before


@pytest.mark.parametrize("name", DECISIONS)
async def test_decision_about_a_missing_user_is_not_found(name: str) -> None:
    moderation, _ = moderating()
    with pytest.raises(NotFound):
        await DECISIONS[name](moderation, "admin", 999)


@pytest.mark.parametrize("name", DECISIONS)
async def test_decision_about_a_deleted_user_is_a_conflict(name: str) -> None:
    moderation, _ = moderating(replace(standing(9, "member"), password_hash=None))
    with pytest.raises(Conflict):
        await DECISIONS[name](moderation, "admin", 9)


async def test_ban_is_stored_and_lifted() -> None:
    moderation, store = moderating(standing(9, "member"))
    await moderation.ban("moderator", 9, KETTLES)
    assert store.standings[9].ban == KETTLES
    await moderation.lift_ban("moderator", 9)
    assert store.standings[9].ban is None


@pytest.mark.parametrize(("milliseconds", "failure"), [(0, Invalid), (-1, Invalid), (1, None)])
async def test_ban_must_end_in_the_future(milliseconds: int, failure: type[Failure] | None) -> None:
    moderation, store = moderating(standing(9, "member"))
    ban = Ban("Sold kettles.", NOON + timedelta(milliseconds=milliseconds))
    if failure is None:
        await moderation.ban("moderator", 9, ban)
    else:
        with pytest.raises(failure):
            await moderation.ban("moderator", 9, ban)
    assert store.standings[9].ban == (ban if failure is None else None)


async def test_last_admin_keeps_the_role() -> None:
    moderation, store = moderating()
    with pytest.raises(Conflict, match="last admin"):
        await moderation.set_role("admin", ACTORS["admin"].id, "member")
    assert store.standings[ACTORS["admin"].id].user.role == "admin"


async def test_banned_user_gets_no_rights() -> None:
    moderation, _ = moderating(replace(standing(9, "member"), ban=KETTLES))
    with pytest.raises(Conflict, match="banned"):
        await moderation.set_role("admin", 9, "moderator")


async def test_reset_link_is_stored_as_a_hash_for_its_user() -> None:
    moderation, store = moderating(standing(9, "member"))
    link = await moderation.issue_reset("admin", 9)
    assert store.links == {tokens.hashed(link.token): 9}
    assert link.expires_at == NOON + timedelta(hours=24)


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("role", Act("make-moderator", 3, 9, 9)),
        ("ban", Act("ban-user", 3, 9, 9, "Sold kettles.")),
        ("link", Act("issue-reset-link", 3, 9, 9)),
    ],
)
async def test_decision_is_recorded(name: str, act: Act) -> None:
    moderation, store = moderating(standing(9, "member"))
    await DECISIONS[name](moderation, "admin", 9)
    assert store.acts == [act]


async def test_decision_that_changes_nothing_is_not_recorded() -> None:
    moderation, store = moderating(standing(9, "member"))
    await moderation.lift_ban("moderator", 9)
    await moderation.set_role("admin", 9, "member")
    assert store.acts == []


async def test_lifted_ban_is_recorded() -> None:
    moderation, store = moderating(replace(standing(9, "member"), ban=KETTLES))
    await moderation.lift_ban("moderator", 9)
    assert store.acts == [Act("lift-ban", 2, 9, 9)]


async def test_moderators_are_listed_without_those_who_are_banned() -> None:
    moderation, _ = moderating(replace(standing(9, "moderator"), ban=KETTLES))
    assert [each.id for each in await moderation.moderators()] == [2, 3]


async def test_ban_of_a_case_is_carried_out_once() -> None:
    moderation, store = moderating(standing(9, "member"))
    bans: list[Ban | None] = []
    for _ in range(2):
        await moderation.ban_user(9, 2, "Sold kettles.", "case-1")
        bans.append(store.standings[9].ban)
        store.standings[9] = replace(store.standings[9], ban=None)
    assert bans == [KETTLES, None]
    assert [act.key for act in store.acts] == ["case-1"]


@pytest.mark.parametrize(("user", "moderator"), [(3, 2), (2, 2), (9, 1), (9, 999)])
async def test_ban_of_a_case_needs_a_moderator_of_a_higher_role(user: int, moderator: int) -> None:
    moderation, store = moderating(standing(9, "member"))
    with pytest.raises(Conflict):
        await moderation.ban_user(user, moderator, "Sold kettles.", "case-1")
    assert store.standings[user].ban is None


async def test_ban_of_a_case_about_a_missing_user_is_not_found() -> None:
    moderation, _ = moderating()
    with pytest.raises(NotFound):
        await moderation.ban_user(999, 2, "Sold kettles.", "case-1")
