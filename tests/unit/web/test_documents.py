"""What the pages show: what is there, and what to do without what is not."""

import re
from html import escape, unescape

import pytest

from tests.unit.web.readers import FakeBoard, post, thread
from web.content.documents import POSTS_ON_A_PAGE
from web.markup.names import initials
from web.markup.prose import in_xml, plain, prepare
from web.markup.texts import Texts
from web.site import STATIC


@pytest.mark.parametrize(
    ("down", "path", "status", "shown", "missing"),
    [
        ("posts", "/threads/1", 503, "Bread that will not rise", "The posts cannot be read"),
        ("threads", "/threads/1", 503, "Is the water", "The threads cannot be read"),
        ("users", "/threads/1", 200, "Is the water", "?"),
        ("threads", "/", 503, "Threads", "The threads cannot be read"),
        ("users", "/", 200, "Bread that will not rise", "?"),
        ("posts", "/users/1", 503, "Bakes at night.", "The posts cannot be read"),
        ("users", "/users/1", 503, "Is the water", "The names of people cannot be read"),
        ("threads", "/search?q=Is", 503, "Is the water", "The threads cannot be read"),
    ],
)
async def test_page_says_what_is_down_and_shows_the_rest(
    down: str, path: str, status: int, shown: str, missing: str
) -> None:
    board = FakeBoard()
    getattr(board, down).down = True
    async with board.page() as http:
        page = await http.get(path)
    assert page.status_code == status
    assert page.headers["cache-control"] == "no-store"
    assert ("retry-after" in page.headers) == (status == 503 and not path.startswith("/search"))
    assert shown in page.text
    assert missing in page.text


async def test_page_asks_each_context_once_and_is_whole_again_after_an_outage() -> None:
    board = FakeBoard()
    async with board.page() as http:
        board.posts.down = True
        assert (await http.get("/threads/1")).status_code == 503
        board.posts.down = False
        for context in (board.users, board.threads, board.posts):
            context.calls = 0
        page = await http.get("/threads/1")
    assert page.status_code == 200
    assert [context.calls for context in (board.users, board.threads, board.posts)] == [1, 1, 1]


async def test_users_of_the_fullest_page_are_read_in_one_call() -> None:
    board = FakeBoard()
    board.posts.all = [
        post(number, user=number, edited_at=board.posts.all[0].created_at, edited_by=1000 + number)
        for number in range(1, 200)
    ]
    asked: list[int] = []

    async def users(ids: list[int]) -> list[object]:
        asked.append(len(ids))
        return []

    board.users.users = users  # type: ignore[assignment,method-assign]  # counts what it is asked
    async with board.page() as http:
        assert (await http.get("/threads/1")).status_code == 200
    assert asked == [2 * POSTS_ON_A_PAGE]


async def test_long_thread_is_sent_in_bounded_pages_that_lead_to_its_end() -> None:
    board = FakeBoard()
    board.posts.all = [post(number) for number in range(1, 5001)]
    pages, path, longest = 0, "/threads/1", 0
    async with board.page() as http:
        while path:
            page = await http.get(path)
            longest, pages = max(longest, len(page.content)), pages + 1
            _, _, rest = page.text.partition('<link rel="next" href="')
            path = rest.partition('"')[0].replace("&amp;", "&")
        last = await http.get("/threads/1?from=4990")
    assert pages == 5000 // POSTS_ON_A_PAGE + 1
    assert longest < 100_000
    assert 'id="post-5000"' in last.text
    assert 'id="post-4989"' not in last.text


@pytest.mark.parametrize(
    "place", ["/?order=new", "/threads/1", "/users/1", "/users/1?show=threads"]
)
async def test_every_page_of_a_list_leads_back_to_the_one_before(place: str) -> None:
    board = FakeBoard()
    board.posts.all = [post(number) for number in range(1, 200)]
    board.threads.by_id = {number: thread(number, f"Thread {number}") for number in range(1, 100)}
    visited = [place]
    async with board.page() as http:
        while len(visited) < 3:
            page = await http.get(visited[-1])
            visited.append(_linked(page.text, "next"))
        for path, before in zip(visited[:0:-1], visited[-2::-1], strict=True):
            page = await http.get(path)
            assert _linked(page.text, "prev") == before
            assert page.text.count(f'rel="prev" href="{escape(before)}"') == 2
        assert 'rel="prev"' not in (await http.get(place)).text


def _linked(html: str, relation: str) -> str:
    found = re.search(f'<link rel="{relation}" href="([^"]+)">', html)
    assert found is not None
    return unescape(found[1])


async def test_unchanged_page_is_not_rendered_again() -> None:
    board, tags = FakeBoard(), list[str]()
    async with board.page() as http:
        for _ in range(2):
            tags.append((await http.get("/threads/1")).headers["etag"])
        board.posts.all.append(post(14))
        tags.append((await http.get("/threads/1")).headers["etag"])
    assert tags[0] == tags[1] != tags[2]


@pytest.mark.parametrize("path", ["/signin", "/settings", "/docs", "/moderation"])
async def test_page_for_scripts_says_so_to_those_without(path: str) -> None:
    async with FakeBoard().page() as http:
        page = await http.get(path)
    assert "<noscript><p>This page needs JavaScript." in page.text
    assert '<meta name="robots" content="noindex">' in page.text


async def test_every_state_of_a_post_has_its_markup() -> None:
    board = FakeBoard()
    board.posts.all += [
        post(14, reply_to=12, html="<blockquote><p>Post 12</p></blockquote>\n<p>Yes</p>"),
        post(15, reply_to=3),
    ]
    async with board.page() as http:
        shown, _, _ = (await http.get("/threads/1")).text.partition("<template")
    assert shown.count('class="edited"') == 2
    assert 'edited by <a href="/users/1"' in shown
    assert (
        'href="#post-11" class="in-reply-to"><span><bdi>Ines Duarte</bdi>'
        '<span class="said" dir="auto">Is the water warm enough?</span>'
    ) in shown
    assert 'href="#post-12" class="in-reply-to"><span>In reply to <bdi>Hanako</bdi></span>' in shown
    assert (
        'href="/threads/1?from=3#post-3" class="in-reply-to"><span>In reply to a post</span>'
    ) in shown
    assert "data-if" not in shown
    assert "{" not in shown.partition("<body>")[2]


async def test_page_has_a_copy_of_each_part_that_the_browser_makes_too() -> None:
    scripts = "".join(path.read_text("utf-8") for path in STATIC.rglob("*.js"))
    calls = re.findall(
        r'\bcopy(?:Element|Buttons)?\((?:[^"()]*\? )?\s*"([\w-]+)"(?: : "([\w-]+)")?', scripts
    )
    used = {name for names in calls for name in names if name}
    async with FakeBoard().page() as http:
        page = await http.get("/")
    assert set(re.findall(r'<template id="copy-([\w-]+)">', page.text)) == used


def test_prose_is_prepared_tag_by_tag() -> None:
    html = '<p>a</p><h3>b</h3><pre><code>c</code></pre><img alt="<p onload=x" src="/p">'
    frame = '<div class="wide" tabindex="0" role="group" aria-label="Code">'
    assert prepare(html, "Code", "Table") == (
        '<p dir="auto">a</p><h3 dir="auto" aria-level="2">b</h3>'
        f'{frame}<pre dir="auto"><code>c</code></pre></div>'
        '<img alt="<p onload=x" src="/p" dir="auto">'
    )


def test_description_is_one_short_line_of_text() -> None:
    assert plain("<p>a &lt;b&gt;</p>\n<p>c</p>", 160) == "a <b> c"
    assert plain(f"<p>{'x' * 500}</p>", 160) == "x" * 159 + "…"


def test_characters_that_xml_forbids_are_left_out() -> None:
    assert in_xml("a\x0b\x00\ufffeb\n😀") == "ab\n😀"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ines Duarte", "ID"),
        ("ines", "I"),
        ("A Middle Last", "AL"),
        ("👩‍👩‍👧 Family", "👩‍👩‍👧F"),
        ("🇳🇴 👍🏽", "🇳🇴👍🏽"),
        ("e\u0301tienne", "E\u0301"),
        (" ", ""),
    ],
)
def test_initials_are_characters_as_readers_see_them(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_texts_are_those_of_the_file_for_the_browser() -> None:
    texts = Texts.load()
    assert texts.text("posts", count=1) == "1 post"
    assert texts.text("posts", count=1200) == "1,200 posts"
    assert texts.text("search-for", words="<b>") == "Search: <b>"
    assert "delete-account-hint" in texts.keys
