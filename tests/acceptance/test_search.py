"""Searching titles and posts."""

from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.deployments import Board
from tests.pages import every_page
from tests.people import Person
from tests.problems import pointers

pytestmark = pytest.mark.one_deployment

PLACES = ("/api/posts/search", "/api/threads/search")


async def _write(person: Person, *texts: str) -> list[int]:
    """Write posts with these texts, and threads with these titles. Returns the posts' ids."""
    thread = (await person.start_thread())["id"]
    return [(await person.write(thread, text))["id"] for text in texts]


async def _found(http: httpx.AsyncClient, words: str, place: str = PLACES[0]) -> list[int]:
    path = f"{place}?{urlencode({'q': words, 'limit': 1})}"
    return [hit["id"] async for page in every_page(http, path) for hit in page]


async def test_the_newest_comes_first_on_every_page(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    word = f"zx{newcomer.id}equal"
    posts = await _write(newcomer, *[f"The same {word}"] * 5)
    posts += await _write(newcomer, f"Of {word}, nothing but {word}, and {word} again", word)
    assert await _found(visitor, word) == posts[::-1]
    threads = [(await newcomer.start_thread(f"The same {word}"))["id"] for _ in range(3)]
    assert await _found(visitor, word, PLACES[1]) == threads[::-1]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("{a} {b}", {2, 3}),
        ("{a} or {b}", {0, 1, 2, 3}),
        ("{a} -{b}", {0}),
        ('"{a} {b}"', {2}),
        ('"{b} {a}"', {3}),
        ("{a}-{b}", {2, 3}),
        ("{A}", {0, 2, 3}),
        ("  {a}  ", {0, 2, 3}),
        ("{a} the", {0, 2, 3}),
        ("({a}) & {b} | !", {2, 3}),
        ('"{a}', {0, 2, 3}),
        ("{a}:*", {0, 2, 3}),
        ("{a}%", {0, 2, 3}),
        ("nobody{a}", set()),
    ],
)
async def test_search_supports_web_search_syntax(
    board: Board, newcomer: Person, words: str, wanted: set[int]
) -> None:
    a, b = f"zx{newcomer.id}left", f"zx{newcomer.id}right"
    titles = [a, b, f"{a} {b}", f"{b}/{a}"]
    posts = await _write(newcomer, *titles)
    asked = words.format(a=a, b=b, A=a.upper())
    assert set(await _found(newcomer.http, asked)) == {posts[index] for index in wanted}
    assert board.url


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "words",
    ["!", "'", '"', "--", "-", "or", "the", ";", "\\", "%", "_", "*", "()", "&|!", "<->", ":*",
     "' OR 1=1 --", "'; DROP TABLE posts; --", "x'||pg_sleep(5)||'", "$1", "{}", "\u200b",
     "a", "\U0001f600", "\u4e2d\u6587", "x" * 200, "\"" * 200, "-" * 200,
     "- " * 100, "-_ " * 60, "-(" * 100, '-"' * 100, "a or " * 40],
)  # fmt: skip
async def test_any_search_text_is_accepted(
    visitor: httpx.AsyncClient, place: str, words: str
) -> None:
    response = await visitor.get(f"{place}?q={quote(words, safe='')}")
    assert response.status_code == 200
    assert isinstance(response.json(), list)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("“{a}”", "{a}"),
        ("{a}’s", "{a}"),
        ("night—{a}", "{a}"),
        ("{a}… wait", "{a}"),
        ("{a}👍", "{a}"),
        ("no\u00a0{a}\u00a0break", "{a}"),
        ("{a}パン。", "{a}"),
        ("{a}パン。", "パン {a}"),
        ("{a} 全粒粉パン屋", "{a} 粉パン"),
        ("client/{a}", "{a}"),
        ("{a}.js", "js {a}"),
        ("{a} 3.11.7", "{a} 11"),
        ("{a} 3.11.7", '{a} "3.11.7"'),
        ("{a} Crème brûlée", "{a} creme BRULEE"),
        ("{a} creme brulee", "{a} Crème brûlée"),
        ("{a} хлеб", "{a} ХЛЕБ"),
        ("{a} Straße", "{a} strasse"),
        ("{a} ｆｕｌｌ", "{a} full"),
        ("{a} soft\u00adhyphen", "{a} softhyphen"),
        ("{a} rolls were rising", "{a} roll rise"),
        ("warm {a} water", "“warm {a}”"),
        ("{a} 1e5x", "{a} 1e5x"),
    ],
)
async def test_word_is_found_next_to_punctuation_and_in_any_case(
    visitor: httpx.AsyncClient, newcomer: Person, written: str, words: str
) -> None:
    a = f"zx{newcomer.id}beside"
    [post] = await _write(newcomer, written.format(a=a))
    thread = (await newcomer.start_thread(written.format(a=a)))["id"]
    assert await _found(visitor, words.format(a=a)) == [post]
    assert await _found(visitor, words.format(a=a), PLACES[1]) == [thread]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("{a}br*", [1, 0]), ("{a}bre*", [1, 0]), ("{a}brea* -{a}bread", [1]), ("{a}zz*", []),
     ("-{a}brea* {a}", [2]), ("{a} {a}bread*", [])],
)  # fmt: skip
async def test_star_matches_longer_words(
    visitor: httpx.AsyncClient, newcomer: Person, words: str, wanted: list[int]
) -> None:
    a = f"zx{newcomer.id}star"
    posts = await _write(newcomer, f"{a}bread", f"{a}breath", a)
    asked = words.format(a=a)
    assert await _found(visitor, asked) == [posts[index] for index in wanted]


async def test_two_letters_and_a_star_match_only_that_word(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    a = f"zx{newcomer.id}short"
    _, exact = await _write(newcomer, f"{a} qzq", f"{a} qz")
    assert await _found(visitor, f"{a} qz*") == [exact]


async def test_a_snippet_shows_words_as_they_were_written(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    a = f"zx{newcomer.id}shown"
    await _write(newcomer, f"{a}: the “Crème” (brûlée!) of node.js, パン屋さん, rolls")
    words = f"{a} creme brulee js パン屋 roll"
    [hit] = (await visitor.get("/api/posts/search", params={"q": words})).json()
    assert hit["snippet"] == (
        f"<mark>{a}</mark>: the “<mark>Crème</mark>” (<mark>brûlée</mark>!) of"
        " node.<mark>js</mark>, <mark>パン屋</mark>さん, <mark>rolls</mark>"
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("query", "pointer"),
    [("", "?q"), ("q=", "?q"), (f"q={'x' * 201}", "?q"), (f"q={'x' * 10_000}", "?q"),
     ("q=a%00b", "?q"), ("q=x&limit=0", "?limit"), ("q=x&limit=101", "?limit")],
)  # fmt: skip
async def test_search_text_has_1_to_200_characters(
    visitor: httpx.AsyncClient, place: str, query: str, pointer: str
) -> None:
    assert pointers(await visitor.get(f"{place}?{query}")) == [pointer]


@pytest.mark.parametrize("place", PLACES)
async def test_cursor_of_other_search_words_is_rejected(
    visitor: httpx.AsyncClient, newcomer: Person, place: str
) -> None:
    word = f"zx{newcomer.id}cursor"
    await _write(newcomer, word, word)
    for _ in range(2):
        await newcomer.start_thread(f"About {word}")
    first = await visitor.get(f"{place}?q={word}&limit=1")
    cursor = first.headers["link"].partition("after=")[2].partition(">")[0]
    assert (await visitor.get(f"{place}?q=other&after={cursor}")).status_code == 400


async def test_snippet_is_safe_html_with_matches_marked(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    word = f"zx{newcomer.id}snippet"
    await _write(newcomer, f"<script>alert('{word}')</script> & <b>a_b/c-d</b> \x02{word}\x03")
    [hit] = (await visitor.get(f"/api/posts/search?q={word}")).json()
    snippet = hit["snippet"]
    assert snippet.count("<mark>") == snippet.count("</mark>") == 2
    assert (
        f"alert('<mark>{word}</mark>')&lt;/script&gt; &amp; &lt;b&gt;a_b/c-d&lt;/b&gt;" in snippet
    )
    plain = snippet.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in plain
    assert all(character >= " " for character in plain)
    assert set(hit) == {
        "id", "thread", "user", "text", "html", "replyTo", "createdAt", "editedAt", "editedBy",
        "snippet",
    }  # fmt: skip


@pytest.mark.parametrize("unit", ["a_", "~/", "a1-b2.", "0<!--", "<a b='", "http://", "&#x", "-"])
async def test_no_text_takes_long_to_search(
    visitor: httpx.AsyncClient, newcomer: Person, unit: str
) -> None:
    # PostgreSQL's own parser takes up to nine seconds for each of these.
    word = f"zx{newcomer.id}busy"
    text = (f"{word} " + unit * 32_000)[:32_000]
    thread = (await newcomer.start_thread())["id"]
    newcomer.http.timeout = httpx.Timeout(4.0)
    await newcomer.write(thread, text)
    response = await visitor.get(f"/api/posts/search?q={word}", timeout=4.0)
    assert [hit["text"] for hit in response.json()] == [text]


async def test_edited_post_is_found_only_by_its_new_words(newcomer: Person) -> None:
    old, new = f"zx{newcomer.id}old", f"zx{newcomer.id}new"
    [post] = await _write(newcomer, old)
    changed = {"headers": {"If-Match": "*"}, "json": {"text": new}}
    arguments: dict[str, Any] = changed
    assert (await newcomer.http.patch(f"/api/posts/{post}", **arguments)).status_code == 200
    assert await _found(newcomer.http, old) == []
    assert await _found(newcomer.http, new) == [post]


async def test_renamed_thread_is_found_only_by_its_new_title(newcomer: Person) -> None:
    old, new = f"zx{newcomer.id}old", f"zx{newcomer.id}new"
    thread = await newcomer.start_thread(f"About {old}")
    path = f"/api/threads/{thread['id']}"
    await newcomer.http.patch(path, json={"title": f"About {new}", "version": 1})
    assert await _found(newcomer.http, old, PLACES[1]) == []
    assert await _found(newcomer.http, new, PLACES[1]) == [thread["id"]]
