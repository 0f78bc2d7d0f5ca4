"""The threads service as a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.types import ASGIApp

from kernel.clients import HttpUsers, ServiceClient, http_client
from kernel.data.database import Database
from kernel.data.notifications import NotificationListener
from kernel.http.app import Context, create_app
from kernel.http.auth import ServiceToken, SessionCookie
from kernel.process.background import running
from kernel.process.broadcast import Broadcast
from kernel.process.clock import utc_now
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import (
    DatabasePassword,
    DatabaseUrl,
    HttpUrl,
    ProcessSettings,
    ServiceTokens,
    load,
)
from services.threads import api
from services.threads.service import ThreadService
from services.threads.settings import ThreadLimits
from services.threads.store import THREAD_REMOVED, ThreadStore


class Settings(ProcessSettings, ThreadLimits):
    """What this process takes from its environment."""

    threads_database_password: DatabasePassword = None
    threads_database_url: DatabaseUrl
    threads_service_token: ServiceTokens
    users_url: HttpUrl
    users_service_token: ServiceTokens


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """The composition root."""
    async with Database.open(settings.threads_database_url) as database, http_client() as http:
        users = HttpUsers(
            ServiceClient(http, "users", settings.users_url, settings.users_service_token[0])
        )
        store = ThreadStore(database)
        removal = Broadcast()
        threads = ThreadService(store, users, utc_now, settings.thread_interval, removal)
        listener = NotificationListener(
            settings.threads_database_url, THREAD_REMOVED, removal.notify
        )
        context = Context(
            "threads",
            api.DESCRIPTION,
            api.router(threads, SessionCookie(settings.public_origin)),
            api.internal_router(threads, ServiceToken(settings.threads_service_token)),
        )
        async with running(listener.run(), lifecycle.when_draining(removal.close)):
            yield create_app("threads", [context], settings, lifecycle, store.check)


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings)
