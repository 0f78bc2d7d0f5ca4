"""Each contract in both forms: the service object itself, and the service asked over HTTP. Both
work on the same database, so whatever one was told the other knows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from kernel.clients import HttpThreads, HttpUsers, ServiceClient, http_client
from kernel.contracts import Threads, Users
from kernel.data.idempotency import IdempotentWrite
from kernel.process.lifecycle import Lifecycle
from services.threads.service import ThreadService
from services.threads.settings import ThreadSettings
from services.threads.wiring import open_threads
from services.users.model import NewUser
from services.users.moderation import Moderation
from services.users.service import UserService
from services.users.settings import UserSettings
from services.users.wiring import open_users
from tests.databases import Databases
from tests.deployments import THREADS_TOKEN, USERS_TOKEN, threads_service, users_service
from tests.people import PASSWORD, new_username

FORMS = ("in process", "over HTTP")


@dataclass(frozen=True)
class UsersContract:
    """`kernel.contracts.Users` in both forms, and what makes something to ask about."""

    forms: dict[str, Users]
    service: UserService
    moderation: Moderation
    url: str
    database_url: str

    async def token(self) -> tuple[int, str]:
        """Somebody new who has signed in: their id and their token."""
        username = new_username()
        new = NewUser(username, PASSWORD, username, "", None)
        user = await self.service.register(new, "127.0.0.1")
        session = await self.service.sign_in(username, PASSWORD, "127.0.0.1", None)
        return user.id, session.token


@dataclass(frozen=True)
class ThreadsContract:
    """`kernel.contracts.Threads` in both forms, and what makes something to ask about."""

    forms: dict[str, Threads]
    service: ThreadService
    token: str
    url: str

    async def thread(self) -> int:
        """A new thread."""
        thread = await self.service.start(
            self.token, "A rainy weekend", IdempotentWrite.without_key()
        )
        return thread.id


@pytest_asyncio.fixture(scope="session")
async def users(databases: Databases) -> AsyncIterator[UsersContract]:
    """The users contract."""
    url = databases.urls["users"]
    settings = UserSettings(
        users_database_url=url, sign_in_address_failures=100_000, registration_limit=0
    )
    async with open_users(settings) as opened, http_client() as http, users_service(url) as at:
        over_http = HttpUsers(ServiceClient(http, "users", at, USERS_TOKEN))
        forms: dict[str, Users] = dict(zip(FORMS, (opened.service, over_http), strict=True))
        yield UsersContract(forms, opened.service, opened.moderation, at, url)


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
        over_http = HttpThreads(ServiceClient(http, "threads", at, THREADS_TOKEN))
        forms: dict[str, Threads] = dict(zip(FORMS, (opened.service, over_http), strict=True))
        yield ThreadsContract(forms, opened.service, token, at)
