"""Reporting a post, and deciding about it, in the browser."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from tests.browser.roles import appoint
from tests.browser.visitors import Visitor, visiting
from tests.deployments import Board


async def report(visitor: Visitor, path: str, reason: str, note: str) -> None:
    """Report the first post of a thread."""
    await visitor.go(path)
    await visitor.page.get_by_role("button", name="Report").first.click()
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_label(reason).check()
    await dialog.get_by_label("Note").fill(note)
    assert not (await Axe().run(visitor.page)).response["violations"]
    await dialog.get_by_role("button", name="Report").click()
    await expect(visitor.page.get_by_text("Thank you.")).to_be_visible()


async def open_case(visitor: Visitor, note: str) -> str:
    """Find the case with this note in the queue, and open it. Returns its path."""
    await visitor.go("/moderation/cases")
    row = visitor.page.locator("article.case-row").filter(has_text=note)
    await row.get_by_role("link").first.click()
    await expect(visitor.page.get_by_role("button", name="Decide")).to_be_visible()
    return visitor.page.url.removeprefix(visitor.board.public_origin)


async def test_post_is_reported_and_removed_and_its_reporter_learns_it(
    board: Board, browser: Browser, visitor: Visitor, other: Visitor
) -> None:
    await visitor.register("Olga Author")
    path = await visitor.start_thread("Kettles for sale", "Copper kettles, cheap.")
    await expect(visitor.page.get_by_role("button", name="Report")).to_have_count(0)
    await other.register("Rita Reporter")
    note = f"Kettles again {other.username}"
    await report(other, path, "Spam", note)
    async with visiting(board, browser) as moderator:
        await moderator.register("Mona Lind")
        await appoint(moderator, "moderator")
        await open_case(moderator, note)
        page = moderator.page
        await expect(page.get_by_text("Copper kettles, cheap.")).to_be_visible()
        await page.get_by_label("Delete the post").check()
        await page.get_by_label("Reason").fill("Advertising")
        await page.get_by_role("button", name="Decide").click()
        await expect(page.get_by_text("This case is closed.")).to_be_visible()
        await expect(page.locator(".decision")).to_contain_text("The post was deleted")
        await expect(page.locator(".case-way .here")).to_have_text("Close Case")
        await expect(page.locator(".case-way .visited")).to_have_count(5)
        assert not (await Axe().run(page)).response["violations"]
    await other.go("/reports")
    row = other.page.locator("article.case-row").first
    await expect(row).to_contain_text("The post was deleted")
    await expect(row).to_contain_text("Advertising")
    await other.go(path)
    await expect(other.page.get_by_text("Copper kettles, cheap.")).to_have_count(0)


async def test_decision_about_an_older_version_shows_the_case_as_it_is_now(
    board: Board, browser: Browser, visitor: Visitor, other: Visitor
) -> None:
    await visitor.register("Olga Author")
    path = await visitor.start_thread("Pans for sale", "Copper pans, cheap.")
    await other.register("Rita Reporter")
    note = f"Pans again {other.username}"
    await report(other, path, "Something else", note)
    async with (
        visiting(board, browser) as first,
        visiting(board, browser) as second,
    ):
        # Nobody may register with a name that looks like a moderator's.
        for moderator, name in ((first, "Filippa Dahl"), (second, "Sven Ode")):
            await moderator.register(name)
            await appoint(moderator, "moderator")
            await open_case(moderator, note)
        await second.page.get_by_label("Nothing").check()
        await second.page.get_by_label("Reason").fill("My own words")
        await first.page.get_by_label("I cannot say").check()
        await first.page.get_by_role("button", name="Decide").click()
        await expect(first.page.get_by_text("Only admins decide it.")).to_be_visible()
        await second.page.get_by_role("button", name="Decide").click()
        await expect(second.page.get_by_role("alert").first).to_contain_text("Somebody else")
        await expect(second.page.get_by_text("Only admins decide it.")).to_be_visible()
