"""The server and the browser make the same markup, and the page is readable without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.visitors import Visitor
from tests.deployments import Board
from tests.eventually import eventually
from tests.people import joining, moderating

TEXT = """**Bold**, `code`, and a [link](https://example.org/).

# A heading

- one
- two

> quoted

    indented

| a | b |
|---|---|
| 1 | 2 |

- [ ] to do
- [x] done

A remark[^1] and another[^2].

[^1]: Explained.
[^2]: Likewise.
"""

# Markup as text, with sorted attributes, without what depends on the reader or on the time.
MARKUP = """
async (selector) => {
  const show = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const element = node.cloneNode(true);
    if (element.matches("time, .fresh, .in-reply-to")) element.replaceChildren();
    if (element.matches("footer.actions")) element.replaceChildren();
    for (const name of ["title", "data-user"]) element.removeAttribute(name);
    if (element.matches(".thread-row")) element.classList.remove("unread");
    const href = element.getAttribute("href");
    if (href) element.setAttribute("href", href.replace(/[?][^#]*/, ""));
    const attributes = [...element.attributes]
      .map(({ name, value }) => `${name}="${value}"`)
      .map((text) => (element.matches(".in-reply-to") ? text.replace(/"[^#]*#/, '"#') : text))
      .sort();
    const children = [...element.childNodes].map(show).join("");
    return `<${element.localName} ${attributes.join(" ")}>${children}</${element.localName}>`;
  };
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  const served = new DOMParser().parseFromString(await response.text(), "text/html");
  return [served, document].map((page) =>
    [...page.querySelectorAll(selector)].map(show).map((text) => text.replace(/\\s+/g, " ")),
  );
}
"""


@pytest_asyncio.fixture
async def thread(board: Board) -> AsyncIterator[str]:
    """The path of a thread with posts in every state that everybody sees."""
    async with joining(board) as person, moderating(board) as moderator:
        started = await person.start_thread("Every state of a post")
        first = await person.write(started["id"], TEXT)
        reply = {"thread": started["id"], "text": "A reply", "replyTo": first["id"]}
        assert (await moderator.http.post("/api/posts", json=reply)).status_code == 201
        for author, editor in ((person, person), (person, moderator)):
            post = await author.write(started["id"], "To be edited")
            path = f"/api/posts/{post['id']}"
            version = (await editor.http.get(path)).headers["etag"]
            edited = await editor.http.patch(
                path, json={"text": "Edited"}, headers={"If-Match": version}
            )
            assert edited.status_code == 200, edited.text
        removed = await person.write(started["id"], "To be removed")
        await person.http.delete(f"/api/posts/{removed['id']}")

        async def settled() -> bool:
            shown = await person.http.get(f"/api/threads/{started['id']}")
            return bool(shown.json()["postCount"] == 4)

        await eventually(settled)
        yield f"/threads/{started['id']}"


@pytest.mark.parametrize("place", ["thread", "list", "author"])
async def test_server_and_browser_make_the_same_markup(
    board: Board, browser: Browser, thread: str, place: str
) -> None:
    # The page's own policy would not let this test parse HTML.
    context = await browser.new_context(bypass_csp=True)
    try:
        visitor = Visitor(board, context, await context.new_page())
        await visitor.go(thread if place != "list" else "/?order=new")
        await visitor.page.locator("footer.actions button, .thread-row").first.wait_for()
        if place == "author":
            await visitor.page.locator("article.post a.user").first.click()
            await visitor.page.locator(".user-head .badge, .user-head .username").first.wait_for()
            await visitor.page.locator("article.post").nth(2).wait_for()
        await visitor.until_filled()
        kind = "article.thread-row" if place == "list" else "article.post[data-id]"
        served, made = await visitor.page.evaluate(MARKUP, kind)
        assert len(served) >= 3
        assert made[: len(served)] == served
    finally:
        await context.close()


async def test_reference_leads_to_its_footnote_and_back(visitor: Visitor, thread: str) -> None:
    await visitor.go(thread)
    post = visitor.post("A remark")
    address = visitor.page.url
    await post.get_by_role("link", name="[2]").click()
    note = post.locator("li:focus")
    await expect(note).to_contain_text("Likewise.")
    await expect(note).to_be_in_viewport()
    await note.get_by_role("link", name="↩").click()
    await expect(post.locator("sup a:focus")).to_have_text("[2]")
    assert visitor.page.url == address


@pytest.mark.usefixtures("thread")
async def test_board_can_be_read_without_scripts_and_cookies(
    board: Board, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    try:
        page = await context.new_page()
        await page.goto(f"{board.public_origin}/?order=new")
        await page.get_by_role("link", name="Every state of a post").first.click()
        await expect(page.get_by_role("heading", name="Every state of a post")).to_be_visible()
        await expect(page.locator("article.post")).to_have_count(4)
        await page.locator("article.post a.user").first.click()
        await expect(page.locator("article.post").first).to_be_visible()
        await page.get_by_role("searchbox").fill("edited")
        await page.get_by_role("searchbox").press("Enter")
        await expect(page.get_by_role("heading", name="Search")).to_be_visible()
        assert await context.cookies() == []
    finally:
        await context.close()


async def test_page_with_cookies_off_shows_the_board(
    board: Board, browser: Browser, thread: str
) -> None:
    context = await browser.new_context()
    try:
        await context.add_init_script(
            "Object.defineProperty(window, 'localStorage',"
            " {get() { throw new DOMException('off') }})"
        )
        page = await context.new_page()
        await page.goto(board.public_origin + thread)
        await expect(page.locator("footer.actions button").first).to_be_visible()
        await expect(page.locator("article.post")).to_have_count(4)
    finally:
        await context.close()
