"""The server and the browser make the same markup, and the page is readable without scripts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

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


@pytest.mark.usefixtures("thread")
@pytest.mark.parametrize("place", ["thread", "list", "author"])
async def test_server_and_browser_make_the_same_markup(
    board: Board, browser: Browser, place: str
) -> None:
    # The page's own policy would not let this test parse HTML.
    context = await browser.new_context(bypass_csp=True)
    try:
        visitor = Visitor(board, context, await context.new_page())
        # What the browser has not received as HTML it makes itself.
        await visitor.go("/docs" if place == "list" else "/?order=new")
        if place == "list":
            await visitor.page.get_by_role("link", name="The board").click()
            await visitor.page.locator('.orders a[href="/?order=new"]').click()
        else:
            await visitor.page.get_by_role("link", name="Every state of a post").first.click()
            await visitor.page.locator("footer.actions button").first.wait_for()
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


# The parts of an element with their classes, without what a user wrote and what the browser puts
# into slots. Of a template, `?` marks those that only some copies have.
PARTS = """
(element) => {
  const parts = (root) =>
    [...root.querySelectorAll("*")]
      .filter((part) => !part.parentElement?.closest(".prose, .avatar, .user, .in-reply-to, time"))
      .filter((part) => !part.matches(".avatar, .user, time, .reply-line, .removal *"))
      .map((part) => {
        const optional = part.closest("[data-if]") ? "?" : "";
        const { act = "" } = part.dataset;
        return `${optional}${part.localName}.${part.className} ${part.getAttribute("role")} ${act}`;
      });
  const kind = ["pending", "removed"].find((kind) => element.classList.contains(`${kind}-post`));
  const template = document.getElementById(`copy-${kind ? `${kind}-` : ""}post`).content;
  const actions = document.getElementById("copy-actions").content;
  return [parts(element), [...parts(template.firstElementChild), ...(kind ? [] : parts(actions))]];
}
"""


# In one deployment only: both serve the same files.
@pytest.mark.parametrize("run", ["monolith"], indirect=True)
async def test_post_that_no_page_of_the_server_shows_is_a_copy_of_its_template(
    board: Board, visitor: Visitor
) -> None:
    async with joining(board) as person, moderating(board) as moderator:
        started = await person.start_thread("A post in every other state")
        first = await person.write(started["id"], "To be removed")
        await visitor.sign_in(moderator.username)
        await visitor.go(f"/threads/{started['id']}")
        await visitor.page.locator("[data-live]").wait_for()
        await person.write(started["id"], "It arrives")
        removal = f"/api/posts/{first['id']}/removal"
        removed = await moderator.http.put(removal, json={"reason": "A reason"})
        assert removed.status_code == 204, removed.text
        await visitor.page.route("**/api/posts", refuse)
        await visitor.write("Refused")
        await visitor.page.locator(".pending-post.refused").wait_for()
        await visitor.page.unroute("**/api/posts")
        await visitor.write("My own")
        await visitor.post("My own").wait_for()
        await visitor.page.route("**/api/posts", abort)
        await visitor.write("On its way")
        shown = {
            "live": visitor.post("It arrives"),
            "own": visitor.post("My own"),
            "removed": visitor.page.locator(".removed-post"),
            "refused": visitor.page.locator(".pending-post.refused"),
            "offline": visitor.page.locator(".pending-post.offline"),
        }
        for state, post in shown.items():
            made, template = await post.evaluate(PARTS)
            expected = [part for part in template if part[0] != "?" or part[1:] in made]
            assert (state, made) == (state, [part.removeprefix("?") for part in expected])


async def abort(route: Route) -> None:
    await route.abort()


async def refuse(route: Route) -> None:
    await route.fulfill(status=422)


async def test_opened_page_requests_nothing_that_the_server_has_sent(
    visitor: Visitor, thread: str
) -> None:
    requested: list[str] = []
    visitor.page.on("request", lambda request: requested.append(request.url))
    for path in (thread, "/", "/users/1", "/users/1?show=threads"):
        requested.clear()
        await visitor.go(path)
        await visitor.until_filled()
        if path == thread:
            await visitor.page.locator("[data-live]").wait_for()
        reads = [url for url in requested if "/api/" in url and not url.endswith("/stream")]
        assert reads == [], path


async def test_post_written_while_the_page_was_loading_is_shown(
    board: Board, visitor: Visitor, thread: str
) -> None:
    loaded, written = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        loaded.set()
        await written.wait()
        await route.continue_()

    await visitor.page.route("**/stream", hold)
    await visitor.go(thread)
    async with asyncio.timeout(20):
        await loaded.wait()
    async with joining(board) as person:
        await person.write(int(thread.rsplit("/", 1)[1]), "Written meanwhile")
    written.set()
    await visitor.post("Written meanwhile").wait_for()


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
