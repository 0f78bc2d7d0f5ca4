"""The posts service: one context in a process, which calls the others over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.types import ASGIApp

from kernel.calls.settings import CallSettings
from kernel.clients import (
    HttpThreads,
    HttpUserModeration,
    HttpUsers,
    ServiceClient,
    http_client,
)
from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import HttpUrl, ProcessSettings, ServiceTokens, load
from services.posts.settings import PostSettings
from services.posts.wiring import open_posts


class Settings(ProcessSettings, CallSettings, PostSettings):
    """The settings of this process: its context's, and the URLs of the contexts that it calls."""

    posts_service_token: ServiceTokens
    users_url: HttpUrl
    users_service_token: ServiceTokens
    threads_url: HttpUrl
    threads_service_token: ServiceTokens


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """Build the application; the context is closed when the block ends."""
    async with http_client(settings.call_timeout) as http:
        users = ServiceClient(http, "users", settings.users_url, settings.users_service_token[0])
        threads = ServiceClient(
            http, "threads", settings.threads_url, settings.threads_service_token[0]
        )
        async with open_posts(
            settings,
            lifecycle,
            HttpUsers(users),
            HttpUserModeration(users),
            HttpThreads(threads),
            settings.public_origin,
        ) as posts:
            context = posts.context(settings, settings.posts_service_token)
            yield create_app(
                "posts", [context], settings, lifecycle, breakers=[users.breaker, threads.breaker]
            )


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings, "posts")
