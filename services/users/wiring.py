"""Opens the users context of a process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial

from prometheus_client.registry import Collector

from kernel.cache.changes import CHANGES, Changes
from kernel.data.database import Database
from kernel.data.metrics import DatabaseMetrics
from kernel.data.notifications import NotificationListener
from kernel.data.retention import Retention
from kernel.export.export import Export
from kernel.http.app import Context
from kernel.http.auth import ServiceToken, SessionCookie
from kernel.moderation.log import ModerationLog
from kernel.process.background import running
from kernel.process.clock import Clock, utc_now
from kernel.process.lifecycle import Check
from kernel.process.settings import ProcessSettings
from services.users import api
from services.users.attempts import SignInAttempts
from services.users.moderation import Moderation
from services.users.passwords import RECOMMENDED, Cost, Passwords, commonest_passwords
from services.users.service import UserService
from services.users.settings import UserSettings
from services.users.store import CHANGE_KINDS, EXPORTED, RETENTION, SCHEMA, SUBJECT, UserStore


@dataclass(frozen=True, slots=True)
class Users:
    """The users context, open. `service` implements `kernel.contracts.Users` and
    `UserReader`, `moderation` `kernel.contracts.UserModeration`."""

    service: UserService
    moderation: Moderation
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
            self.service,
            self.moderation,
            self.log,
            self.export,
            cookie,
            settings.trusted_networks,
            self.changes,
        )
        internal = (
            api.internal_router(self.service, self.moderation, ServiceToken(tokens))
            if tokens
            else None
        )
        return Context(
            "users", api.DESCRIPTION, self.check, self.changes, public, internal, self.metrics
        )


@asynccontextmanager
async def open_users(
    settings: UserSettings, clock: Clock = utc_now, hashing: Cost = RECOMMENDED
) -> AsyncIterator[Users]:
    """The users context, until the block ends. `hashing` is the cost of new hashes."""
    url = settings.users_database_url
    async with Database.open(url, acquire_timeout=settings.acquire_timeout) as database:
        with closing(Passwords(hashing)) as passwords:
            store = UserStore(database)
            attempts = SignInAttempts(database, settings, clock)
            service = UserService(
                store, attempts, passwords, commonest_passwords(), clock, settings
            )
            moderation = Moderation(store, service, clock)
            log = ModerationLog(database, service, SUBJECT)
            export = Export(database, service, EXPORTED)
            changes = Changes("users", CHANGE_KINDS)
            listener = NotificationListener(url, {CHANGES: changes.notify})
            changes.follow(listener)
            database.after_commit(listener.catch_up)
            retention = Retention(database, RETENTION, clock)
            async with running(listener.run(), retention.run()):
                check = partial(database.check_schema, SCHEMA)
                metrics = [DatabaseMetrics("users", database)]
                yield Users(service, moderation, log, export, retention, changes, check, metrics)
