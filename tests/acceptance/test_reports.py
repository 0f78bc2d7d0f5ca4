"""Reporting posts, and what reporters see."""

import asyncio

import httpx
import pytest

from tests.acceptance.cases import closed, in_state, report, reported, shown
from tests.deployments import Board
from tests.people import Person, joining, moderating
from tests.problems import pointers, slug

pytestmark = pytest.mark.in_loop


async def test_report_opens_a_case_that_its_reporter_sees(person: Person, other: Person) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"])
    answer = await report(other, post["id"], "abuse", note="Look at the last line.")
    assert answer.status_code == 201
    case = answer.json()
    assert answer.headers["Location"] == f"/api/cases/{case['id']}"
    assert set(case) == {"id", "post", "state", "decision", "message", "createdAt", "closedAt"}
    assert (case["post"], case["decision"], case["closedAt"]) == (post["id"], None, None)
    seen, _ = await shown(other, case["id"])
    assert seen.keys() == case.keys()
    listed = (await other.http.get("/api/cases")).json()
    assert case["id"] in [one["id"] for one in listed]


async def test_later_reports_join_the_open_case(
    person: Person, other: Person, newcomer: Person, moderator: Person
) -> None:
    case = await reported(person, other)
    joined = [
        await report(newcomer, case["post"], "abuse", note="Me too."),
        await report(newcomer, case["post"]),
        await report(other, case["post"]),
    ]
    assert [answer.status_code for answer in joined] == [200] * 3
    assert {answer.json()["id"] for answer in joined} == {case["id"]}
    found, _ = await shown(moderator, case["id"])
    assert found["reporters"] == [other.id, newcomer.id]
    assert (found["reason"], found["note"]) == ("spam", None)


async def test_concurrent_reports_open_one_case(
    board: Board, person: Person, moderator: Person
) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"])
    async with joining(board) as one, joining(board) as two, joining(board) as three:
        people = (one, two, three)
        answers = await asyncio.gather(*(report(who, post["id"]) for who in people * 2))
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
        [case] = {answer.json()["id"] for answer in answers}
        found, _ = await shown(moderator, case)
        assert sorted(found["reporters"]) == sorted(who.id for who in people)


async def test_report_after_the_case_is_closed_opens_another(
    person: Person, other: Person, moderator: Person
) -> None:
    case = await reported(person, other)
    await closed(moderator, case["id"])
    again = await report(other, case["post"])
    assert again.status_code == 201
    assert again.json()["id"] != case["id"]


async def test_posts_that_nobody_can_report_are_refused(person: Person, other: Person) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"])
    own = await report(person, post["id"])
    assert (own.status_code, slug(own)) == (403, "forbidden")
    await person.http.delete(f"/api/posts/{post['id']}")
    removed = await report(other, post["id"])
    unknown = await report(other, 2**62)
    assert [slug(answer) for answer in (removed, unknown)] == ["not-found"] * 2


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"reason": "boring"}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"note": "x" * 1001}, "/note"),
        ({"note": "NUL\0"}, "/note"),
        ({"post": 0}, "/post"),
        ({"post": "one"}, "/post"),
        ({"urgent": True}, "/urgent"),
    ],
)
async def test_invalid_report_is_rejected_by_field(
    other: Person, fields: dict[str, object], pointer: str
) -> None:
    body = {"post": 1, "reason": "spam", **fields}
    answer = await other.http.post("/api/cases", json=body)
    assert answer.status_code == 422
    assert pointers(answer) == [pointer]


async def test_report_that_is_sent_again_counts_once(person: Person, other: Person) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"])
    body = {"post": post["id"], "reason": "spam"}
    key = {"Idempotency-Key": f"report-{post['id']}"}
    first = await other.http.post("/api/cases", json=body, headers=key)
    again = await other.http.post("/api/cases", json=body, headers=key)
    assert [first.status_code, again.status_code] == [201, 201]
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other_body = {"post": post["id"], "reason": "abuse"}
    reused = await other.http.post("/api/cases", json=other_body, headers=key)
    assert reused.status_code == 422


async def test_others_neither_see_nor_list_a_report(
    visitor: httpx.AsyncClient, person: Person, other: Person, newcomer: Person
) -> None:
    case = await reported(person, other)
    path = f"/api/cases/{case['id']}"
    for who in (newcomer, person):  # not even the author of the post
        assert slug(await who.http.get(path)) == "not-found"
        listed = (await who.http.get("/api/cases?limit=100")).json()
        assert case["id"] not in [one["id"] for one in listed]
    assert (await visitor.get(path)).status_code == 401
    assert (await visitor.get("/api/cases")).status_code == 401


async def test_reporter_learns_the_outcome_and_not_who_decided(
    person: Person, other: Person, moderator: Person
) -> None:
    case = await reported(person, other)
    await closed(moderator, case["id"], "remove-post")
    seen, _ = await in_state(other, case["id"], "closed")
    assert seen["decision"] == {"resolved": True, "action": "remove-post", "note": None}
    assert seen["message"].endswith("assigned...resolved...closed.")
    assert seen["closedAt"] >= seen["createdAt"]


async def test_lists_are_paged_and_filtered_by_state(board: Board, person: Person) -> None:
    async with joining(board) as reporter, moderating(board) as moderator:
        cases = [(await reported(person, reporter))["id"] for _ in range(3)]
        await closed(moderator, cases[1])
        first = await reporter.http.get("/api/cases?limit=2")
        assert [one["id"] for one in first.json()] == [cases[2], cases[1]]
        link = first.headers["Link"].partition(">")[0].removeprefix("<")
        rest = await reporter.http.get(link)
        assert [one["id"] for one in rest.json()] == [cases[0]]
        assert "Link" not in rest.headers
        ended = await reporter.http.get("/api/cases?state=closed")
        assert [one["id"] for one in ended.json()] == [cases[1]]
        unread = await reporter.http.get(link.replace("after=", "state=closed&after="))
        assert slug(unread) == "malformed-request"
        unknown = await reporter.http.get("/api/cases?state=lost")
        assert unknown.status_code == 422


async def test_personal_answers_are_not_stored_and_can_be_revalidated(
    person: Person, other: Person
) -> None:
    case = await reported(person, other)
    await in_state(other, case["id"], "working")
    for path in (f"/api/cases/{case['id']}", "/api/cases"):
        answer = await other.http.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store"
        tag = {"If-None-Match": answer.headers["ETag"]}
        assert (await other.http.get(path, headers=tag)).status_code == 304
