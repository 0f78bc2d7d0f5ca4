"""The threads service: one context in a process, which calls the others over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.types import ASGIApp

from kernel.calls.settings import CallSettings
from kernel.clients import HttpUsers, ServiceClient, http_client
from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import HttpUrl, ProcessSettings, ServiceTokens, load
from services.threads.settings import ThreadSettings
from services.threads.wiring import open_threads


class Settings(ProcessSettings, CallSettings, ThreadSettings):
    """The settings of this process: its context's, and the URL of the context that it calls."""

    threads_service_token: ServiceTokens
    users_url: HttpUrl
    users_service_token: ServiceTokens


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """Build the application; the context is closed when the block ends."""
    async with http_client(settings.call_timeout) as http:
        users = ServiceClient(http, "users", settings.users_url, settings.users_service_token[0])
        async with open_threads(settings, lifecycle, HttpUsers(users)) as threads:
            context = threads.context(settings, settings.threads_service_token)
            yield create_app("threads", [context], settings, lifecycle, breakers=[users.breaker])


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings, "threads")
