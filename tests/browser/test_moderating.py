"""Moderators' acts, as the moderators, the author and everybody else see them."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.browser.roles import appoint
from tests.browser.test_every_page import violations
from tests.browser.visitors import Visitor, visiting
from tests.deployments import Board

NAME = "Mara Dietz"


@pytest_asyncio.fixture(scope="session")
async def admin(board: Board, browser: Browser) -> str:
    """Register an admin, whose name nobody else can have then. Returns the username."""
    async with visiting(board, browser) as someone:
        await someone.register(NAME)
        await appoint(someone, "admin")
        return someone.username


@pytest_asyncio.fixture
async def moderator(board: Board, browser: Browser, admin: str) -> AsyncIterator[Visitor]:
    """The admin, in a separate browser."""
    async with visiting(board, browser) as someone:
        await someone.sign_in(admin)
        yield someone


def dialog(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("dialog")


async def test_removed_post_is_explained_to_its_author_and_restored_in_its_place(
    visitor: Visitor, other: Visitor, moderator: Visitor
) -> None:
    await visitor.register("Otto Autor")
    path = await visitor.start_thread("Rye", "Is it sour?")
    for text in ("BUY KETTLES", "It is sour."):
        await visitor.write(text)
        await visitor.post(text).wait_for()
    await other.go(path)
    await other.page.locator("[data-live]").wait_for()
    await moderator.go(path)
    await moderator.page.locator("[data-live]").wait_for()
    await moderator.post("BUY KETTLES").get_by_role("button", name="Delete").click()
    await dialog(moderator).get_by_label("Reason").fill("This is advertising.")
    assert await violations(moderator.page) == []
    await dialog(moderator).get_by_role("button", name="Delete").click()

    await expect(other.post("BUY KETTLES")).to_have_count(0)
    await expect(other.page.locator("article.post")).to_have_count(2)
    removed = moderator.page.locator("article.removed-post")
    await expect(removed).to_contain_text(f"Deleted by {NAME}")
    await expect(removed).to_contain_text("This is advertising.")
    for each in (moderator, other):
        await expect(each.page.locator(".thread-head")).to_contain_text("2 posts")
    await removed.get_by_text("Show the text").click()
    await expect(removed.get_by_text("BUY KETTLES")).to_be_visible()
    assert await violations(moderator.page) == []

    await visitor.account_menu().click()
    await visitor.page.get_by_role("link", name="Your page").click()
    await visitor.page.get_by_role("link", name="Notices").click()
    notice = visitor.page.get_by_role("listitem").filter(has_text="Your post was deleted")
    await expect(notice).to_contain_text("This is advertising.")
    await visitor.until_filled()
    assert await violations(visitor.page) == []

    # The post is at the same place for new visitors and for those who have the page open.
    await moderator.page.reload()
    await removed.get_by_role("button", name="Restore").click()
    for each in (moderator, other):
        await expect(each.page.locator("article.post .prose")).to_have_text(
            ["Is it sour?", "BUY KETTLES", "It is sour."]
        )
    await expect(removed).to_have_count(0)
    for each in (moderator, other):
        await expect(each.page.locator(".thread-head")).to_contain_text("3 posts")
    await expect(other.page.get_by_role("button", name="new")).to_be_hidden()

    await moderator.go("/moderation")
    await moderator.page.get_by_role("link", name="Moderation log").click()
    await moderator.until_filled()
    first, second = [moderator.page.locator(".acts > li").nth(place) for place in (0, 1)]
    await expect(first).to_contain_text(
        f"{NAME} @{moderator.username} Admin restored a post by Otto Autor "
        f"@{visitor.username} · BUY KETTLES"
    )
    await expect(second).to_contain_text(
        f"{NAME} @{moderator.username} Admin deleted a post by Otto Autor "
        f"@{visitor.username} · BUY KETTLES"
    )
    await expect(second).to_contain_text("This is advertising.")
    assert await violations(moderator.page) == []
    await first.get_by_role("link", name="BUY KETTLES").click()
    await expect(moderator.post("BUY KETTLES")).to_be_in_viewport()


async def test_edit_by_a_moderator_says_who_made_it(visitor: Visitor, moderator: Visitor) -> None:
    await visitor.register("Otto Autor")
    path = await visitor.start_thread("Rye", "My address is 7 Mill Lane")
    await moderator.go(path)
    await moderator.post("Mill Lane").get_by_role("button", name="Edit").click()
    await moderator.page.get_by_label("Edit the post").fill("(An address was here.)")
    await moderator.page.get_by_role("button", name="Save").click()
    post = visitor.post("An address was here")
    await expect(post).to_contain_text(f"edited by {NAME}")
    await post.get_by_role("button", name="History").click()
    await expect(dialog(visitor)).to_contain_text(f"by {NAME}")


async def test_username_and_badge_show_who_is_a_moderator(
    visitor: Visitor, moderator: Visitor
) -> None:
    await visitor.register("The Moderator Of All")
    path = await visitor.start_thread("Who speaks here")
    await moderator.go(path)
    await moderator.write("I do")
    theirs, own = visitor.post("I do"), visitor.post("Is the water warm enough?")
    await expect(theirs.locator("header .user")).to_have_text(f"{NAME} @{moderator.username} Admin")
    await expect(own.locator("header .user")).to_have_text(
        f"The Moderator Of All @{visitor.username}"
    )
    await theirs.locator("header .user").click()
    await expect(visitor.page.locator(".meta .badge")).to_have_text("Admin")
    await visitor.go("/?order=new")
    row = visitor.page.locator(f'.thread-row[data-id="{path.rsplit("/", 1)[1]}"]')
    await expect(row.locator(".user").first).to_contain_text(f"@{visitor.username}")


async def test_thread_is_locked_and_deleted_with_a_reason(
    visitor: Visitor, moderator: Visitor
) -> None:
    await visitor.register("Otto Autor")
    path = await visitor.start_thread("A quarrel", "You are wrong.")
    for button, reason in (("Lock", "Calm down."), ("Delete thread", "It went on.")):
        await moderator.go(path)
        await moderator.page.get_by_role("button", name=button, exact=True).click()
        await dialog(moderator).get_by_label("Reason").fill(reason)
        await dialog(moderator).get_by_role("button", name=button.split()[0]).click()
        await expect(dialog(moderator)).to_have_count(0)
    await visitor.go("/")
    await visitor.account_menu().click()
    await visitor.page.get_by_role("link", name="Your page").click()
    await visitor.page.get_by_role("link", name="Notices").click()
    notices = visitor.page.locator(".acts > li")
    await expect(notices.nth(0)).to_contain_text("Your thread was deleted")
    await expect(notices.nth(0)).to_contain_text("It went on.")
    await expect(notices.nth(1)).to_contain_text("Your thread was locked")
    await expect(notices.nth(1)).to_contain_text("Calm down.")


async def test_banned_user_and_moderators_see_the_ban(visitor: Visitor, moderator: Visitor) -> None:
    await visitor.register("Trouble Maker")
    await visitor.account_menu().click()
    await visitor.page.get_by_role("link", name="Your page").click()
    await visitor.page.get_by_role("heading", name="Trouble Maker").wait_for()
    path = visitor.page.url.removeprefix(visitor.board.public_origin)
    await moderator.go(path)
    ban = moderator.page.get_by_role("button", name="Ban", exact=True)
    lift = moderator.page.get_by_role("button", name="Lift ban")
    await ban.wait_for()
    await expect(lift).to_have_count(0)
    await ban.click()
    await dialog(moderator).get_by_label("Reason").fill("Shouting at night")
    await dialog(moderator).get_by_label("Until").fill("2040-05-01T12:00")
    await dialog(moderator).get_by_role("button", name="Ban").click()
    await lift.wait_for()
    await expect(ban).to_have_count(0)
    await expect(moderator.page.get_by_role("button", name="Make moderator")).to_have_count(0)
    await expect(moderator.page.get_by_text("Banned until")).to_contain_text("Shouting at night")
    assert await violations(moderator.page) == []

    await visitor.context.clear_cookies()
    await visitor.page.evaluate("localStorage.clear()")
    await visitor.sign_in(visitor.username)
    bar = visitor.page.locator(".ban-bar")
    await expect(bar).to_contain_text("1 May 2040")
    await expect(bar).to_contain_text("Shouting at night")
    await visitor.go(path)
    await expect(bar).to_be_visible()
    await visitor.until_filled()
    assert await violations(visitor.page) == []

    await lift.click()
    await ban.wait_for()
    await visitor.go(path)
    await expect(bar).to_be_hidden()


async def test_making_an_admin_asks_for_confirmation(visitor: Visitor, moderator: Visitor) -> None:
    await visitor.register("Trusted Friend")
    await visitor.account_menu().click()
    await visitor.page.get_by_role("link", name="Your page").click()
    await visitor.page.get_by_role("heading", name="Trusted Friend").wait_for()
    await moderator.go(visitor.page.url.removeprefix(visitor.board.public_origin))
    make_admin_button = moderator.page.get_by_role("button", name="Make admin")
    await make_admin_button.click()
    await dialog(moderator).get_by_role("button", name="Close").click()
    await expect(dialog(moderator)).to_have_count(0)
    await expect(make_admin_button).to_be_visible()
    await make_admin_button.click()
    await dialog(moderator).get_by_role("button", name="Make admin").click()
    await expect(moderator.page.get_by_text("The role has been changed.")).to_be_visible()
    await expect(make_admin_button).to_have_count(0)
