"""Deciding cases: roles, versions, and the effects of a decision."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.acceptance.cases import closed, decide, in_state, reported, shown
from tests.deployments import Board
from tests.eventually import eventually
from tests.pages import every_page
from tests.people import Person, joining, joining_as, moderating
from tests.problems import pointers, slug

STATES = ("opened", "assigned", "working", "escalated", "closed", "failed")

pytestmark = pytest.mark.in_loop


@pytest_asyncio.fixture(scope="session")
async def admin(board: Board) -> AsyncIterator[Person]:
    """A signed-in admin."""
    async with joining_as(board, "admin") as someone:
        yield someone


async def test_moderators_see_all_of_a_case(
    person: Person, other: Person, moderator: Person
) -> None:
    case = await reported(person, other, "off-topic")
    found, _ = await in_state(moderator, case["id"], "working")
    assert (found["reason"], found["reporters"], found["tier"]) == ("off-topic", [other.id], 1)
    assert found["assignee"] is not None
    assert [event["state"] for event in found["history"]] == ["opened", "assigned", "working"]
    assert found["message"] == f"Case {case['id']:03}: opened...assigned..."


async def test_case_goes_to_the_moderator_with_the_fewest_open_cases(
    board: Board, person: Person, other: Person
) -> None:
    async with moderating(board) as one, moderating(board) as two:
        for _ in range(40):  # other moderators may have fewer cases at first
            case = await reported(person, other)
            found, _ = await in_state(one, case["id"], "working")
            everything = [
                *(await one.http.get("/api/cases?state=working&limit=100")).json(),
                *(await one.http.get("/api/cases?state=escalated&limit=100")).json(),
            ]
            load = dict.fromkeys((one.id, two.id, found["assignee"]), 0)
            for each in everything:
                if each["id"] != case["id"] and each["assignee"] in load:
                    load[each["assignee"]] += 1
            assert load[found["assignee"]] == min(load.values())
            if {one.id, two.id} <= {each["assignee"] for each in everything}:
                return
        pytest.fail("two new moderators got no case")


@pytest.mark.parametrize(
    ("action", "path", "status"),
    [("remove-post", "/api/posts/{post}", 404), ("none", "/api/posts/{post}", 200)],
)
async def test_decision_is_carried_out_on_the_post(
    person: Person, other: Person, moderator: Person, action: str, path: str, status: int
) -> None:
    case = await reported(person, other)
    found = await closed(moderator, case["id"], action)
    assert (await person.http.get(path.format(post=case["post"]))).status_code == status
    assert found["decision"]["by"] == moderator.id
    assert [event["state"] for event in found["history"]][-1] == "closed"


async def test_decision_locks_the_thread(person: Person, other: Person, moderator: Person) -> None:
    case = await reported(person, other)
    post = (await person.http.get(f"/api/posts/{case['post']}")).json()
    await closed(moderator, case["id"], "lock-thread")
    assert (await person.http.get(f"/api/threads/{post['thread']}")).json()["locked"] is True


async def test_decision_bans_the_author(board: Board, other: Person, moderator: Person) -> None:
    async with joining(board) as author:
        case = await reported(author, other)
        await closed(moderator, case["id"], "ban-author")

        async def is_signed_out() -> bool:
            answer = await author.http.post("/api/threads", json={"title": "Kettles"})
            return answer.status_code == 401

        # Services store for two seconds who holds a session.
        await eventually(is_signed_out, what="the ban is known")


async def test_decision_is_on_the_case_and_carried_out(
    person: Person, other: Person, moderator: Person
) -> None:
    case = await reported(person, other)
    _, tag = await in_state(moderator, case["id"], "working")
    answer = await decide(moderator, case["id"], tag, "remove-post", note="Advertising")
    decision = answer.json()["decision"]
    assert (decision["action"], decision["note"]) == ("remove-post", "Advertising")
    assert (await shown(moderator, case["id"]))[0]["decision"] == decision

    async def is_closed() -> bool:
        state: str = (await shown(moderator, case["id"]))[0]["state"]
        return state == "closed"

    await eventually(is_closed, what="the decision is carried out")


async def test_of_two_moderators_at_once_one_decides(
    board: Board, person: Person, other: Person, moderator: Person
) -> None:
    async with moderating(board) as second:
        case = await reported(person, other)
        _, tag = await in_state(moderator, case["id"], "working")
        answers = await asyncio.gather(
            decide(moderator, case["id"], tag), decide(second, case["id"], tag, "remove-post")
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_decision_names_the_version_that_it_is_about(
    person: Person, other: Person, moderator: Person
) -> None:
    case = await reported(person, other)
    _, tag = await in_state(moderator, case["id"], "working")
    path, body = f"/api/cases/{case['id']}/decision", {"resolved": True, "action": "none"}
    missing = await moderator.http.put(path, json=body)
    stale = await decide(moderator, case["id"], '"another"')
    assert [slug(missing), slug(stale)] == ["precondition-required", "stale"]
    assert (await shown(moderator, case["id"]))[1] == tag
    first = await decide(moderator, case["id"], tag)
    assert first.status_code == 200
    second = await decide(moderator, case["id"], "*")
    assert (second.status_code, slug(second)) == (409, "conflict")
    await in_state(moderator, case["id"], "closed")
    assert slug(await decide(moderator, case["id"], "*")) == "conflict"


async def test_unresolved_case_is_escalated_and_decided_by_admins(
    person: Person, other: Person, moderator: Person, admin: Person
) -> None:
    case = await reported(person, other)
    _, tag = await in_state(moderator, case["id"], "working")
    answer = await decide(moderator, case["id"], tag, resolved=False, note="Hard to say")
    assert answer.status_code == 200

    async def is_in_tier_2() -> bool:
        found, _ = await shown(moderator, case["id"])
        return (found["tier"], found["state"]) == (2, "working")

    await eventually(is_in_tier_2, what="the case is escalated")
    refused = await decide(moderator, case["id"], "*")
    assert (refused.status_code, slug(refused)) == (403, "forbidden")
    assert (await decide(admin, case["id"], "*")).status_code == 200
    found, _ = await in_state(admin, case["id"], "closed")
    assert found["message"] == (
        f"Case {case['id']:03}: opened...assigned...unresolved...escalating.resolved...closed."
    )
    assert [event["state"] for event in found["history"]] == [
        "opened", "assigned", "working", "working", "escalated", "working", "working", "closed",
    ]  # fmt: skip


async def test_decisions_that_make_no_sense_are_refused(
    board: Board, other: Person, moderator: Person, admin: Person
) -> None:
    case = await reported(moderator, other)
    await in_state(admin, case["id"], "working")
    own = await decide(moderator, case["id"], "*")
    assert slug(own) == "forbidden"
    unresolved = await decide(admin, case["id"], "*", "remove-post", resolved=False)
    assert pointers(unresolved) == ["/action"]
    unknown = await decide(admin, case["id"], "*", "restore")
    assert pointers(unknown) == ["/action"]
    assert slug(await decide(admin, 2**62, "*")) == "not-found"
    async with joining_as(board, "admin") as author:
        theirs = await reported(author, other)
        await in_state(admin, theirs["id"], "working")
        assert slug(await decide(admin, theirs["id"], "*", "ban-author")) == "forbidden"
        assert (await decide(admin, theirs["id"], "*")).status_code == 200


async def test_moderator_who_lost_the_role_cannot_decide(
    board: Board, person: Person, other: Person, admin: Person
) -> None:
    async with moderating(board) as former:
        case = await reported(person, other)
        _, tag = await in_state(former, case["id"], "working")
        await admin.http.put(f"/api/users/{former.id}/role", json={"role": "member"})

        async def is_refused() -> bool:
            answer = await decide(former, case["id"], '"another"')
            return answer.status_code == 403

        async def sees_nothing() -> bool:
            answer = await former.http.get(f"/api/cases/{case['id']}")
            return answer.status_code == 404

        # Each instance stores for two seconds who has which role.
        await eventually(is_refused, what="the new role is known")
        await eventually(sees_nothing, what="the new role is known to each instance")
        assert (await decide(admin, case["id"], tag)).status_code == 200


async def test_counts_are_those_of_the_states(
    person: Person, other: Person, moderator: Person
) -> None:
    case = await reported(person, other)
    await closed(moderator, case["id"])

    async def listed(state: str) -> int:
        path = f"/api/cases?state={state}&limit=100"
        return sum([len(cases) async for cases in every_page(moderator.http, path)])

    async def agree() -> bool:
        counts: dict[str, int] = (await moderator.http.get("/api/cases/counts")).json()
        return counts["closed"] > 0 and counts == {state: await listed(state) for state in STATES}

    # Cases of earlier tests may still change their states.
    await eventually(agree, what="the counts are those of the lists")
    assert slug(await person.http.get("/api/cases/counts")) == "forbidden"


async def test_history_and_decisions_are_append_only(
    board: Board, person: Person, other: Person, moderator: Person
) -> None:
    case = await reported(person, other)
    await closed(moderator, case["id"])
    connection = await asyncpg.connect(board.databases["cases"])
    try:
        for table in ("history", "decisions"):
            for statement in (f"UPDATE {table} SET note = 'x'", f"DELETE FROM {table}",  # noqa: S608
                              f"TRUNCATE {table}"):  # fmt: skip
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                    await connection.execute(statement)
    finally:
        await connection.close()
