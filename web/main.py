"""The process that serves the page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.types import ASGIApp

from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import ProcessSettings, load
from web import pages
from web.settings import PageSettings
from web.site import build


class Settings(ProcessSettings, PageSettings):
    """The settings of this process."""


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """Build the application."""
    site = build()
    served_by = f"web/{settings.instance}" if settings.show_instance else None
    routes = pages.router(site, served_by, settings.rules_file)
    app = create_app("web", [], settings, lifecycle, routes)
    yield pages.NotFoundPage(app, site)


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings, "web")
