"""Each contract in both forms: the service object itself, and the service asked over HTTP. Both
work on the same database, so whatever one was told the other knows."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import pytest_asyncio

from kernel.clients import HttpThreads, HttpUsers, ServiceClient, http_client
from kernel.contracts import Threads, Users
from kernel.data.database import Database
from kernel.data.idempotency import IdempotentWrite
from kernel.data.notifications import NotificationListener
from kernel.process.background import running
from kernel.process.broadcast import Broadcast
from kernel.process.clock import utc_now
from services.threads.service import ThreadService
from services.threads.store import THREAD_REMOVED, ThreadStore
from services.users.attempts import SignInAttempts
from services.users.model import NewUser
from services.users.moderation import Moderation
from services.users.passwords import Passwords
from services.users.service import UserService
from services.users.settings import SignInLimits
from services.users.store import UserStore
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
        user = await self.service.register(NewUser(username, PASSWORD, username, "", None))
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
    async with Database.open(url) as database, http_client() as http:
        with closing(Passwords()) as passwords:
            store = UserStore(database)
            attempts = SignInAttempts(
                database, SignInLimits(sign_in_address_failures=100_000), utc_now
            )
            service = UserService(store, attempts, passwords, frozenset(), utc_now)
            async with users_service(url) as at:
                over_http = HttpUsers(ServiceClient(http, "users", at, USERS_TOKEN))
                forms: dict[str, Users] = dict(zip(FORMS, (service, over_http), strict=True))
                moderation = Moderation(store, service, utc_now)
                yield UsersContract(forms, service, moderation, at, url)


@pytest_asyncio.fixture(scope="session")
async def threads(users: UsersContract, databases: Databases) -> AsyncIterator[ThreadsContract]:
    """The threads contract."""
    url = databases.urls["threads"]
    removal = Broadcast()
    _, token = await users.token()
    async with Database.open(url) as database, http_client() as http:
        service = ThreadService(ThreadStore(database), users.service, utc_now, 0, removal)
        async with (
            running(NotificationListener(url, THREAD_REMOVED, removal.notify).run()),
            threads_service(url, users.url) as at,
        ):
            over_http = HttpThreads(ServiceClient(http, "threads", at, THREADS_TOKEN))
            forms: dict[str, Threads] = dict(zip(FORMS, (service, over_http), strict=True))
            yield ThreadsContract(forms, service, token, at)
