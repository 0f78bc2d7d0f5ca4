"""Several users in one thread, each in their own browser."""

from playwright.async_api import Browser, expect

from tests.browser.roles import appoint
from tests.browser.visitors import Visitor, visiting
from tests.deployments import Board
from tests.eventually import eventually


async def test_two_browsers_see_each_others_posts(visitor: Visitor, other: Visitor) -> None:
    await visitor.register()
    await other.register()
    path = await visitor.start_thread("Together")
    await other.go(path)
    await other.page.locator("[data-live]").wait_for()
    await other.write("Here I am")
    await expect(visitor.post("Here I am")).to_have_count(1)
    await visitor.write("So am I")
    await expect(other.post("So am I")).to_have_count(1)
    await expect(visitor.post("So am I")).to_have_count(1)
    await other.post("Here I am").get_by_role("button", name="Edit").click()
    await other.page.get_by_label("Edit the post").fill("Here I was")
    await other.page.get_by_role("button", name="Save").click()
    await expect(visitor.post("Here I was")).to_contain_text("edited")


async def test_new_post_arrives_over_the_stream_without_another_request(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    await visitor.start_thread("How fast")
    await other.go(visitor.page.url.removeprefix(visitor.board.public_origin))
    await other.page.locator("[data-live]").wait_for()
    asked: list[str] = []
    other.page.on("request", lambda request: asked.append(request.url))
    for number in range(5):
        box = visitor.page.get_by_label("Write a post").get_by_role("textbox")
        await box.fill(f"Post {number}!")
        await box.press("Control+Enter")
        await other.post(f"Post {number}!").wait_for(state="attached")
        await visitor.post(f"Post {number}!").wait_for()
    assert [url for url in asked if "/api/posts" in url or "/api/threads" in url] == []


async def test_new_post_does_not_scroll_a_reader_of_earlier_posts(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    await other.register()
    path = await visitor.start_thread("Long", "\n\n".join(["A line."] * 60))
    await other.go(path)
    await other.page.locator("[data-live]").wait_for()
    await visitor.write("First news")
    await visitor.post("First news").wait_for()
    await visitor.write("Second news")
    bar = other.page.get_by_role("button", name="2 new")
    await expect(bar).to_be_visible()
    assert await other.page.evaluate("scrollY") == 0
    await bar.click()
    await expect(other.post("Second news")).to_be_in_viewport()
    await expect(bar).to_be_hidden()


async def test_new_posts_are_marked_in_the_list_until_read(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    await other.register()
    path = await visitor.start_thread("Marks")
    await other.go(path)
    await other.post("Is the water warm enough?").wait_for()
    await visitor.write("News for you")
    await visitor.post("News for you").wait_for()
    await other.go("/search?q=nothing-has-this")
    await visitor.write("And more")
    await visitor.post("And more").wait_for()
    await other.go("/")
    number = path.rsplit("/", 1)[1]
    row = other.page.locator(f'.thread-row[data-id="{number}"]')
    await expect(row.locator(".fresh")).to_have_text("1 new", timeout=20_000)
    await row.get_by_role("link", name="Marks").click()
    await other.post("And more").wait_for()
    await expect(other.page.locator(".divider + article")).to_contain_text("And more")
    await other.page.get_by_role("link", name="The board").click()
    await expect(row.locator(".fresh")).to_have_text("")
    await visitor.go("/")
    own = visitor.page.locator(f'.thread-row[data-id="{number}"]')
    async with visitor.page.expect_response("**/api/posts/unread?*"):
        await visitor.page.reload()
    await expect(own).to_be_visible()
    await expect(own.locator(".fresh")).to_have_text("")


async def test_what_was_read_counts_on_every_device_of_a_user(
    visitor: Visitor, other: Visitor, browser: Browser
) -> None:
    await visitor.register()
    path = await visitor.start_thread("Two devices")
    row = f'.thread-row[data-id="{path.rsplit("/", 1)[1]}"] .fresh'
    # On this device the other reads without an account first.
    await other.go(path)
    await other.post("Is the water warm enough?").wait_for()
    await visitor.write("While you were away")
    await other.post("While you were away").wait_for()
    await other.go("/")
    await visitor.write("And more")
    await visitor.post("And more").wait_for()
    await other.register()
    await expect(other.page.locator(row)).to_have_text("1 new")
    async with visiting(other.board, browser) as device:
        await device.sign_in(other.username)
        await device.go("/")
        await expect(device.page.locator(row)).to_have_text("1 new")
        await device.page.get_by_role("button", name="Mark all read").click()
        await expect(device.page.get_by_text("Everything is marked as read.")).to_be_visible()
        await expect(device.page.locator(row)).to_have_text("")
    await other.page.reload()
    await other.until_filled()
    async with other.page.expect_response("**/api/posts/unread?*"):
        await other.page.reload()
    await expect(other.page.locator(row)).to_have_text("")


async def test_moderator_can_lock_pin_and_ban_and_the_banned_user_sees_the_reason(
    visitor: Visitor, other: Visitor, board: Board
) -> None:
    await other.register("Trouble Maker")
    path = await other.start_thread("Shouting", "LOUD")
    await visitor.register("Mo Derator")
    await appoint(visitor, "admin")
    await visitor.go(path)
    for button, undo in (("Pin", "Unpin"), ("Lock", "Unlock")):
        await visitor.page.get_by_role("button", name=button, exact=True).click()
        if button == "Lock":
            await visitor.page.get_by_role("dialog").get_by_role("button", name="Lock").click()
        await visitor.page.get_by_role("button", name=undo).wait_for()
    await other.go(path)
    await expect(other.page.get_by_text("This thread is locked.")).to_be_visible()
    await visitor.page.get_by_role("button", name="Unlock").click()
    await visitor.page.get_by_role("button", name="Lock", exact=True).wait_for()
    await visitor.page.get_by_role("button", name="Unpin").click()

    await other.go(path)
    await visitor.go("/moderation")
    await visitor.page.get_by_label("Username").fill(other.username)
    await visitor.page.get_by_role("button", name="Find").click()
    await visitor.page.get_by_role("button", name="Ban", exact=True).click()
    await visitor.page.get_by_label("Reason").fill("Shouting at night")
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Ban").click()
    await expect(visitor.page.get_by_text("Trouble Maker is banned.")).to_be_visible()

    # A service that knows a session goes on using it for up to two seconds.
    async def posts_refuses_the_session() -> bool:
        answer = await other.page.request.delete(
            f"{board.public_origin}/api/posts/2147483647", headers={"Origin": board.public_origin}
        )
        return answer.status == 401

    await eventually(posts_refuses_the_session, what="the end of the session in posts")

    # A ban ends every session; the user can sign in again, but not write.
    await other.write("LOUDER")
    await other.page.get_by_role("dialog").wait_for(timeout=20_000)
    await other.fill_in_sign_in()
    refused = other.page.locator(".pending-post.refused")
    await expect(refused).to_contain_text("Shouting at night")
    await visitor.go(path)
    await expect(visitor.post("LOUDER")).to_have_count(0)
    await visitor.post("LOUD").get_by_role("button", name="Delete").click()
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(other.post("LOUD")).to_have_count(0)
