"""Every page, in both colour schemes and two widths, has no errors of axe, console or policy."""

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, expect

from kernel.errors import FAILURES
from tests.browser.roles import appoint
from tests.browser.visitors import Scheme, Visitor, visiting
from tests.deployments import Board
from tests.people import PASSWORD

OPEN_PAGES = (
    "/", "/?order=new", "/threads/1", "/threads/999999999", "/users/1", "/users/1?show=threads",
    "/search", "/search?q=bread", "/search?q=zz", "/signin", "/register", "/docs",
    "/problems/conflict", "/nowhere",
)  # fmt: skip
OWN_PAGES = (
    "/", "/threads/1", "/users/2", "/settings", "/moderation", "/moderation/log",
    "/moderation/cases", "/moderation/cases?state=closed", "/moderation/cases?state=failed",
    "/cases/1", "/cases/2", "/reports",
)  # fmt: skip


async def violations(page: Page, part: str | None = None) -> list[str]:
    """The violations of a page, or of the part that this selector finds."""
    results = await Axe().run(page, part)
    return [
        f"{found['id']}: {[node['target'] for node in found['nodes']][:3]}"
        for found in results.response["violations"]
    ]


async def settled(visitor: Visitor, path: str) -> None:
    await visitor.go(path)
    await visitor.page.get_by_role("heading", level=1).wait_for()
    await visitor.until_filled()


async def spills(panel: Locator) -> bool:
    """Whether the panel has content outside its visible part."""
    wide: bool = await panel.locator(".panel-body").evaluate(
        "body => body.scrollWidth > body.clientWidth"
    )
    return wide


async def is_too_wide(page: Page) -> bool:
    wide: bool = await page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


@pytest_asyncio.fixture(scope="session")
async def admin(board: Board, browser: Browser) -> str:
    """Register a user who may open all pages. Returns the username."""
    async with visiting(board, browser) as someone:
        await someone.register("Ada Min")
        await appoint(someone, "admin")
        return someone.username


# In one deployment only: both serve the same files, and other tests compare their responses.
@pytest.mark.parametrize("run", ["microservices"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_no_page_has_a_violation_of_accessibility_or_policy(
    board: Board, browser: Browser, admin: str, width: int, scheme: Scheme
) -> None:
    found: dict[str, list[str]] = {}

    async def look(visitor: Visitor, path: str) -> None:
        await settled(visitor, path)
        wrong = await violations(visitor.page)
        if await is_too_wide(visitor.page):
            wrong.append("it scrolls sideways")
        if wrong:
            found[f"{path} of {visitor.username or 'nobody'}"] = wrong

    async with visiting(board, browser, width, scheme) as visitor:
        for path in OPEN_PAGES:
            await look(visitor, path)
        await visitor.sign_in(admin, PASSWORD)
        for path in OWN_PAGES:
            await look(visitor, path)
        await settled(visitor, "/threads/1?architecture=on")
        panel = visitor.page.get_by_role("complementary")
        await panel.get_by_text("Configured").wait_for()
        await panel.get_by_text("files of the page").click()
        await visitor.account_menu().click()
        wrong = await violations(visitor.page)
        if await is_too_wide(visitor.page) or await spills(panel):
            wrong.append("it scrolls sideways")
        if wrong:
            found["the panel and the menu"] = wrong
    assert found == {}


async def test_every_kind_of_problem_has_a_page_that_explains_it(visitor: Visitor) -> None:
    assert FAILURES
    for slug, kind in FAILURES.items():
        answer = await visitor.page.goto(f"{visitor.board.public_origin}/problems/{slug}")
        assert answer is not None
        assert answer.status == 200, slug
        heading = visitor.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text(kind.title)


@pytest.mark.parametrize("path", ["/nowhere", "/threads/none", "/problems/none", "/threads/1/2"])
async def test_unknown_address_returns_404_with_a_readable_page(
    visitor: Visitor, path: str
) -> None:
    answer = await visitor.page.goto(visitor.board.public_origin + path)
    assert answer is not None
    assert answer.status == 404
    await expect(visitor.page.get_by_role("heading", name="Page not found")).to_be_visible()
