"""Visitors who use the board in a browser."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import httpx
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import PASSWORD

# The browser's own messages about responses and connections, which some tests provoke.
_OF_THE_NETWORK = "Failed to load resource"

Scheme = Literal["light", "dark"]


@dataclass
class Visitor:
    """A visitor with a browser page. `complaints` has the errors of the page's scripts, and the
    violations of its security policy."""

    board: Board
    context: BrowserContext
    page: Page
    username: str = ""
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        """Open an address of the board, and wait until the browser's page has taken the place of
        the one that the server has sent: until then, nothing listens."""
        await self.page.goto(self.board.public_origin + path)
        await self.until("!document.querySelector('main > [data-served]')")

    async def register(self, name: str = "Ines Moreau") -> None:
        """Register with the form, and wait for the list of threads."""
        self.username = f"ines-{secrets.token_hex(5)}"
        await self.go("/register")
        await self.page.get_by_label("Username").fill(self.username)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_label("Name", exact=True).fill(name)
        await self.page.get_by_role("main").get_by_role("button", name="Register").click()
        await self.page.get_by_role("heading", name="Threads").wait_for()
        await self.account_menu().wait_for()

    async def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Sign in on its own page."""
        self.username = username
        await self.go("/signin")
        await self.fill_in_sign_in(password)
        await self.account_menu().wait_for()

    async def fill_in_sign_in(self, password: str = PASSWORD) -> None:
        """Fill in the sign-in form, in the page or in the dialog."""
        await self.page.get_by_label("Username").fill(self.username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_label("Password").press("Enter")

    async def start_thread(self, title: str, text: str = "Is the water warm enough?") -> str:
        """Start a thread, whose page is shown then. Returns the path of that page."""
        await self.go("/")
        await self.page.get_by_role("button", name="New thread").click()
        await self.page.get_by_label("Title").fill(title)
        await self.page.get_by_label("What do you want to talk about?").fill(text)
        await self.page.get_by_role("button", name="Start the thread").click()
        await self.page.get_by_role("heading", name=title, exact=True).wait_for()
        await self.page.locator("article.post[data-id]").first.wait_for()
        return self.page.url.removeprefix(self.board.public_origin)

    async def write(self, text: str) -> None:
        """Write and send a post in the thread that is shown."""
        await self.page.get_by_label("Write a post").get_by_role("textbox").fill(text)
        await self.page.get_by_role("button", name="Post", exact=True).click()

    async def until(self, expression: str) -> None:
        """Wait until a JavaScript expression about the page is true. (Playwright's own way to do so
        evaluates strings in the page, which its security policy refuses.)"""

        async def is_true() -> bool:
            return bool(await self.page.evaluate(expression))

        await eventually(is_true, within=15)

    async def until_filled(self) -> None:
        """Wait until all requested data is shown, including the users' names."""
        await self.until(
            "!/Loading|\\u2007/.test(document.body.innerText)"
            " && !document.querySelector('[aria-busy=true]')"
        )

    def post(self, text: str) -> Locator:
        """The post with this text that the board has acknowledged."""
        return self.page.locator("article.post[data-id]").filter(has_text=text)

    def account_menu(self) -> Locator:
        """The menu of signed-in users."""
        return self.page.locator("details.account summary")

    async def token(self) -> str:
        """The session's token, from the cookie that the page itself cannot read."""
        [cookie] = [c for c in await self.context.cookies() if "session" in c.get("name", "")]
        return cookie["value"]

    async def end_session(self) -> None:
        """End the session with a direct request, without the page noticing."""
        async with httpx.AsyncClient(base_url=self.board.url, trust_env=False) as http:
            headers = {"Authorization": f"Bearer {await self.token()}"}
            answer = await http.delete("/api/sessions/current", headers=headers)
            assert answer.status_code == 204


@asynccontextmanager
async def visiting(
    board: Board, browser: Browser, width: int = 1280, scheme: Scheme = "light"
) -> AsyncIterator[Visitor]:
    """A visitor with a separate browser context. At the end, `complaints` must be empty."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB"
    )
    context.set_default_timeout(15_000)
    try:
        visitor = Visitor(board, context, await context.new_page())
        watch(visitor, visitor.page)
        yield visitor
        if visitor.complaints:
            raise AssertionError("\n".join(visitor.complaints))
    finally:
        await context.close()


def watch(visitor: Visitor, page: Page) -> None:
    """Add the page's errors and policy violations to `complaints`."""

    def on_error(error: Error) -> None:
        visitor.complaints.append(f"{page.url}: {error.stack or error.message}")

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and _OF_THE_NETWORK not in message.text:
            visitor.complaints.append(f"{page.url}: {message.text}")

    page.on("pageerror", on_error)
    page.on("console", on_console)
