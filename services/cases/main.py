"""The cases service: one context in a process, which calls the others over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.types import ASGIApp

from kernel.calls.settings import CallSettings
from kernel.clients import (
    HttpPosts,
    HttpThreadModeration,
    HttpUserModeration,
    HttpUsers,
    ServiceClient,
    http_client,
)
from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import HttpUrl, ProcessSettings, ServiceTokens, load
from services.cases.settings import CaseSettings
from services.cases.wiring import open_cases


class Settings(ProcessSettings, CallSettings, CaseSettings):
    """The settings of this process: its own context's, and where it finds the contexts it calls."""

    users_url: HttpUrl
    users_service_token: ServiceTokens
    threads_url: HttpUrl
    threads_service_token: ServiceTokens
    posts_url: HttpUrl
    posts_service_token: ServiceTokens


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """The composition root."""
    async with http_client(settings.call_timeout) as http:
        users = ServiceClient(http, "users", settings.users_url, settings.users_service_token[0])
        threads = ServiceClient(
            http, "threads", settings.threads_url, settings.threads_service_token[0]
        )
        posts = ServiceClient(http, "posts", settings.posts_url, settings.posts_service_token[0])
        called = (users, threads, posts)
        async with open_cases(
            settings,
            HttpUsers(users),
            HttpUserModeration(users),
            HttpThreadModeration(threads),
            HttpPosts(posts),
        ) as cases:
            yield create_app(
                "cases",
                [cases.context(settings)],
                settings,
                lifecycle,
                breakers=[each.breaker for each in called],
            )


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings, "cases")
