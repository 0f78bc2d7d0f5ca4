"""Opens the posts context of a process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client.registry import Collector

from kernel.cache.changes import CHANGES, Changes
from kernel.contracts import Departures, Threads, Users
from kernel.data.database import Database
from kernel.data.erasure import Erasure
from kernel.data.metrics import DatabaseMetrics
from kernel.data.notifications import NotificationListener
from kernel.data.retention import Retention
from kernel.export.export import Export
from kernel.http.app import Context
from kernel.http.auth import ServiceToken, SessionCookie
from kernel.moderation.log import ModerationLog
from kernel.process.background import running
from kernel.process.clock import Clock, utc_now
from kernel.process.gauges import Gauge
from kernel.process.lifecycle import Check, Lifecycle
from kernel.process.settings import ProcessSettings
from kernel.search.dictionary import Dictionary
from kernel.search.indexer import Indexer
from services.posts import api
from services.posts.delivery import ActivityDelivery
from services.posts.markup.pool import RenderPool
from services.posts.markup.rerendering import Rerenderer
from services.posts.moderation import Moderation
from services.posts.reading.service import Reading
from services.posts.removals import RemovalFollower
from services.posts.search.store import SearchStore
from services.posts.service import PostService
from services.posts.settings import PostSettings
from services.posts.store import CHANGE_KINDS, SCHEMA, THREAD_CHANGED, PostStore
from services.posts.stores.activity import ActivityStore
from services.posts.stores.exported import EXPORTED
from services.posts.stores.lists import AS_JSON, AS_POSTS, PostLists
from services.posts.stores.moderation import SUBJECT, ModerationStore
from services.posts.stores.reading import ReadingStore
from services.posts.stores.removals import RemovalStore
from services.posts.stream import Streams
from services.posts.views import Views

_LAG = "Since when activity of threads could not be delivered to the threads context, in seconds."


@dataclass(frozen=True, slots=True)
class Posts:
    """The posts context, open. `moderation` implements `kernel.contracts.Posts`, `views`
    `kernel.contracts.PostReader`; `delivery` sends the activity of threads to the threads
    context."""

    service: PostService
    moderation: Moderation
    reading: Reading
    views: Views
    lists: api.Lists
    log: ModerationLog
    export: Export
    retention: Retention
    streams: Streams
    delivery: ActivityDelivery
    erasure: Erasure
    users: Users
    changes: Changes
    check: Check
    metrics: Sequence[Collector]

    def context(self, settings: ProcessSettings, tokens: Sequence[str] = ()) -> Context:
        """What a process serves. Other services can call it if it accepts service tokens."""
        cookie = SessionCookie(settings.public_origin, self.users.authenticate)
        public = api.router(
            self.service,
            self.lists,
            self.moderation,
            self.reading,
            self.log,
            self.export,
            self.streams,
            cookie,
            self.changes,
        )
        internal = (
            api.internal_router(self.moderation, self.views, ServiceToken(tokens))
            if tokens
            else None
        )
        return Context(
            "posts", api.DESCRIPTION, self.check, self.changes, public, internal, self.metrics
        )


@asynccontextmanager
async def open_posts(
    settings: PostSettings,
    lifecycle: Lifecycle,
    users: Users,
    departures: Departures,
    threads: Threads,
    public_origin: str,
    clock: Clock = utc_now,
) -> AsyncIterator[Posts]:
    """The posts context, its background tasks and its processes, until the block ends.
    `public_origin` is the origin that browsers use."""
    url = settings.posts_database_url
    async with Database.open(url, acquire_timeout=settings.acquire_timeout) as database:
        dictionary = Dictionary()
        store, search, activity = (
            PostStore(database, dictionary),
            SearchStore(database, dictionary),
            ActivityStore(database),
        )
        delivery = ActivityDelivery(activity, threads)
        streams = Streams(activity, api.encode_event)
        changes = Changes("posts", CHANGE_KINDS)
        listener = NotificationListener(
            url, {THREAD_CHANGED: streams.thread_changed, CHANGES: changes.notify}
        )
        changes.follow(listener)
        database.after_commit(listener.catch_up)
        async with RenderPool.open(public_origin, settings.render_processes) as pool:
            service = PostService(
                store, search, users, threads, pool.render, clock, settings, delivery.wake
            )
            reading_store = ReadingStore(database)
            reading = Reading(reading_store, users, clock, settings)
            erasure = Erasure(reading_store, departures)
            moderation = Moderation(ModerationStore(database), users, clock, delivery.wake)
            retention = Retention(database, settings.retention, clock)
            async with running(
                delivery.run(),
                RemovalFollower(RemovalStore(database), threads).run(),
                listener.run(),
                streams.run(),
                erasure.run(),
                Rerenderer(database, pool.render).run(),
                Indexer(database, dictionary, "posts", "text").run(),
                retention.run(),
                lifecycle.when_draining(streams.close),
            ):
                check = partial(database.check_schema, SCHEMA)
                metrics = [
                    DatabaseMetrics("posts", database),
                    Gauge("board_activity_lag_seconds", _LAG, delivery.lag),
                ]
                log = ModerationLog(database, users, SUBJECT)
                export = Export(database, users, EXPORTED)
                yield Posts(
                    service,
                    moderation,
                    reading,
                    Views(service, PostLists(database, AS_POSTS), activity),
                    PostLists(database, AS_JSON),
                    log,
                    export,
                    retention,
                    streams,
                    delivery,
                    erasure,
                    users,
                    changes,
                    check,
                    metrics,
                )
