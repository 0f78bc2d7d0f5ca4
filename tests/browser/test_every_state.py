"""Pages in the states that an address does not show: dialogs, errors, conflicts, and offline.

None of them has a violation of accessibility, in both colour schemes and two widths."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.test_every_page import is_too_wide, violations
from tests.browser.visitors import Scheme, Visitor, visiting
from tests.deployments import Board
from tests.people import Person, joining, joining_as

TEXT = """A post with a footnote[^1], a picture and tasks.

- [x] done
- [ ] to do

![A loaf](https://pictures.example/loaf.png)

[^1]: The footnote.
"""
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = (320, 1280)


class Looking:
    """Looks at states of a visitor's page. `found` has the violations of each."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self.found: dict[str, list[str]] = {}

    async def at(self, state: str) -> None:
        """Look at the page as it is now; only at its dialog, if one is open."""
        page = self._visitor.page
        part = "dialog" if await page.get_by_role("dialog").count() else None
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                if wrong := await violations(page, part):
                    self.found[f"{state}, {scheme}, {width} px"] = wrong
            if await is_too_wide(page):
                self.found[f"{state}, {width} px"] = ["it scrolls sideways"]

    @asynccontextmanager
    async def dialog(self, button: str) -> AsyncIterator[None]:
        """Open the dialog of a button, look at it after what the block does, and close it."""
        page = self._visitor.page
        await page.get_by_role("button", name=button, exact=True).first.click()
        await page.get_by_role("dialog").wait_for()
        yield
        await self._visitor.until_filled()
        await self.at(f"the dialog of {button!r}")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def edit_elsewhere(visitor: Visitor, post: str) -> None:
    """Change the text of a post without the visitor's page."""
    person = visitor.context.request
    shown = await person.get(f"{visitor.board.public_origin}/api/posts/{post}")
    headers = {"If-Match": shown.headers["etag"], "Origin": visitor.board.public_origin}
    changed = await person.patch(
        f"{visitor.board.public_origin}/api/posts/{post}",
        data={"text": "Changed elsewhere"}, headers=headers,
    )  # fmt: skip
    assert changed.ok, await changed.text()


async def refuse(route: Route) -> None:
    problem = {
        "type": "/problems/conflict", "title": "Conflict", "status": 409,
        "detail": "This thread is locked.",
    }  # fmt: skip
    await route.fulfill(status=409, content_type="application/problem+json", json=problem)


# In one deployment only: both serve the same files.
@pytest.mark.parametrize("run", ["monolith"], indirect=True)
@pytest.mark.timeout(180)
async def test_no_state_of_a_page_has_a_violation_of_accessibility(
    board: Board, browser: Browser
) -> None:
    async with (
        joining(board) as person,
        joining_as(board, "admin") as admin,
        visiting(board, browser) as visitor,
    ):
        look = Looking(visitor)
        page = visitor.page
        await look_at_forms(visitor, look)
        await visitor.sign_in(admin.username)
        await look_at_writing(visitor, look)
        await look_at_moderating(visitor, look, person)
        await look_at_failures(visitor, look)
        await page.unroute_all()
        assert look.found == {}


async def look_at_forms(visitor: Visitor, look: Looking) -> None:
    """Forms with errors at their fields, and of the whole form."""
    page = visitor.page
    await visitor.go("/register")
    await page.get_by_label("Username").fill("a b")
    await page.get_by_label("Password").fill("short")
    await page.get_by_role("main").get_by_role("button", name="Register").click()
    await expect(page.get_by_label("Username")).to_have_attribute("aria-invalid", "true")
    await look.at("errors at the fields")
    await visitor.go("/signin")
    await page.get_by_label("Username").fill(f"nobody-{secrets.token_hex(4)}")
    await page.get_by_label("Password").fill("a wrong guess")
    await page.get_by_label("Password").press("Enter")
    await expect(page.get_by_role("alert").first).not_to_be_empty()
    await look.at("an error of the form")


async def look_at_writing(visitor: Visitor, look: Looking) -> None:
    """The composer, a post with everything, and what its author can do with it."""
    page = visitor.page
    await page.route("https://pictures.example/*", lambda route: route.abort())
    await visitor.start_thread(f"Every state {secrets.token_hex(4)}", TEXT)
    await page.locator(".no-picture").wait_for()
    await look.at("a post with a footnote, tasks, and a picture that failed")
    async with look.dialog("Markdown works here"):
        await page.locator(".guide .footnotes").wait_for()
        await page.get_by_label("Show buttons for formatting").check()
    await page.get_by_role("button", name="Footnote").wait_for()
    await page.get_by_label("Write a post").get_by_role("textbox").fill(TEXT)
    await page.get_by_role("button", name="Reply", exact=True).first.click()
    await look.at("a reply, with buttons")
    await page.get_by_role("button", name="Preview").click()
    await page.locator(".preview .footnotes").wait_for()
    await look.at("a preview")
    await page.get_by_role("button", name="Write", exact=True).click()
    await page.get_by_label("Write a post").get_by_role("textbox").fill("")
    await page.get_by_role("heading", level=1).click()
    await page.keyboard.press("?")
    await page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    await look.at("the shortcuts")
    await page.keyboard.press("Escape")
    post = await page.locator("article.post[data-id]").first.get_attribute("data-id")
    await page.get_by_role("button", name="Edit", exact=True).first.click()
    editor = page.get_by_label("Edit the post")
    await editor.fill("Changed here")
    await edit_elsewhere(visitor, str(post))
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".composer").get_by_role("alert").first).not_to_be_empty()
    await look.at("an edit in conflict with another")
    await page.get_by_role("button", name="Cancel").click()
    await page.reload()
    await visitor.until_filled()
    async with look.dialog("History"):
        await expect(page.get_by_role("dialog")).to_contain_text("Version 1")
    async with look.dialog("Rename"):
        pass
    await page.get_by_role("button", name="Delete", exact=True).first.click()
    await page.get_by_role("button", name="Undo").wait_for()
    await look.at("a deletion that can be undone")
    await page.get_by_role("button", name="Undo").click()


async def look_at_moderating(visitor: Visitor, look: Looking, person: Person) -> None:
    """What a moderator and an admin can do with somebody else."""
    page = visitor.page
    thread = (await person.start_thread())["id"]
    await person.write(thread, "Buy kettles")
    await visitor.go(f"/threads/{thread}")
    await page.get_by_role("button", name="Report").wait_for()
    for button in ("Report", "Delete", "Lock"):
        async with look.dialog(button):
            pass
    await visitor.go(f"/users/{person.id}")
    await page.get_by_role("button", name="Make admin").wait_for()
    for button in ("Make admin", "Ban", "Reset password"):
        async with look.dialog(button):
            pass


async def look_at_failures(visitor: Visitor, look: Looking) -> None:
    """Posts that are not sent, and pages that are not loaded."""
    page = visitor.page
    await visitor.go("/threads/1")
    await page.route("**/api/posts", refuse)
    await visitor.write("Refused")
    await page.get_by_role("button", name="Discard").wait_for()
    await look.at("a post that was refused")
    await page.get_by_role("button", name="Discard").click()
    await page.unroute("**/api/posts")
    await visitor.context.set_offline(True)
    await visitor.write("From a tunnel")
    await expect(page.locator(".pending-post")).to_contain_text("stored on this device")
    await expect(page.get_by_text("The board cannot be reached at the moment.")).to_be_visible()
    await look.at("a post that waits for a connection")
    await page.get_by_role("link", name="The board").first.click()
    await expect(page.get_by_text("Waiting for the board")).to_be_visible()
    await look.at("a page that waits for a connection")
    await visitor.context.set_offline(False)
    await page.locator(".thread-row").first.wait_for()
    await visitor.go("/settings")
    await visitor.until_filled()
    await visitor.end_session()
    await page.get_by_label("About you").fill("A sentence.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Your session has ended")
    await look.at("the dialog to sign in again")
