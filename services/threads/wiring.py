"""Opens the threads context of a process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client.registry import Collector

from kernel.cache.changes import CHANGES, Changes
from kernel.contracts import Users
from kernel.data.database import Database
from kernel.data.metrics import DatabaseMetrics
from kernel.data.notifications import NotificationListener
from kernel.data.retention import IDEMPOTENCY_KEYS, Retention
from kernel.export.export import Export
from kernel.http.app import Context
from kernel.http.auth import ServiceToken, SessionCookie
from kernel.moderation.log import ModerationLog
from kernel.process.background import running
from kernel.process.broadcast import Broadcast
from kernel.process.clock import Clock, utc_now
from kernel.process.lifecycle import Check, Lifecycle
from kernel.process.settings import ProcessSettings
from kernel.search.dictionary import Dictionary
from kernel.search.indexer import Indexer
from services.threads import api
from services.threads.moderation import Moderation
from services.threads.search_store import SearchStore
from services.threads.service import ThreadService
from services.threads.settings import ThreadSettings
from services.threads.store import (
    CHANGE_KINDS,
    EXPORTED,
    SCHEMA,
    SUBJECT,
    THREAD_REMOVED,
    ThreadStore,
)
from services.threads.views import Views


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads context, open. `service` implements `kernel.contracts.Threads`, `moderation`
    `kernel.contracts.ThreadModeration`, `views` `kernel.contracts.ThreadReader`."""

    service: ThreadService
    moderation: Moderation
    views: Views
    log: ModerationLog
    export: Export
    retention: Retention
    changes: Changes
    check: Check
    metrics: Sequence[Collector]

    def context(self, settings: ProcessSettings, tokens: Sequence[str] = ()) -> Context:
        """What a process serves. Other services can call it if it accepts service tokens."""
        cookie = SessionCookie(settings.public_origin)
        public = api.router(
            self.service, self.moderation, self.log, self.export, cookie, self.changes
        )
        internal = (
            api.internal_router(self.service, self.moderation, self.views, ServiceToken(tokens))
            if tokens
            else None
        )
        return Context(
            "threads", api.DESCRIPTION, self.check, self.changes, public, internal, self.metrics
        )


@asynccontextmanager
async def open_threads(
    settings: ThreadSettings,
    lifecycle: Lifecycle,
    users: Users,
    clock: Clock = utc_now,
) -> AsyncIterator[Threads]:
    """The threads context and its background tasks, until the block ends."""
    url = settings.threads_database_url
    async with Database.open(url, acquire_timeout=settings.acquire_timeout) as database:
        dictionary = Dictionary()
        store, search = ThreadStore(database, dictionary), SearchStore(database, dictionary)
        removal = Broadcast()
        service = ThreadService(store, search, users, clock, settings, removal)
        moderation = Moderation(store, users, clock)
        log = ModerationLog(database, users, SUBJECT)
        export = Export(database, users, EXPORTED)
        changes = Changes("threads", CHANGE_KINDS)
        listener = NotificationListener(
            url, {THREAD_REMOVED: removal.notify, CHANGES: changes.notify}
        )
        changes.follow(listener)
        database.after_commit(listener.catch_up)
        retention = Retention(database, [IDEMPOTENCY_KEYS], clock)
        async with running(
            listener.run(),
            Indexer(database, dictionary, "threads", "title").run(),
            retention.run(),
            lifecycle.when_draining(removal.close),
        ):
            check = partial(database.check_schema, SCHEMA)
            views = Views(service, store)
            metrics = [DatabaseMetrics("threads", database)]
            yield Threads(
                service, moderation, views, log, export, retention, changes, check, metrics
            )
