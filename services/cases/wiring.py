"""Opens the cases context of a process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client.registry import Collector

from kernel.cache.changes import CHANGES, Changes
from kernel.contracts import Posts, ThreadModeration, UserModeration, Users
from kernel.data.database import Database
from kernel.data.erasure import Erasure
from kernel.data.metrics import DatabaseMetrics
from kernel.data.notifications import NotificationListener
from kernel.data.retention import IDEMPOTENCY_KEYS, Retention
from kernel.export.export import Export
from kernel.http.app import Context
from kernel.http.auth import SessionCookie
from kernel.moderation.log import ModerationLog
from kernel.process.background import running
from kernel.process.clock import Clock, utc_now
from kernel.process.lifecycle import Check
from kernel.process.settings import ProcessSettings
from services.cases import api
from services.cases.engines.opening import open_workflow
from services.cases.erasure_store import ErasureStore
from services.cases.service import CaseService
from services.cases.settings import CaseSettings
from services.cases.store import EXPORTED, SCHEMA, SUBJECT, CaseStore
from services.cases.task_store import TaskStore
from services.cases.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases context, open."""

    service: CaseService
    log: ModerationLog
    export: Export
    retention: Retention
    erasure: Erasure
    changes: Changes
    check: Check
    metrics: Sequence[Collector]

    def context(self, settings: ProcessSettings) -> Context:
        """What a process serves. No other context calls cases."""
        public = api.router(
            self.service, self.log, self.export, SessionCookie(settings.public_origin)
        )
        return Context(
            "cases", api.DESCRIPTION, self.check, self.changes, public, metrics=self.metrics
        )


@asynccontextmanager
async def open_cases(
    settings: CaseSettings,
    users: Users,
    user_moderation: UserModeration,
    thread_moderation: ThreadModeration,
    posts: Posts,
    clock: Clock = utc_now,
) -> AsyncIterator[Cases]:
    """The cases context and its background tasks, until the block ends."""
    url = settings.cases_database_url
    async with Database.open(url, acquire_timeout=settings.acquire_timeout) as database:
        tasks = Tasks(TaskStore(database), user_moderation, thread_moderation, posts, clock)
        async with open_workflow(settings, database, tasks, clock) as workflow:
            service = CaseService(
                CaseStore(database),
                users,
                user_moderation,
                posts,
                workflow,
                clock,
                settings.for_reports,
            )
            # Every answer is personal, so nothing is cached that a change could make wrong.
            changes = Changes("cases", frozenset())
            listener = NotificationListener(url, {CHANGES: changes.notify, **workflow.channels})
            changes.follow(listener)
            erasure = Erasure(ErasureStore(database), user_moderation)
            retention = Retention(database, [IDEMPOTENCY_KEYS], clock)
            async with running(
                listener.run(),
                erasure.run(),
                retention.run(),
            ):
                log = ModerationLog(database, users, SUBJECT)
                export = Export(database, users, EXPORTED)
                check = partial(database.check_schema, SCHEMA)
                metrics = [DatabaseMetrics("cases", database)]
                yield Cases(service, log, export, retention, erasure, changes, check, metrics)
