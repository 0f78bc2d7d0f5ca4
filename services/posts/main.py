"""The posts service as a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial

from starlette.types import ASGIApp

from kernel.clients import HttpThreads, HttpUsers, ServiceClient, http_client
from kernel.data.database import Database
from kernel.data.notifications import NotificationListener
from kernel.http.app import Context, create_app
from kernel.http.auth import SessionCookie
from kernel.process.background import running
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
from services.posts import api
from services.posts.delivery import ActivityDelivery
from services.posts.markup import Markup
from services.posts.removals import RemovalFollower
from services.posts.service import PostService
from services.posts.settings import PostLimits
from services.posts.store import THREAD_CHANGED, PostStore
from services.posts.stream import Streams


class Settings(ProcessSettings, PostLimits):
    """What this process takes from its environment."""

    posts_database_password: DatabasePassword = None
    posts_database_url: DatabaseUrl
    users_url: HttpUrl
    users_service_token: ServiceTokens
    threads_url: HttpUrl
    threads_service_token: ServiceTokens


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """The composition root."""
    async with Database.open(settings.posts_database_url) as database, http_client() as http:
        users = HttpUsers(
            ServiceClient(http, "users", settings.users_url, settings.users_service_token[0])
        )
        threads = HttpThreads(
            ServiceClient(http, "threads", settings.threads_url, settings.threads_service_token[0])
        )
        store = PostStore(database)
        delivery = ActivityDelivery(store, threads)
        streams = Streams(store, api.encode_event)
        with closing(Markup()) as markup:
            posts = PostService(
                store, users, threads, markup, utc_now, settings.post_interval, delivery.wake
            )
            cookie = SessionCookie(settings.public_origin)
            context = Context("posts", api.DESCRIPTION, api.router(posts, streams, cookie))
            async with running(
                delivery.run(),
                RemovalFollower(store, threads).run(),
                NotificationListener(
                    settings.posts_database_url, THREAD_CHANGED, streams.thread_changed
                ).run(),
                streams.run(),
                lifecycle.when_draining(streams.close),
            ):
                yield create_app("posts", [context], settings, lifecycle, store.check)


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings)
