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
    await expect(page.get_by_role("heading", name="Register")).to_be_focused()
    for label, value in (("Username", username), ("Password", PASSWORD), ("Name", "Ines")):
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
    await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    await visitor.account_menu().focus()
    await keys.press("Enter")
    await tab_to(page, "Sign out")
    await keys.press("Enter")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
