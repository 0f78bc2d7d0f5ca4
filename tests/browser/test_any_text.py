"""Texts of any length, in any script, in any place: nothing is wider than a narrow screen."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.hostile import WORD, hostile, spilling
from tests.browser.visitors import Visitor, visiting
from tests.deployments import Board

NARROW = 320


async def settled(visitor: Visitor, path: str) -> None:
    await visitor.go(path)
    await visitor.page.locator("main h1").first.wait_for()
    await visitor.until_filled()


# In one deployment only: both serve the same files.
@pytest.mark.parametrize("run", ["monolith"], indirect=True)
@pytest.mark.timeout(180)
async def test_no_page_scrolls_sideways_whatever_users_write(
    board: Board, browser: Browser
) -> None:
    found: dict[str, list[str]] = {}

    async def look(visitor: Visitor, what: str) -> None:
        if wide := await spilling(visitor):
            found[what] = wide

    async with hostile(board) as texts, visiting(board, browser, NARROW) as visitor:
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
