"""Starts the installed Chromium without a window, controlled by Playwright."""

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
    """The path of Chromium, from `CHROMIUM` or the PATH. RuntimeError if it is not installed."""
    for name in filter(None, (os.environ.get("CHROMIUM"), *_NAMES)):
        found = shutil.which(name)
        if found is not None:
            return found
    raise RuntimeError("Chromium is not installed. On Debian: apt install chromium")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser, which is closed at the end."""
    # Chromium's sandbox refuses to run as root.
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=flags)
        try:
            yield browser
        finally:
            await browser.close()
