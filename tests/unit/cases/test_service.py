"""The rules of reporting and deciding, without a database."""

import pytest

from kernel.contracts import Actor, ReportedPost
from kernel.errors import (
    Conflict,
    Failure,
    Forbidden,
    Invalid,
    NotFound,
    Policy,
    Stale,
    Unauthenticated,
)
from services.cases.model import STATES, Case, Choice, NewReport, State
from services.cases.service import CaseService, ReportWrite
from tests.unit.cases.fakes import (
    ADMIN,
    AUTHOR,
    MODERATOR,
    OPEN,
    POST,
    REPORTER,
    THREAD,
    FakeCaseStore,
    FakeModeration,
    FakeWorkflow,
    decided,
)
from tests.unit.fakes import FakeUsers, noon

ACTORS = {
    "author": Actor(AUTHOR, "member"),
    "reporter": Actor(REPORTER, "member"),
    "member": Actor(14, "member"),
    "moderator": Actor(MODERATOR, "moderator"),
    "admin": Actor(ADMIN, "admin"),
}
SEEN = ReportedPost(POST, THREAD, AUTHOR, "Kettles", removed=False, removed_by_author=False)
NOTHING = Choice(True, "none", None)


def rules(case: Case | None = None, **roles: object) -> tuple[CaseService, FakeCaseStore]:
    """The rules on a store with this case; `roles` are those of moderators, by `u` and their id."""
    gone = ReportedPost(POST + 1, THREAD, AUTHOR, "", removed=True, removed_by_author=True)
    moderation = FakeModeration(SEEN, gone, **roles)  # type: ignore[arg-type]  # roles, by name
    store = FakeCaseStore(case)
    users, policy = FakeUsers(**ACTORS), Policy("report", 20, 86_400)
    service = CaseService(store, users, moderation, moderation, FakeWorkflow(), noon, policy)
    return service, store


async def decide(service: CaseService, token: str, choice: Choice = NOTHING) -> Case:
    """Decide the case that is there."""
    return await service.decide(token, OPEN.id, choice, lambda _: None)


async def test_report_has_the_author_and_the_thread_of_its_post() -> None:
    service, store = rules()
    case, is_new = await service.report(
        "reporter", POST, "spam", "Look.", ReportWrite.without_key()
    )
    assert (case, is_new) == (OPEN, True)
    assert store.reports == [NewReport(POST, AUTHOR, THREAD, REPORTER, "spam", "Look.")]


@pytest.mark.parametrize(
    ("token", "post", "failure"),
    [
        ("author", POST, Forbidden),
        ("reporter", POST + 1, NotFound),
        ("reporter", POST + 2, NotFound),
        ("stranger", POST, Unauthenticated),
    ],
)
async def test_posts_that_cannot_be_reported_are_refused(
    token: str, post: int, failure: type[Failure]
) -> None:
    service, store = rules()
    with pytest.raises(failure):
        await service.report(token, post, "spam", None, ReportWrite.without_key())
    assert store.reports == []


@pytest.mark.parametrize("token", ["author", "member"])
async def test_case_is_hidden_from_those_who_did_not_report(token: str) -> None:
    service, _ = rules(OPEN)
    with pytest.raises(NotFound):
        await service.show(token, OPEN.id)
    assert (await service.list(token, None, 20, None))[1].items == []


async def test_reporters_and_moderators_see_the_case() -> None:
    service, _ = rules(OPEN)
    for token, moderates in (("reporter", False), ("moderator", True), ("admin", True)):
        assert await service.show(token, OPEN.id) == (moderates, OPEN)
        found, page = await service.list(token, "working", 20, None)
        assert (found, page.items) == (moderates, [OPEN])
        assert (await service.list(token, "closed", 20, None))[1].items == []


async def test_counts_are_for_moderators() -> None:
    service, _ = rules()
    assert set(await service.count("moderator")) == set(STATES)
    with pytest.raises(Forbidden):
        await service.count("reporter")


@pytest.mark.parametrize("token", ["author", "reporter", "member"])
async def test_members_decide_nothing(token: str) -> None:
    service, store = rules(OPEN)
    with pytest.raises(Forbidden):
        await decide(service, token)
    assert store.choices == []


async def test_tier_2_is_for_admins() -> None:
    service, store = rules(OPEN._replace(tier=2))
    with pytest.raises(Forbidden):
        await decide(service, "moderator")
    await decide(service, "admin")
    assert store.choices == [(ADMIN, NOTHING)]


async def test_nobody_decides_a_case_about_their_own_post() -> None:
    service, _ = rules(OPEN._replace(author=MODERATOR))
    with pytest.raises(Forbidden):
        await decide(service, "moderator")


async def test_unresolved_case_has_no_action() -> None:
    service, store = rules(OPEN)
    with pytest.raises(Invalid):
        await decide(service, "moderator", Choice(False, "remove-post", None))
    await decide(service, "moderator", Choice(False, "none", None))
    assert [choice.resolved for _, choice in store.choices] == [False]


@pytest.mark.parametrize(
    ("token", "role", "allowed"),
    [
        ("moderator", None, True),
        ("moderator", "moderator", False),
        ("moderator", "admin", False),
        ("admin", "moderator", True),
        ("admin", "admin", False),
    ],
)
async def test_author_of_a_higher_role_is_not_banned(
    token: str, role: str | None, allowed: bool
) -> None:
    service, store = rules(OPEN, **({f"u{AUTHOR}": role} if role else {}))
    choice = Choice(True, "ban-author", None)
    if allowed:
        await decide(service, token, choice)
        assert store.choices == [(ACTORS[token].id, choice)]
        return
    with pytest.raises(Forbidden):
        await decide(service, token, choice)


@pytest.mark.parametrize("state", ["closed", "failed"])
async def test_case_that_has_ended_is_not_decided(state: State) -> None:
    service, _ = rules(OPEN._replace(state=state))
    with pytest.raises(Conflict):
        await decide(service, "moderator")


async def test_second_decision_of_a_round_is_refused_and_the_next_round_has_its_own() -> None:
    service, _ = rules(decided(Choice(False, "none", None)))
    with pytest.raises(Conflict):
        await decide(service, "admin")
    service, store = rules(decided(Choice(False, "none", None))._replace(tier=2, round=2))
    await decide(service, "admin")
    assert len(store.choices) == 1


async def test_who_may_not_decide_learns_so_before_the_version_matters() -> None:
    service, _ = rules(OPEN._replace(tier=2))

    def stale(_: Case) -> None:
        raise Stale("Somebody was faster.")

    with pytest.raises(Forbidden):
        await service.decide("moderator", OPEN.id, NOTHING, stale)
    with pytest.raises(Stale):
        await service.decide("admin", OPEN.id, NOTHING, stale)


async def test_unknown_case_is_not_found() -> None:
    service, _ = rules()
    with pytest.raises(NotFound):
        await decide(service, "moderator")
