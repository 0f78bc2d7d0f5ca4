"""Every act of a moderator or an admin is in its context's log, and the user whom it concerns gets
a notice."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from tests.acceptance.cases import in_state, report
from tests.conventions import DOCUMENTS
from tests.deployments import Board
from tests.pages import every_page
from tests.people import Person, joining, joining_as
from tests.problems import slug
from topology.contexts import CONTEXT_NAMES

pytestmark = pytest.mark.in_loop

LOGS: Final = CONTEXT_NAMES

BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "PATCH /api/posts/{id}": {"text": "Edited by a moderator."},
    "PATCH /api/threads/{id}": {"title": "Renamed by a moderator", "version": 1},
    "PUT /api/posts/{id}/removal": {"reason": "Off topic."},
    "PUT /api/threads/{id}/lock": {"reason": "Off topic."},
    "PUT /api/threads/{id}/removal": {"reason": "Off topic."},
    "PUT /api/users/{id}/ban": {"reason": "Off topic."},
    "PUT /api/cases/{id}/decision": {"resolved": False, "action": "none", "note": "Off topic."},
    "PUT /api/users/{id}/role": {"role": "moderator"},
}
"""A body for each operation that takes one."""


@pytest_asyncio.fixture(scope="session")
async def admin(board: Board) -> AsyncIterator[Person]:
    async with joining_as(board, "admin") as person:
        yield person


async def changes_of(http: httpx.AsyncClient) -> list[str]:
    """The operations of the API documents that change something that has an id and may be
    another's; everybody's sessions are their own."""
    return [
        f"{method.upper()} {path}"
        for document in DOCUMENTS
        for path, operations in (await http.get(document)).json()["paths"].items()
        for method in operations
        if method != "get" and "{id}" in path and not path.startswith("/api/sessions/")
    ]


async def carry_out(who: Person, change: str, target: int) -> httpx.Response:
    """Send the request of this operation."""
    method, path = change.replace("{id}", str(target)).split()
    return await who.http.request(method, path, json=BODIES.get(change), headers={"If-Match": "*"})


async def targets_of(victim: Person) -> dict[str, int]:
    """Something new of this person for each context but cases, by the beginning of its paths."""
    thread = (await victim.start_thread())["id"]
    post = (await victim.write(thread, "Is it raining?"))["id"]
    return {"/api/users": victim.id, "/api/threads": thread, "/api/posts": post}


async def open_case(post: int, reporter: Person, moderator: Person) -> int:
    """A new case about this post, which waits for a decision."""
    case: int = (await report(reporter, post)).json()["id"]
    await in_state(moderator, case, "working")
    return case


async def acts_of(admin: Person, change: str, target: int) -> list[dict[str, Any]]:
    """The acts of this admin on a target, in the log of the context of this operation."""
    context = change.split("/")[2]
    log = (await admin.http.get(f"/api/{context}/moderation-log?limit=100")).json()
    return [act for act in log if (act["moderator"], act["target"]) == (admin.id, target)]


async def test_every_change_that_members_may_not_make_is_an_act_in_the_log(
    board: Board, person: Person, admin: Person
) -> None:
    logged = set()
    for change in await changes_of(admin.http):
        async with joining(board) as victim:
            targets = await targets_of(victim)
            if "/api/cases/" in change:
                targets["/api/cases"] = await open_case(targets["/api/posts"], person, admin)
            target = next(i for path, i in targets.items() if f" {path}/" in change)
            if change.startswith("DELETE ") and not change.endswith("{id}"):
                undone = change.replace("DELETE", "PUT")
                assert (await carry_out(admin, undone, target)).status_code == 204, undone
            before = await acts_of(admin, change, target)
            refused = await carry_out(person, change, target)
            assert refused.status_code == 403, change
            assert await acts_of(admin, change, target) == before, change
            response = await carry_out(admin, change, target)
            assert response.is_success, f"{change}: {response.text}"
            [act] = [act for act in await acts_of(admin, change, target) if act not in before]
            assert act["user"] == victim.id, change
            body = BODIES.get(change, {})
            assert act["reason"] == body.get("reason", body.get("note")), change
            assert act["about"], change
            in_thread = None if "/users" in change else targets["/api/threads"]
            assert act["thread"] == in_thread, change
            logged.add(act["act"])
            if not change.endswith("/ban"):  # which ended the session of the victim
                notices = [
                    notice
                    for log in LOGS
                    for notice in (await victim.http.get(f"/api/{log}/notices")).json()
                ]
                shared = ("act", "at", "target", "thread", "about", "reason")
                assert [[each[name] for name in shared] for each in notices].count(
                    [act[name] for name in shared]
                ) == 1, change
    assert logged == {
        "edit-post", "remove-post", "restore-post",
        "rename-thread", "remove-thread", "lock-thread", "unlock-thread", "pin-thread",
        "unpin-thread",
        "ban-user", "lift-ban", "make-moderator", "issue-reset-link",
        "escalate-case",
    }  # fmt: skip


async def test_changes_of_own_content_are_not_logged(board: Board, admin: Person) -> None:
    async with joining_as(board, "moderator") as moderator:
        thread = (await moderator.start_thread())["id"]
        post = (await moderator.write(thread))["id"]
        changes = {
            "PATCH /api/posts/{id}": post,
            "DELETE /api/posts/{id}": post,
            "PATCH /api/threads/{id}": thread,
            "DELETE /api/threads/{id}": thread,
        }
        for change, target in changes.items():
            assert (await carry_out(moderator, change, target)).is_success, change
        for log in LOGS:
            acts = (await admin.http.get(f"/api/{log}/moderation-log?limit=100")).json()
            assert moderator.id not in {act["moderator"] for act in acts}
            assert (await moderator.http.get(f"/api/{log}/notices")).json() == []


async def test_act_that_changes_nothing_is_not_logged(admin: Person, newcomer: Person) -> None:
    targets = await targets_of(newcomer)
    for change, path in (
        ("DELETE /api/users/{id}/ban", "/api/users"),
        ("DELETE /api/threads/{id}/lock", "/api/threads"),
        ("DELETE /api/threads/{id}/pin", "/api/threads"),
        ("DELETE /api/posts/{id}/removal", "/api/posts"),
    ):
        assert (await carry_out(admin, change, targets[path])).status_code == 204
        assert await acts_of(admin, change, targets[path]) == []
    same = {"role": "member"}
    assert (await admin.http.put(f"/api/users/{newcomer.id}/role", json=same)).status_code == 200
    assert await acts_of(admin, "PUT /api/users/{id}/role", newcomer.id) == []


@pytest.mark.parametrize("log", LOGS)
async def test_log_is_for_moderators_and_no_cache(
    visitor: httpx.AsyncClient, person: Person, moderator: Person, admin: Person, log: str
) -> None:
    path = f"/api/{log}/moderation-log"
    assert (await visitor.get(path)).status_code == 401
    refused = await person.http.get(path)
    assert (refused.status_code, slug(refused)) == (403, "forbidden")
    for who in (moderator, admin):
        response = await who.http.get(path)
        assert (response.status_code, response.headers["cache-control"]) == (
            200,
            "private, no-store",
        )


@pytest.mark.parametrize("log", LOGS)
async def test_notices_are_for_their_user_and_no_cache(
    visitor: httpx.AsyncClient, newcomer: Person, log: str
) -> None:
    path = f"/api/{log}/notices"
    assert (await visitor.get(path)).status_code == 401
    response = await newcomer.http.get(path)
    assert (response.json(), response.headers["cache-control"]) == ([], "private, no-store")


async def test_log_and_notices_are_paged_newest_first(
    admin: Person, moderator: Person, newcomer: Person
) -> None:
    thread = (await newcomer.start_thread())["id"]
    wanted = ["unpin-thread", "pin-thread", "unlock-thread", "lock-thread"]
    for mark in ("lock", "pin"):
        for method in ("PUT", "DELETE"):
            await moderator.http.request(method, f"/api/threads/{thread}/{mark}")
    pages = [page async for page in every_page(newcomer.http, "/api/threads/notices?limit=3")]
    assert [[notice["act"] for notice in page] for page in pages] == [wanted[:3], wanted[3:]]
    acts = []
    async for page in every_page(admin.http, "/api/threads/moderation-log?limit=3"):
        acts += [act["act"] for act in page if act["target"] == thread]
        if len(acts) >= len(wanted):
            break
    assert acts == wanted
    cursor = (await newcomer.http.get("/api/threads/notices?limit=3")).links["next"]["url"]
    foreign = cursor.replace("notices", "moderation-log")
    assert (await admin.http.get(foreign)).status_code == 400
