"""The users service: one context in a process. It calls no other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.types import ASGIApp

from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import ProcessSettings, ServiceTokens, load
from services.users.passwords import RECOMMENDED, Cost
from services.users.settings import UserSettings
from services.users.wiring import open_users


class Settings(ProcessSettings, UserSettings):
    """The settings of this process."""

    users_service_token: ServiceTokens


@asynccontextmanager
async def application(
    settings: Settings, lifecycle: Lifecycle, hashing: Cost = RECOMMENDED
) -> AsyncIterator[ASGIApp]:
    """Build the application; the context is closed when the block ends."""
    async with open_users(settings, hashing=hashing) as users:
        context = users.context(settings, settings.users_service_token)
        yield create_app("users", [context], settings, lifecycle)


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings, "users")
