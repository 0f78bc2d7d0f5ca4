"""A headless Chromium for the tests: the machine's own, which Playwright drives."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def executable() -> str:
    """Where Chromium is: `CHROMIUM`, or on the path. RuntimeError, saying what to do, when it is
    not there."""
    for name in filter(None, (os.environ.get("CHROMIUM"), *_NAMES)):
        found = shutil.which(name)
        if found is not None:
            return found
    raise RuntimeError("Chromium is not installed. On Debian: apt install chromium")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser, closed again at the end."""
    # Chromium's sandbox refuses to run as root.
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=flags)
        try:
            yield browser
        finally:
            await browser.close()
