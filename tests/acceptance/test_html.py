"""The pages as HTML, for those who run no scripts: robots, text browsers, link previews."""

import re
from html import unescape

import httpx
import pytest

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import Person

pytestmark = pytest.mark.in_loop

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
NEXT = r'<link rel="next" href="([^"]+)">'
PREVIOUS = r'<link rel="prev" href="([^"]+)">'
HOSTILE = "<script>alert('ä')</script> & \"co\""


def attribute(html: str, pattern: str) -> str:
    """The first group of the first match."""
    found = re.search(pattern, html)
    assert found is not None, pattern
    return found[1]


async def linked(visitor: httpx.AsyncClient, path: str, pattern: str) -> str:
    """The address to which a page leads."""
    return unescape(attribute((await visitor.get(path)).text, pattern))


def ids(html: str) -> list[int]:
    """The ids of the posts on a page."""
    return [int(found) for found in re.findall(r'<article class="post" id="post-(\d+)"', html)]


async def test_thread_shows_its_posts_and_describes_itself(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = await person.start_thread("Sourdough in winter")
    post = await person.write(thread["id"], "Is the water **warm** enough?")
    page = await visitor.get(f"/threads/{thread['id']}")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f'id="post-{post["id"]}"' in page.text
    assert '<p dir="auto">Is the water <strong>warm</strong> enough?</p>' in page.text
    assert "<title>Sourdough in winter · The board</title>" in page.text
    address = f"{board.public_origin}/threads/{thread['id']}"
    assert f'<link rel="canonical" href="{address}">' in page.text
    assert '<meta property="og:title" content="Sourdough in winter">' in page.text
    assert '<meta name="description" content="Is the water warm enough?">' in page.text
    assert f'<span class="username">@{person.username}</span>' in page.text


async def test_titles_names_and_descriptions_are_escaped(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    me = await newcomer.http.get("/api/users/me")
    changed = await newcomer.http.patch(
        "/api/users/me",
        json={"name": HOSTILE, "bio": HOSTILE},
        headers={"If-Match": me.headers["etag"]},
    )
    assert changed.status_code == 200, changed.text
    thread = await newcomer.start_thread(HOSTILE)
    await newcomer.write(thread["id"], HOSTILE)
    for path in (f"/threads/{thread['id']}", "/?order=new", f"/users/{newcomer.id}"):

        async def shown(path: str = path) -> bool:
            return "&lt;script&gt;alert" in (await visitor.get(path)).text

        await eventually(shown)
        page = await visitor.get(path)
        assert "<script>alert" not in page.text
        assert 'content="<' not in page.text
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy


async def test_missing_thread_is_404_and_a_removed_one_410(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    assert (await visitor.get("/threads/999999999")).status_code == 404
    thread = await person.start_thread()
    path = f"/threads/{thread['id']}"
    assert (await visitor.get(path)).status_code == 200
    assert (await person.http.delete(f"/api{path}")).status_code == 204

    async def gone() -> bool:
        return (await visitor.get(path)).status_code == 410

    await eventually(gone)
    page = await visitor.get(path, headers=BROWSER)
    assert (page.status_code, "Page not found" in page.text) == (410, True)
    assert '<meta name="robots" content="noindex">' in page.text
    assert (await visitor.get("/users/999999999")).status_code == 404


async def test_robot_finds_every_post_by_following_next(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = await person.start_thread()
    posts = [await person.write(thread["id"], f"Post {number}") for number in range(60)]
    path, found, pages = f"/threads/{thread['id']}", list[int](), list[str]()
    while path:
        page = await visitor.get(path)
        found += ids(page.text)
        pages.append(page.text)
        following = re.search(NEXT, page.text)
        path = unescape(following[1]) if following else ""
    assert found == [post["id"] for post in posts]
    assert len(pages) == 2
    assert attribute(pages[-1], PREVIOUS) == f"/threads/{thread['id']}"


async def test_page_from_a_post_begins_shortly_before_it_and_leads_back(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = await person.start_thread()
    place = f"/threads/{thread['id']}"
    posts = [await person.write(thread["id"], f"Post {number}") for number in range(60)]
    found = await visitor.get(f"{place}?from={posts[58]['id']}")
    assert ids(found.text) == [post["id"] for post in posts[53:]]
    before = await visitor.get(unescape(attribute(found.text, PREVIOUS)))
    assert ids(before.text) == [post["id"] for post in posts[4:53]]
    first = await visitor.get(unescape(attribute(before.text, PREVIOUS)))
    assert str(first.url).endswith(place)
    early = await visitor.get(f"{place}?from={posts[5]['id']}")
    assert ids(early.text) == [post["id"] for post in posts[:49]]
    assert re.search(PREVIOUS, early.text) is None


async def test_lists_lead_back_over_what_was_removed(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    threads = [await newcomer.start_thread(f"Thread {number}") for number in range(32)]
    posts = [await newcomer.write(threads[0]["id"], f"Post {number}") for number in range(43)]
    await newcomer.http.delete(f"/api/threads/{threads[-1]['id']}")
    await newcomer.http.delete(f"/api/posts/{posts[-1]['id']}")
    mine = f"/users/{newcomer.id}"
    for place in (mine, f"{mine}?show=threads", "/", "/?order=new"):
        second = await linked(visitor, place, NEXT)
        assert await linked(visitor, second, PREVIOUS) == place
    third = await linked(visitor, await linked(visitor, mine, NEXT), NEXT)
    before = await visitor.get(await linked(visitor, third, PREVIOUS))
    assert ids(before.text) == [post["id"] for post in posts[21:1:-1]]


async def test_page_is_revalidated_by_its_tag_and_follows_changes(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"], "As it was")
    path = f"/threads/{thread['id']}"

    async def settled() -> bool:
        return "1 post<" in (await visitor.get(path)).text

    await eventually(settled)
    page = await visitor.get(path)
    assert page.headers["cache-control"] == "no-cache"

    async def known() -> bool:
        # Another process may answer, which knows the post a moment later.
        same = await visitor.get(path, headers={"If-None-Match": page.headers["etag"]})
        return (same.status_code, same.content) == (304, b"")

    await eventually(known)
    version = (await person.http.get(f"/api/posts/{post['id']}")).headers["etag"]
    edited = await person.http.patch(
        f"/api/posts/{post['id']}", json={"text": "As it is"}, headers={"If-Match": version}
    )
    assert edited.status_code == 200

    async def changed() -> bool:
        return "As it is" in (await visitor.get(path)).text

    await eventually(changed)


async def test_user_page_shows_their_posts_or_their_threads(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    thread = await newcomer.start_thread("A thread of a newcomer")
    await newcomer.write(thread["id"], "A post of a newcomer")
    posts = await visitor.get(f"/users/{newcomer.id}")
    assert "A post of a newcomer" in posts.text
    assert f"<title>{newcomer.username} · The board</title>" in posts.text
    threads = await visitor.get(f"/users/{newcomer.id}?show=threads")
    assert "A thread of a newcomer" in threads.text


async def test_search_works_with_a_form(visitor: httpx.AsyncClient, person: Person) -> None:
    thread = await person.start_thread("Zwieback and its history")
    await person.write(thread["id"], "Nobody remembers the zwieback.")

    async def found() -> bool:
        page = await visitor.get("/search", params={"q": "zwieback"})
        return "Zwieback and its history" in page.text and "<mark>zwieback</mark>" in page.text

    await eventually(found)
    assert "search-form" in (await visitor.get("/search")).text
    assert "finds whole words" in (await visitor.get("/search", params={"q": "z"})).text
    for hostile in ("\0", "x" * 500, "   "):
        assert (await visitor.get("/search", params={"q": hostile})).status_code == 200
    escaped = await visitor.get("/search", params={"q": '"><script>'})
    assert "<script>&" not in escaped.text
    assert "&#34;&gt;&lt;script&gt;" in escaped.text


@pytest.mark.parametrize(
    "path", ["/?after=nonsense", "/threads/{thread}?after=!", "/users/{user}?after=%00"]
)
async def test_wrong_cursor_is_a_page_with_400(
    visitor: httpx.AsyncClient, person: Person, path: str
) -> None:
    thread = await person.start_thread()
    page = await visitor.get(path.format(thread=thread["id"], user=person.id))
    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "The cursor in ?after= cannot be read." in page.text


async def test_pages_set_no_cookie_and_ignore_those_they_get(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    plain = await visitor.get("/signin")
    assert "set-cookie" not in plain.headers
    thread = await person.start_thread()
    path = f"/threads/{thread['id']}"
    anonymous = await visitor.get(path)
    signed_in = await person.http.get(path)
    assert "set-cookie" not in anonymous.headers
    assert signed_in.text == anonymous.text
