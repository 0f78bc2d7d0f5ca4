"""Edits of posts, which are rejected if somebody else has changed the post."""

from typing import Any

import httpx
import pytest

from kernel.data.paging import Cursor
from kernel.http.conditional.revalidation import entity_tag
from tests.pages import every_page
from tests.people import Person
from tests.problems import pointers, slug

pytestmark = pytest.mark.in_loop


async def _tag(http: httpx.AsyncClient, post: dict[str, Any]) -> str:
    tag: str = (await http.get(f"/api/posts/{post['id']}")).headers["etag"]
    return tag


async def _edit(
    person: Person, post: dict[str, Any], text: str, if_match: str | None
) -> httpx.Response:
    headers = {} if if_match is None else {"If-Match": if_match}
    return await person.http.patch(f"/api/posts/{post['id']}", json={"text": text}, headers=headers)


@pytest.fixture(params=["author", "moderator"])
def editor(request: pytest.FixtureRequest, person: Person, moderator: Person) -> Person:
    """A user who may edit a post of `person`."""
    return person if request.param == "author" else moderator


async def test_author_and_moderators_can_edit_a_post(person: Person, editor: Person) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"], 'Caf\u00e9 \u2603 & <b> \U0001f600 "quoted"')
    response = await _edit(editor, post, "Now *this*", await _tag(editor.http, post))
    edited = response.json()
    assert response.status_code == 200, response.text
    html = "<p>Now <em>this</em></p>\n"
    by = None if editor.id == person.id else editor.id
    changes = {
        "text": "Now *this*", "html": html, "editedAt": edited["editedAt"], "editedBy": by,
    }  # fmt: skip
    assert edited == post | changes
    assert edited["editedAt"] >= post["createdAt"]
    shown = await person.http.get(f"/api/posts/{post['id']}")
    assert shown.content == response.content
    assert shown.headers["etag"] == response.headers["etag"] == entity_tag(shown.content)
    again = await _edit(editor, post, "And again", response.headers["etag"])
    assert again.status_code == 200


async def test_edit_of_a_stale_version_is_rejected(person: Person, moderator: Person) -> None:
    post = await person.write((await person.start_thread())["id"])
    seen = await _tag(person.http, post)
    assert (await _edit(moderator, post, "First", seen)).status_code == 200
    late = await _edit(person, post, "Second", seen)
    assert (late.status_code, slug(late)) == (412, "stale")
    assert (await person.http.get(f"/api/posts/{post['id']}")).json()["text"] == "First"


async def test_version_is_required(person: Person) -> None:
    post = await person.write((await person.start_thread())["id"])
    response = await _edit(person, post, "Blindly", None)
    assert (response.status_code, slug(response)) == (428, "precondition-required")
    assert (await person.http.get(f"/api/posts/{post['id']}")).json() == post


async def test_if_match_compares_strongly_and_accepts_one_of_several_tags(person: Person) -> None:
    post = await person.write((await person.start_thread())["id"])
    tag = await _tag(person.http, post)
    for wrong in (f"W/{tag}", '"something"', "", tag.strip('"'), f"{tag[:-1]}x"):
        assert (await _edit(person, post, "Wrong", wrong)).status_code == 412, wrong
    assert (await _edit(person, post, "Right", f'"other", {tag}')).status_code == 200
    assert (await _edit(person, post, "Whatever it is", "*")).status_code == 200


async def test_other_members_cannot_edit_a_post(person: Person, other: Person) -> None:
    post = await person.write((await person.start_thread())["id"])
    for if_match in (await _tag(other.http, post), '"stale"', None):
        response = await _edit(other, post, "Not mine", if_match)
        assert (response.status_code, slug(response)) == (403, "forbidden")
    assert (await person.http.get(f"/api/posts/{post['id']}")).json() == post


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/text"), ({"text": ""}, "/text"), ({"text": " "}, "/text"),
     ({"text": "x" * 32_001}, "/text"), ({"text": "a\0b"}, "/text"),
     ({"text": "x", "thread": 1}, "/thread")],
)  # fmt: skip
async def test_edited_text_follows_the_rules_of_a_new_one(
    person: Person, body: dict[str, Any], pointer: str
) -> None:
    post = await person.write((await person.start_thread())["id"])
    path = f"/api/posts/{post['id']}"
    response = await person.http.patch(path, json=body, headers={"If-Match": "*"})
    assert pointers(response) == [pointer]


async def test_earlier_versions_of_a_post_are_listed_oldest_first(
    person: Person, editor: Person
) -> None:
    post = await person.write((await person.start_thread())["id"], "One")
    edits = [(await _edit(editor, post, text, "*")).json() for text in ("Two", "Three")]
    by = None if editor.id == person.id else editor.id
    path = f"/api/posts/{post['id']}/revisions"
    revisions = (await editor.http.get(path)).json()
    assert revisions == [
        {"number": 1, "text": "One", "createdAt": post["createdAt"], "editedBy": None},
        {"number": 2, "text": "Two", "createdAt": edits[0]["editedAt"], "editedBy": by},
        {"number": 3, "text": "Three", "createdAt": edits[1]["editedAt"], "editedBy": by},
    ]
    pages = [page async for page in every_page(editor.http, f"{path}?limit=2")]
    assert [[r["number"] for r in page] for page in pages] == [[1, 2], [3]]


async def test_only_author_and_moderators_can_read_earlier_versions(
    visitor: httpx.AsyncClient, person: Person, other: Person
) -> None:
    post = await person.write((await person.start_thread())["id"])
    path = f"/api/posts/{post['id']}/revisions"
    assert (await other.http.get(path)).status_code == 403
    assert (await visitor.get(path)).status_code == 401
    response = await person.http.get(path)
    assert response.headers["cache-control"] == "private, no-store"
    assert (await person.http.get(f"/api/posts/{2**63 - 1}/revisions")).status_code == 404


async def test_cursor_beyond_the_last_revision_returns_an_empty_list(person: Person) -> None:
    # A cursor can contain larger numbers than the column with the revision.
    post = await person.write((await person.start_thread())["id"])
    cursor = Cursor(f"revisions-of-{post['id']}", (2**63 - 1,)).encode()
    response = await person.http.get(f"/api/posts/{post['id']}/revisions?after={cursor}")
    assert (response.status_code, response.json()) == (200, [])


async def test_edit_needs_a_session(visitor: httpx.AsyncClient, person: Person) -> None:
    post = await person.write((await person.start_thread())["id"])
    path = f"/api/posts/{post['id']}"
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        headers = {**headers, "If-Match": "*"}
        edit = await visitor.patch(path, json={"text": "?"}, headers=headers)
        remove = await visitor.delete(path, headers=headers)
        assert [edit.status_code, remove.status_code] == [401, 401]


async def test_edit_without_a_change_changes_nothing(person: Person, editor: Person) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"], "The same")
    tag = await _tag(editor.http, post)
    response = await _edit(editor, post, "The same", tag)
    assert (response.status_code, response.json()) == (200, post)
    assert response.headers["etag"] == tag
    revisions = (await editor.http.get(f"/api/posts/{post['id']}/revisions")).json()
    assert [revision["text"] for revision in revisions] == ["The same"]


async def test_stale_edit_without_a_change_is_refused(person: Person) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"], "One")
    tag = await _tag(person.http, post)
    await _edit(person, post, "Two", tag)
    assert (await _edit(person, post, "Two", tag)).status_code == 412


@pytest.mark.parametrize("first", [True, False])
async def test_tags_may_come_in_several_fields(person: Person, first: bool) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"], "One")
    tags = [await _tag(person.http, post), '"another"']
    fields = [("If-Match", tag) for tag in (tags if first else reversed(tags))]
    path = f"/api/posts/{post['id']}"
    response = await person.http.patch(path, json={"text": "Two"}, headers=fields)
    assert response.status_code == 200
    again = await person.http.patch(path, json={"text": "Three"}, headers=fields)
    assert again.status_code == 412
