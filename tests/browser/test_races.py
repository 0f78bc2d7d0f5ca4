"""Rules for events that happen in two places at once."""

from playwright.async_api import Route, expect

from tests.browser.visitors import Visitor, watch
from tests.eventually import eventually


async def test_own_post_appears_once_if_the_stream_is_faster_than_the_response(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    await other.register()
    path = await visitor.start_thread("Who is first")
    await visitor.page.locator("[data-live]").wait_for()
    await other.go(path)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await visitor.page.route("**/api/posts", hold)
    await visitor.write("Only once")

    async def sent() -> bool:
        return bool(held)

    await eventually(sent, what="the request with the post")
    answer = await held[0].fetch()
    await other.write("A later one")
    # Events arrive in order, so the event of the visitor's own post has arrived before this one.
    await visitor.post("A later one").wait_for()
    shown = visitor.page.locator("article.post").filter(has_text="Only once")
    await expect(shown).to_have_count(1)
    await held[0].fulfill(response=answer)
    await expect(visitor.page.locator(".pending-post")).to_have_count(0)
    await expect(visitor.post("Only once")).to_have_count(1)


async def test_draft_is_removed_when_its_post_is_sent(visitor: Visitor) -> None:
    await visitor.register()
    path = await visitor.start_thread("Drafts")
    await visitor.write("Sent")
    await visitor.post("Sent").wait_for()
    await visitor.go(path)
    box = visitor.page.get_by_label("Write a post").get_by_role("textbox")
    await expect(box).to_have_value("")
    await expect(visitor.post("Sent")).to_have_count(1)


async def test_edit_in_another_browser_keeps_the_form_and_is_not_overwritten(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    path = await visitor.start_thread("Edited twice", "First version")
    await visitor.page.locator("[data-live]").wait_for()
    await visitor.post("First version").get_by_role("button", name="Edit").click()
    form = visitor.page.get_by_label("Edit the post")
    await form.fill("Version of this browser")

    await other.sign_in(visitor.username)
    await other.go(path)
    await other.post("First version").get_by_role("button", name="Edit").click()
    await other.page.get_by_label("Edit the post").fill("Version of the other")
    await other.page.get_by_role("button", name="Save").click()
    await other.post("Version of the other").wait_for()
    await other.write("Written after it")
    await visitor.post("Written after it").wait_for()
    await expect(form).to_have_value("Version of this browser")

    await visitor.page.get_by_role("button", name="Save").click()
    await expect(visitor.page.locator(".composer").get_by_role("alert").first).not_to_be_empty()
    await other.go(path)
    await expect(other.post("Version of the other")).to_have_count(1)


async def test_leaving_the_page_deletes_the_post_at_once(visitor: Visitor, other: Visitor) -> None:
    await visitor.register()
    path = await visitor.start_thread("Left in a hurry", "To be deleted")
    await other.go(path)
    await other.post("To be deleted").wait_for()
    await other.page.locator("[data-live]").wait_for()
    await visitor.post("To be deleted").get_by_role("button", name="Delete").click()
    await visitor.page.goto("about:blank")
    await expect(other.post("To be deleted")).to_have_count(0)


async def test_signing_out_in_one_tab_signs_out_of_the_others(visitor: Visitor) -> None:
    await visitor.register()
    tab = await visitor.context.new_page()
    watch(visitor, tab)
    await tab.goto(visitor.board.public_origin)
    await tab.locator("details.account summary").wait_for()
    await visitor.account_menu().click()
    await visitor.page.get_by_role("button", name="Sign out").click()
    await expect(tab.get_by_role("navigation").get_by_role("link", name="Sign in")).to_be_visible()


async def test_name_is_shown_as_it_was_written(visitor: Visitor) -> None:
    name = "<b>Bold</b> & <i>brave</i>"
    await visitor.register(name)
    await visitor.start_thread("Names", "Who wrote this?")
    await expect(visitor.post("Who wrote this?").locator("header .name")).to_have_text(name)
    await expect(visitor.account_menu()).to_contain_text(name)
