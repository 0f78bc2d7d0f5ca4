"""The monolith: every context and the page in one process. Each gets the contexts that it calls as
arguments."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.types import ASGIApp

from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import ProcessSettings, load
from services.cases.settings import CaseSettings
from services.cases.wiring import open_cases
from services.posts.settings import PostSettings
from services.posts.wiring import open_posts
from services.threads.settings import ThreadSettings
from services.threads.wiring import open_threads
from services.users.passwords import RECOMMENDED, Cost
from services.users.settings import UserSettings
from services.users.wiring import open_users
from web.page import Page
from web.reading import Sources
from web.settings import PageSettings


class Settings(
    ProcessSettings, UserSettings, ThreadSettings, PostSettings, CaseSettings, PageSettings
):
    """The settings of this process: those of every context and of the page."""


@asynccontextmanager
async def application(
    settings: Settings, lifecycle: Lifecycle, hashing: Cost = RECOMMENDED
) -> AsyncIterator[ASGIApp]:
    """Build the application; the contexts' stores and tasks are closed when the block ends."""
    async with (
        open_users(settings, hashing=hashing) as users,
        open_threads(settings, lifecycle, users.service) as threads,
        open_posts(
            settings,
            lifecycle,
            users.service,
            users.moderation,
            threads.service,
            settings.public_origin,
        ) as posts,
        open_cases(
            settings,
            users.service,
            users.moderation,
            threads.moderation,
            posts.moderation,
        ) as cases,
    ):
        contexts = [opened.context(settings) for opened in (users, threads, posts, cases)]
        served_by = f"monolith/{settings.instance}" if settings.show_instance else None
        extra = _load_balancer_operations()
        changes = {opened.changes.context: opened.changes for opened in (users, threads, posts)}
        sources = Sources(users.service, threads.views, posts.views, changes)
        page = Page.build(sources, settings.public_origin, served_by, settings.rules_file)
        extra.include_router(page.routes)
        app = create_app("monolith", contexts, settings, lifecycle, extra)
        yield page.around(app)


def _load_balancer_operations() -> APIRouter:
    """The paths that the load balancer itself answers in front of the services."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/api")
    async def greet() -> PlainTextResponse:
        return PlainTextResponse("API ready to receive requests")

    return routes


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings, "monolith")
