"""The monolith: every context in one process, wired to each other by nothing but arguments."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.types import ASGIApp

from kernel.data.database import Database
from kernel.data.notifications import NotificationListener
from kernel.http.app import Context, create_app
from kernel.http.auth import SessionCookie
from kernel.process.background import running
from kernel.process.broadcast import Broadcast
from kernel.process.clock import utc_now
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import DatabasePassword, DatabaseUrl, ProcessSettings, load
from services.posts import api as post_api
from services.posts.delivery import ActivityDelivery
from services.posts.markup import Markup
from services.posts.removals import RemovalFollower
from services.posts.service import PostService
from services.posts.settings import PostLimits
from services.posts.store import THREAD_CHANGED, PostStore
from services.posts.stream import Streams
from services.threads import api as thread_api
from services.threads.service import ThreadService
from services.threads.settings import ThreadLimits
from services.threads.store import THREAD_REMOVED, ThreadStore
from services.users import api as user_api
from services.users.attempts import SignInAttempts
from services.users.moderation import Moderation
from services.users.passwords import Passwords, commonest_passwords
from services.users.service import UserService
from services.users.settings import SignInLimits
from services.users.store import UserStore
from web import pages
from web.site import build


class Settings(ProcessSettings, SignInLimits, ThreadLimits, PostLimits):
    """What this process takes from its environment."""

    users_database_password: DatabasePassword = None
    users_database_url: DatabaseUrl
    threads_database_password: DatabasePassword = None
    threads_database_url: DatabaseUrl
    posts_database_password: DatabasePassword = None
    posts_database_url: DatabaseUrl


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """The composition root."""
    async with AsyncExitStack() as stack:
        opened = stack.enter_async_context
        user_database = await opened(Database.open(settings.users_database_url))
        user_store = UserStore(user_database)
        thread_store = ThreadStore(await opened(Database.open(settings.threads_database_url)))
        post_store = PostStore(await opened(Database.open(settings.posts_database_url)))
        passwords = stack.enter_context(closing(Passwords()))
        markup = stack.enter_context(closing(Markup()))

        attempts = SignInAttempts(user_database, settings, utc_now)
        users = UserService(user_store, attempts, passwords, commonest_passwords(), utc_now)
        moderation = Moderation(user_store, users, utc_now)
        removal = Broadcast()
        threads = ThreadService(thread_store, users, utc_now, settings.thread_interval, removal)
        delivery = ActivityDelivery(post_store, threads)
        streams = Streams(post_store, post_api.encode_event)
        posts = PostService(
            post_store, users, threads, markup, utc_now, settings.post_interval, delivery.wake
        )
        await opened(
            running(
                NotificationListener(
                    settings.threads_database_url, THREAD_REMOVED, removal.notify
                ).run(),
                lifecycle.when_draining(removal.close),
                delivery.run(),
                RemovalFollower(post_store, threads).run(),
                NotificationListener(
                    settings.posts_database_url, THREAD_CHANGED, streams.thread_changed
                ).run(),
                streams.run(),
                lifecycle.when_draining(streams.close),
            )
        )
        cookie = SessionCookie(settings.public_origin)
        contexts = [
            Context(
                "users",
                user_api.DESCRIPTION,
                user_api.router(users, moderation, cookie, settings.trusted_networks),
            ),
            Context("threads", thread_api.DESCRIPTION, thread_api.router(threads, cookie)),
            Context("posts", post_api.DESCRIPTION, post_api.router(posts, streams, cookie)),
        ]

        async def check() -> None:
            for store in (user_store, thread_store, post_store):
                await store.check()

        site = build()
        served_by = f"monolith/{settings.instance}" if settings.show_instance else None
        extra = _front_door()
        extra.include_router(pages.router(site, served_by))
        app = create_app("monolith", contexts, settings, lifecycle, check, extra)
        yield pages.NotFoundPage(app, site)


def _front_door() -> APIRouter:
    """What the load balancer answers by itself where there is one."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/api")
    async def greet() -> PlainTextResponse:
        return PlainTextResponse("API ready to receive requests")

    return routes


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings)
