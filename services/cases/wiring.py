"""Opens the cases context of a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from kernel.cache.changes import CHANGES, Changes
from kernel.contracts import Posts, ThreadModeration, UserModeration, Users
from kernel.data.database import Database
from kernel.data.notifications import NotificationListener
from kernel.data.retention import IDEMPOTENCY_KEYS, Retention
from kernel.http.app import Context
from kernel.http.auth import SessionCookie
from kernel.process.background import running
from kernel.process.clock import Clock, utc_now
from kernel.process.lifecycle import Check, Lifecycle
from kernel.process.settings import ProcessSettings
from services.cases import api
from services.cases.service import CaseService
from services.cases.settings import CaseSettings
from services.cases.store import SCHEMA, CaseStore


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases context, open."""

    service: CaseService
    changes: Changes
    check: Check

    def context(self, settings: ProcessSettings) -> Context:
        """What a process serves. No other context calls cases."""
        public = api.router(self.service, SessionCookie(settings.public_origin))
        return Context("cases", api.DESCRIPTION, self.check, self.changes, public)


@asynccontextmanager
async def open_cases(
    settings: CaseSettings,
    lifecycle: Lifecycle,  # noqa: ARG001
    users: Users,
    user_moderation: UserModeration,  # noqa: ARG001
    thread_moderation: ThreadModeration,  # noqa: ARG001
    posts: Posts,  # noqa: ARG001
    clock: Clock = utc_now,
) -> AsyncIterator[Cases]:
    """The cases context and its background tasks, until the block ends."""
    url = settings.cases_database_url
    async with Database.open(url) as database:
        service = CaseService(CaseStore(database), users)
        # Every answer is personal, so nothing is cached that a change could make wrong.
        changes = Changes("cases", frozenset())
        listener = NotificationListener(url, {CHANGES: changes.notify})
        changes.follow(listener)
        async with running(listener.run(), Retention(database, [IDEMPOTENCY_KEYS], clock).run()):
            yield Cases(service, changes, partial(database.check_schema, SCHEMA))
