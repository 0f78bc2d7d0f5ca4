"""Previews of posts."""

import pytest

from tests.people import Person
from tests.problems import pointers, slug

pytestmark = pytest.mark.in_loop


async def test_a_preview_is_what_the_post_would_be(person: Person) -> None:
    text = "*Night* trains <script>alert(1)</script> www.example.org"
    preview = await person.http.post("/api/posts/preview", json={"text": text})
    assert preview.status_code == 200
    thread = await person.start_thread()
    assert preview.json() == {"html": (await person.write(thread["id"], text))["html"]}


async def test_preview_needs_a_session(person: Person) -> None:
    refused = await person.http.post(
        "/api/posts/preview", json={"text": "x"}, headers={"Authorization": "Bearer"}
    )
    assert (refused.status_code, slug(refused)) == (401, "unauthenticated")


async def test_text_that_is_not_a_valid_post_is_rejected_as_preview(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    for text in ("[a]: /b", f"{'[a]' * 200}\n\n[a]: https://b.example/{'c' * 990}"):
        preview = await person.http.post("/api/posts/preview", json={"text": text})
        post = await person.http.post("/api/posts", json={"thread": thread, "text": text})
        for refused in (preview, post):
            assert (refused.status_code, pointers(refused)) == (422, ["/text"])
        assert preview.json()["errors"] == post.json()["errors"]
