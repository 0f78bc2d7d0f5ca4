"""Each contract in both forms: the service object in this process, and a client that calls the
service over HTTP. Both use the same database, so each sees what the other has written."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest_asyncio

import services.posts.wiring
import services.threads.moderation
from kernel.clients import (
    HttpPosts,
    HttpThreadModeration,
    HttpThreads,
    HttpUserModeration,
    HttpUsers,
    ServiceClient,
    http_client,
)
from kernel.contracts import Posts, Role, ThreadModeration, Threads, UserModeration, Users
from kernel.data.idempotency import IdempotentWrite
from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import listening
from kernel.process.settings import ProcessSettings
from services.posts.model import Post
from services.posts.settings import PostSettings
from services.posts.wiring import open_posts
from services.threads.service import ThreadService
from services.threads.settings import ThreadSettings
from services.threads.wiring import open_threads
from services.users.model import NewUser
from services.users.moderation import Moderation
from services.users.service import UserService
from services.users.settings import UserSettings
from services.users.wiring import open_users
from tests.databases import Databases
from tests.deployments import (
    CHEAP,
    ORIGIN,
    THREADS_TOKEN,
    USERS_TOKEN,
    threads_service,
    users_service,
)
from tests.people import PASSWORD, new_username

POSTS_TOKEN = "the posts service's token"
FORMS = ("in process", "over HTTP")


@dataclass(frozen=True)
class UsersContract:
    """`kernel.contracts.Users` in both forms, and functions that create what it returns."""

    forms: dict[str, Users]
    moderation_forms: dict[str, UserModeration]
    service: UserService
    moderation: Moderation
    url: str
    database_url: str

    async def with_role(self, role: Role) -> tuple[int, str]:
        """Register a user with a role and sign in: their id and their token."""
        user, token = await self.token()
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute("UPDATE users SET role = $2 WHERE id = $1", user, role)
        finally:
            await connection.close()
        return user, token

    async def token(self) -> tuple[int, str]:
        """Register a user and sign in: their id and their token."""
        username = new_username()
        new = NewUser(username, PASSWORD, username, "", None)
        user = await self.service.register(new, "127.0.0.1")
        session = await self.service.sign_in(username, PASSWORD, "127.0.0.1", None)
        return user.id, session.token


@dataclass(frozen=True)
class ThreadsContract:
    """`kernel.contracts.Threads` in both forms, and functions that create what it returns."""

    forms: dict[str, Threads]
    moderation_forms: dict[str, ThreadModeration]
    service: ThreadService
    moderation: services.threads.moderation.Moderation
    token: str
    url: str

    async def thread(self) -> int:
        """A new thread."""
        thread = await self.service.start(
            self.token, "A rainy weekend", IdempotentWrite.without_key()
        )
        return thread.id


@dataclass(frozen=True)
class PostsContract:
    """`kernel.contracts.Posts` in both forms, and functions that create what it returns."""

    forms: dict[str, Posts]
    opened: services.posts.wiring.Posts
    threads: ThreadsContract

    async def post(self) -> Post:
        """A new post in a new thread."""
        thread = await self.threads.thread()
        return await self.opened.service.write(
            self.threads.token, thread, "Is it raining?", None, IdempotentWrite.without_key()
        )


@pytest_asyncio.fixture(scope="session")
async def users(databases: Databases) -> AsyncIterator[UsersContract]:
    """The users contract."""
    url = databases.urls["users"]
    settings = UserSettings(
        users_database_url=url, sign_in_address_failures=100_000, registration_limit=0
    )
    async with (
        open_users(settings, hashing=CHEAP) as opened,
        http_client() as http,
        users_service(url) as at,
    ):
        client = ServiceClient(http, "users", at, USERS_TOKEN)
        yield UsersContract(
            dict(zip(FORMS, (opened.service, HttpUsers(client)), strict=True)),
            dict(zip(FORMS, (opened.moderation, HttpUserModeration(client)), strict=True)),
            opened.service,
            opened.moderation,
            at,
            url,
        )


@pytest_asyncio.fixture(scope="session")
async def threads(users: UsersContract, databases: Databases) -> AsyncIterator[ThreadsContract]:
    """The threads contract."""
    url = databases.urls["threads"]
    settings = ThreadSettings(threads_database_url=url, thread_interval=0)
    _, token = await users.token()
    async with (
        open_threads(settings, Lifecycle(), users.service) as opened,
        http_client() as http,
        threads_service(url, users.url) as at,
    ):
        client = ServiceClient(http, "threads", at, THREADS_TOKEN)
        yield ThreadsContract(
            dict(zip(FORMS, (opened.service, HttpThreads(client)), strict=True)),
            dict(zip(FORMS, (opened.moderation, HttpThreadModeration(client)), strict=True)),
            opened.service,
            opened.moderation,
            token,
            at,
        )


@pytest_asyncio.fixture(scope="session")
async def posts(
    users: UsersContract, threads: ThreadsContract, databases: Databases
) -> AsyncIterator[PostsContract]:
    """The posts contract."""
    post_settings = PostSettings(
        posts_database_url=databases.urls["posts"], post_interval=0, render_processes=1
    )
    settings = ProcessSettings(host="127.0.0.1", port=0, public_origin=ORIGIN)
    lifecycle = Lifecycle()
    listener = socket.create_server(("127.0.0.1", 0))
    at = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        open_posts(
            post_settings, lifecycle, users.service, users.moderation, threads.service, ORIGIN
        ) as opened,
        http_client() as http,
        listening(
            create_app("posts", [opened.context(settings, [POSTS_TOKEN])], settings, lifecycle),
            listener,
        ),
    ):
        over_http = HttpPosts(ServiceClient(http, "posts", at, POSTS_TOKEN))
        forms: dict[str, Posts] = dict(zip(FORMS, (opened.moderation, over_http), strict=True))
        yield PostsContract(forms, opened, threads)
        lifecycle.drain()
