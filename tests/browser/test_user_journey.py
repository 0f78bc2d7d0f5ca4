"""What a user does in a browser, from registering to deleting the account."""

import json
import secrets

from playwright.async_api import expect

from tests.browser.visitors import Visitor
from tests.people import PASSWORD
from topology.contexts import CONTEXT_NAMES

NEW_PASSWORD = "eight louder herons"


async def test_user_can_register_write_change_everything_and_delete_the_account(
    visitor: Visitor,
) -> None:
    page = visitor.page
    await visitor.register("Ines Moreau")
    await expect(visitor.account_menu()).to_contain_text("Ines Moreau")

    title = f"Bread that will not rise {secrets.token_hex(4)}"
    path = await visitor.start_thread(title, "Is the water *warm* enough?")
    await expect(page.locator(".post em")).to_have_text("warm")

    await visitor.write("And **salt**?")
    await visitor.post("And salt?").get_by_role("button", name="Edit").click()
    editor = page.get_by_label("Edit the post")
    await expect(editor).to_have_value("And **salt**?")
    await editor.fill("And sugar?")
    await page.get_by_role("button", name="Save").click()
    await expect(visitor.post("And sugar?")).to_contain_text("edited")
    await visitor.post("And sugar?").get_by_role("button", name="History").click()
    await expect(page.get_by_role("dialog")).to_contain_text("And **salt**?")
    await page.get_by_role("button", name="Close").click()

    await page.get_by_role("button", name="Rename").click()
    await page.get_by_role("dialog").get_by_label("Title").fill(f"{title}, solved")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"{title}, solved")

    await visitor.go(f"/search?q={title.rsplit(maxsplit=1)[1]}")
    await page.get_by_role("link", name=f"{title}, solved").click()
    await expect(page).to_have_url(visitor.board.public_origin + path)

    await visitor.go("/settings")
    await page.get_by_label("About you").fill("Bakes at night.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_label("New password").fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("The password has been changed.")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
    own = json.loads((await (await download.value).path()).read_text())
    assert {*own} == {*CONTEXT_NAMES}
    assert own["users"]["users"][0]["bio"] == "Bakes at night."
    assert "And sugar?" in [post["text"] for post in own["posts"]["posts"]]
    await visitor.account_menu().click()
    await page.get_by_role("link", name="Your page").click()
    await expect(page.get_by_text("Bakes at night.")).to_be_visible()

    await visitor.account_menu().click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("navigation").get_by_role("link", name="Sign in")).to_be_visible()
    await visitor.sign_in(visitor.username, NEW_PASSWORD)

    await visitor.go("/settings")
    leave = page.locator("section").filter(has=page.get_by_role("heading", name="Delete account"))
    await leave.get_by_label("Password").fill(NEW_PASSWORD)
    await leave.get_by_role("button", name="Delete account").click()
    await expect(page.get_by_text("Your account has been deleted.")).to_be_visible()
    await visitor.go(path)
    await expect(visitor.post("And sugar?")).to_contain_text("Deleted user")
    await visitor.go("/signin")
    await visitor.fill_in_sign_in(NEW_PASSWORD)
    await expect(page.get_by_role("alert")).not_to_be_empty()


async def test_a_session_can_be_ended_from_another_browser(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    await other.sign_in(visitor.username)
    await visitor.go("/settings")
    rows = visitor.page.locator(".sessions li")
    await expect(rows).to_have_count(2)
    await rows.get_by_role("button", name="End").click()
    await expect(rows).to_have_count(1)
    await other.go("/")
    await expect(other.account_menu()).to_have_count(0)


async def test_field_errors_are_shown_next_to_the_field(visitor: Visitor) -> None:
    await visitor.go("/register")
    await visitor.page.get_by_label("Username").fill("a b")
    await visitor.page.get_by_label("Password").fill("short")
    await visitor.page.get_by_role("main").get_by_role("button", name="Register").click()
    for label in ("Username", "Password"):
        field = visitor.page.get_by_label(label)
        await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(visitor.page.get_by_label("Username")).to_be_focused()


async def test_deletion_of_a_post_can_be_undone_for_five_seconds(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    path = await visitor.start_thread("Second thoughts", "To be kept")
    await other.go(path)
    await other.post("To be kept").wait_for()
    await visitor.post("To be kept").get_by_role("button", name="Delete").click()
    await expect(visitor.post("To be kept")).to_be_hidden()
    await visitor.page.get_by_role("button", name="Undo").click()
    await expect(visitor.post("To be kept")).to_be_visible()
    await visitor.post("To be kept").get_by_role("button", name="Delete").click()
    await expect(other.post("To be kept")).to_have_count(0, timeout=10_000)
    await visitor.go(path)
    await expect(visitor.page.get_by_text("No posts yet.")).to_be_visible()


async def test_reply_shows_its_original_and_quote_repeats_its_text(visitor: Visitor) -> None:
    await visitor.register("Ines Moreau")
    await visitor.start_thread("Replies", "The first word")
    await visitor.post("The first word").get_by_role("button", name="Quote").click()
    box = visitor.page.get_by_label("Write a post").get_by_role("textbox")
    await expect(box).to_have_value("> **Ines Moreau:**\n>\n> The first word\n\n")
    await visitor.page.get_by_role("button", name="Preview").click()
    preview = visitor.page.locator(".preview blockquote")
    await expect(preview).to_contain_text("The first word")
    await visitor.page.get_by_role("button", name="Write").click()
    await visitor.write("The second word")
    await expect(visitor.post("The second word").locator(".in-reply-to")).to_contain_text(
        "The first word"
    )
