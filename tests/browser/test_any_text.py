"""Texts of any length, in any script, in any place: nothing is wider than a narrow screen, and
nothing moves while a page loads."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.browser.hostile import WORD, Hostile, hostile, spilling
from tests.browser.visitors import Visitor, visiting
from tests.deployments import Board
from tests.people import joining

NARROW = 320
LARGEST_SHIFT = 0.05
TALL = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="4000"></svg>'
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 90_000,
}
"""A connection of 1.6 Mbit/s, as Lighthouse has for phones."""
WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const {value, hadRecentInput, sources} of list.getEntries())
        if (!hadRecentInput)
          shifts.push([value, sources.map(({node}) => `${node?.nodeName} ${node?.className}`)]);
    }).observe({type: 'layout-shift', buffered: true});
"""


@pytest_asyncio.fixture(scope="session")
async def texts(board: Board) -> AsyncIterator[Hostile]:
    """A board with texts of any length."""
    async with hostile(board) as found:
        yield found


async def settled(visitor: Visitor, path: str) -> None:
    await visitor.go(path)
    await visitor.page.locator("main h1").first.wait_for()
    await visitor.until_filled()


async def after_the_frame(visitor: Visitor) -> None:
    """Wait until the frame has been drawn: the observer of shifts is called after it."""
    await visitor.page.evaluate(
        "new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))"
    )


# In one deployment only: both serve the same files.
@pytest.mark.parametrize("run", ["monolith"], indirect=True)
@pytest.mark.timeout(180)
async def test_no_page_scrolls_sideways_whatever_users_write(
    board: Board, browser: Browser, texts: Hostile
) -> None:
    found: dict[str, list[str]] = {}

    async def look(visitor: Visitor, what: str) -> None:
        if wide := await spilling(visitor):
            found[what] = wide

    async with visiting(board, browser, NARROW) as visitor:
        for path in texts.pages:
            await settled(visitor, path)
            await look(visitor, path)
        page = visitor.page
        await visitor.sign_in(texts.moderator.username)
        for path in texts.moderators_pages:
            await settled(visitor, path)
            await look(visitor, f"{path} of a moderator")
        await visitor.account_menu().click()
        await look(visitor, "the account's menu")

        await settled(visitor, f"/threads/{texts.thread}")
        await page.locator(".removed-post summary").click()
        await look(visitor, "a removed post")
        await page.get_by_role("button", name="Quote").first.click()
        await page.get_by_role("button", name="Preview").click()
        await visitor.until_filled()
        await look(visitor, "a reply's preview")
        await page.get_by_role("button", name="Write", exact=True).click()
        await page.get_by_role("button", name="Edit", exact=True).first.click()
        await look(visitor, "a post that is edited")
        await page.get_by_role("button", name="Lock").click()
        await page.get_by_role("dialog").get_by_label("Reason").fill(WORD)
        await look(visitor, "a dialog")
        await page.keyboard.press("Escape")

        await visitor.context.set_offline(True)
        await visitor.page.get_by_label("Write a post").get_by_role("textbox").fill(WORD * 3)
        await page.get_by_role("button", name="Post", exact=True).click()
        await expect(page.locator(".pending-post")).to_be_visible()
        await expect(page.get_by_text("The board cannot be reached")).to_be_visible()
        await look(visitor, "a pending post")
        await visitor.context.set_offline(False)
        await settled(visitor, f"/threads/{texts.thread}?architecture=on")
        await page.get_by_text("Configured").wait_for()
        await look(visitor, "the panel")
    assert found == {}


@pytest.mark.parametrize("run", ["monolith"], indirect=True)
async def test_text_stays_where_it_is_when_pictures_load_or_fail(
    board: Board, visitor: Visitor
) -> None:
    answering = asyncio.Event()

    async def answer(route: Route) -> None:
        await answering.wait()
        if "missing" in route.request.url:
            await route.abort()
        else:
            await route.fulfill(content_type="image/svg+xml", body=TALL)

    page = visitor.page
    await visitor.context.add_init_script(WATCH_SHIFTS)
    await page.route("https://pictures.example/**", answer)
    async with joining(board) as person:
        thread = (await person.start_thread())["id"]
        for name in ("tall", "missing", "small"):
            text = f"![{name}](https://pictures.example/{name}) beside it\n\nAfter {name}"
            await person.write(thread, text)
    await visitor.go(f"/threads/{thread}")
    await page.locator(".prose img").nth(2).scroll_into_view_if_needed()
    below = page.get_by_text("After small")
    before = await below.bounding_box()
    answering.set()
    await page.locator(".no-picture").wait_for()
    await visitor.until("[...document.images].every((image) => image.naturalHeight > 0)")
    assert await below.bounding_box() == before
    await after_the_frame(visitor)
    shifts: list[tuple[float, list[str]]] = await page.evaluate("shifts")
    assert sum(value for value, _ in shifts) < LARGEST_SHIFT, shifts


@pytest.mark.parametrize("run", ["monolith"], indirect=True)
@pytest.mark.timeout(180)
async def test_nothing_moves_while_a_page_loads_on_a_slow_connection(
    board: Board, browser: Browser, texts: Hostile
) -> None:
    found: dict[str, object] = {}

    async def look(visitor: Visitor, path: str) -> None:
        await visitor.go(path)
        await visitor.page.locator("main h1").first.wait_for()
        await visitor.until_filled()
        await after_the_frame(visitor)
        shifts: list[tuple[float, list[str]]] = await visitor.page.evaluate("shifts")
        if sum(value for value, _ in shifts) >= LARGEST_SHIFT:
            found[path] = shifts

    async with visiting(board, browser, 375) as visitor:
        await visitor.context.add_init_script(WATCH_SHIFTS)
        session = await visitor.context.new_cdp_session(visitor.page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", SLOW)
        deep = f"/threads/{texts.thread}?from={texts.last}#post-{texts.last}"
        for path in ("/threads/1", "/threads/1?from=5#post-5", deep, *texts.pages):
            await look(visitor, path)
        await visitor.sign_in(texts.moderator.username)
        for path in texts.moderators_pages:
            await look(visitor, path)
    assert found == {}
