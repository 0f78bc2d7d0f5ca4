"""Pictures of every page of the demo board in both schemes: `make screenshots` writes them to
docs/screenshots/."""

import asyncio

from playwright.async_api import Browser, Page

from tests.browser.chromium import chromium
from tests.browser.roles import appoint
from tests.browser.visitors import Scheme, Visitor, visiting
from tests.deployments import ROOT, Board, processes

FOLDER = ROOT / "docs" / "screenshots"
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
NAMES = {"light": "Ines Moreau", "dark": "Tomas Vega"}
"""Of the admin in the pictures. Nobody else may have the name of an admin."""
PAGES = {
    "threads": "/",
    "user": "/users/2",
    "search": "/search?q=time",
    "settings": "/settings",
    "moderation": "/moderation",
    "docs": "/docs",
    "problem": "/problems/too-many-requests",
}
OPEN_PAGES = {"register": "/register", "signin": "/signin", "not-found": "/nowhere"}


async def take(page: Page, name: str, scheme: Scheme) -> None:
    """Write one picture."""
    path = FOLDER / f"{name}-{scheme}.png"
    await page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size // 1024
    print(f"{path.relative_to(ROOT)} ({size} KiB)")  # noqa: T201 - a command's output


async def settled(visitor: Visitor, path: str) -> None:
    """Open an address, and wait until the page is complete."""
    await visitor.go(path)
    await visitor.page.get_by_role("heading", level=1).wait_for()
    await visitor.until_filled()


async def take_all(board: Board, browser: Browser, scheme: Scheme) -> None:
    """Take a picture of every page in one colour scheme."""
    async with visiting(board, browser, 1280, scheme) as visitor:
        for name, path in OPEN_PAGES.items():
            await settled(visitor, path)
            await take(visitor.page, name, scheme)
        await visitor.register(NAMES[scheme])
        await appoint(visitor, "admin")
        for name, path in PAGES.items():
            await settled(visitor, path)
            await take(visitor.page, name, scheme)
        await visitor.go("/")
        await visitor.page.get_by_role("link", name="The bread will not rise").click()
        await visitor.page.locator("[data-live]").wait_for()
        await visitor.until_filled()
        await take(visitor.page, "thread", scheme)
        await visitor.go("/threads/1?architecture=on")
        for thread in range(2, 9):
            await visitor.page.evaluate("scrollTo(0, 0)")
            await visitor.page.get_by_role("link", name="The board", exact=True).click()
            await visitor.page.locator(".thread-row h2 a").nth(thread).click()
            await visitor.page.locator("[data-live]").wait_for()
        await visitor.until_filled()
        await visitor.page.evaluate("scrollTo(0, 0)")
        await take(visitor.page, "architecture", scheme)


async def main() -> None:
    """Take all pictures, of the strangler: the monolith and the services share the requests."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with processes("strangler") as run:
        async with chromium() as browser:
            for scheme in SCHEMES:
                await take_all(run.board, browser, scheme)


if __name__ == "__main__":
    asyncio.run(main())
