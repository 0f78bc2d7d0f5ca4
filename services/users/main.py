"""The users service as a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial

from starlette.types import ASGIApp

from kernel.data.database import Database
from kernel.http.app import Context, create_app
from kernel.http.auth import ServiceToken, SessionCookie
from kernel.process.clock import utc_now
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import (
    DatabasePassword,
    DatabaseUrl,
    ProcessSettings,
    ServiceTokens,
    load,
)
from services.users import api
from services.users.attempts import SignInAttempts
from services.users.moderation import Moderation
from services.users.passwords import Passwords, commonest_passwords
from services.users.service import UserService
from services.users.settings import SignInLimits
from services.users.store import UserStore


class Settings(ProcessSettings, SignInLimits):
    """What this process takes from its environment."""

    users_database_password: DatabasePassword = None
    users_database_url: DatabaseUrl
    users_service_token: ServiceTokens


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """The composition root."""
    async with Database.open(settings.users_database_url) as database:
        with closing(Passwords()) as passwords:
            store = UserStore(database)
            attempts = SignInAttempts(database, settings, utc_now)
            users = UserService(store, attempts, passwords, commonest_passwords(), utc_now)
            moderation = Moderation(store, users, utc_now)
            cookie = SessionCookie(settings.public_origin)
            context = Context(
                "users",
                api.DESCRIPTION,
                api.router(users, moderation, cookie, settings.trusted_networks),
                api.internal_router(users, ServiceToken(settings.users_service_token)),
            )
            yield create_app("users", [context], settings, lifecycle, store.check)


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings)
