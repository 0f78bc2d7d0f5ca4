"""Using the board with the keyboard only."""

import secrets

from playwright.async_api import Page, expect

from tests.browser.visitors import Visitor
from tests.people import PASSWORD

MOST_STOPS = 60


async def tab_to(page: Page, what: str) -> None:
    """Press Tab until the element with this name has a visible focus."""
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "(e => e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent)"
            "(document.activeElement).trim()"
        )
        if name == what:
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", what
            return
    raise AssertionError(f"{what!r} cannot be reached with Tab")


async def test_board_can_be_used_with_the_keyboard_only(
    visitor: Visitor,
) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    username = f"ines-{secrets.token_hex(5)}"
    await visitor.go("/")
    await page.get_by_role("heading", name="Threads").wait_for()
    await keys.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await tab_to(page, "Register")
    await keys.press("Enter")
    await expect(page.get_by_label("Username")).to_be_focused()
    await keys.type(username)
    for label, value in (("Password", PASSWORD), ("Name", "Ines")):
        await tab_to(page, label)
        await keys.type(value)
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Threads")).to_be_focused()
    await tab_to(page, "New thread")
    await keys.press("Enter")
    await expect(page.get_by_label("Title")).to_be_focused()
    await keys.type("Written by hand")
    await tab_to(page, "What do you want to talk about?")
    await keys.type("No mouse here")
    await keys.press("Control+Enter")
    await expect(visitor.post("No mouse here")).to_be_visible()
    await tab_to(page, "Reply")
    await keys.press("Enter")
    await keys.type("Nor here")
    await keys.press("Control+Enter")
    await expect(visitor.post("Nor here")).to_be_visible()
    await tab_to(page, "Delete")
    await keys.press("Enter")
    await expect(page.get_by_role("button", name="Undo")).to_be_focused()
    await keys.press("Enter")
    await expect(page.locator("article.post button:focus")).to_have_text("Delete")
    await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    await visitor.account_menu().focus()
    await keys.press("Enter")
    await tab_to(page, "Sign out")
    await keys.press("Enter")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()


async def test_single_keys_are_shortcuts_until_they_are_turned_off(visitor: Visitor) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    await visitor.register()
    path = await visitor.start_thread("Short ways", "First")
    await visitor.write("j k r / ?")
    await visitor.post("j k r / ?").wait_for()
    await visitor.go(path)
    await visitor.post("j k r / ?").wait_for()
    await keys.press("j")
    await expect(visitor.post("First")).to_be_focused()
    await keys.press("j")
    await expect(visitor.post("j k r / ?")).to_be_focused()
    await keys.press("k")
    await keys.press("r")
    box = page.get_by_label("Write a post").get_by_role("textbox")
    await expect(box).to_be_focused()
    await expect(page.get_by_text("Replying to")).to_be_visible()
    await keys.press("j")
    await expect(box).to_have_value("j")
    await page.get_by_role("heading", level=1).click()
    await keys.press("/")
    await expect(page.get_by_role("searchbox", name="Words to search for")).to_be_focused()
    await page.get_by_role("heading", level=1).click()
    await keys.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_contain_text("the next post or thread")
    await dialog.get_by_role("link", name="Settings").click()
    await page.get_by_label("Use keyboard shortcuts").uncheck()
    await visitor.go(path)
    await visitor.post("First").wait_for()
    await page.get_by_role("link", name="Skip to writing a post").focus()
    await keys.press("Enter")
    await expect(box).to_be_focused()
    await page.get_by_role("heading", level=1).click()
    await keys.press("j")
    await keys.press("?")
    await expect(visitor.post("First")).not_to_be_focused()
    await expect(dialog).to_have_count(0)
