"""How a thread's activity is counted, delivered and stored."""

import itertools
from dataclasses import replace

from kernel.contracts import Activity
from kernel.data.database import Database
from kernel.data.idempotency import IdempotentWrite
from kernel.errors import Policy
from kernel.search.dictionary import Dictionary
from services.posts.model import NewPost, Post
from services.posts.store import PostStore
from services.posts.stores.activity import ActivityStore
from services.posts.stores.moderation import ModerationStore
from services.threads.store import ThreadStore
from tests.unit.fakes import NOON

NO_LIMIT = Policy("post", 1, 0)
STARTER, OTHER = 1, 2

_threads = itertools.count(2**42)  # no other test uses this thread


class Thread:
    """A new thread in the posts context."""

    def __init__(self, database: Database) -> None:
        self.id = next(_threads)
        self.posts = PostStore(database, Dictionary())
        self.moderation = ModerationStore(database)
        self.store = ActivityStore(database)
        self._database = database

    async def write(self, user: int) -> Post:
        """A post of this user."""
        new = NewPost(self.id, user, user == STARTER, "Hello", "<p>Hello</p>", None)
        return await self.posts.add(new, NOON, NO_LIMIT, IdempotentWrite.without_key())

    async def remove(self, post: Post) -> None:
        """Remove a post."""
        assert await self.moderation.remove(post.id, post.user, None, NOON, lambda _: None)

    async def restore(self, post: Post) -> None:
        """Restore a post."""
        assert await self.moderation.restore(post.id, NOON, lambda _: None)

    async def undelivered(self) -> Activity | None:
        """The thread's activity, if the threads context has not acknowledged it."""
        waiting = await self.store.undelivered(10_000)
        return next((activity for activity in waiting if activity.thread == self.id), None)

    async def deliver(self, activity: Activity | None) -> None:
        """Acknowledge this activity, as the threads context does."""
        assert activity is not None
        await self.store.mark_delivered([activity])

    def activity(
        self, version: int, posts: int, by_others: int, last_by: int | None = OTHER
    ) -> Activity:
        """The activity that the threads context should have. `last_by` wrote the last post."""
        last = NOON if posts else None
        return Activity(self.id, version, posts, by_others, last, last_by if posts else None)


async def test_posts_and_posts_by_others_are_counted_up_and_down(posts_database: Database) -> None:
    thread = Thread(posts_database)
    own = await thread.write(STARTER)
    others = [await thread.write(OTHER) for _ in range(2)]
    assert await thread.undelivered() == thread.activity(3, 3, 2)
    await thread.remove(others[0])
    assert await thread.undelivered() == thread.activity(4, 2, 1)
    await thread.remove(own)
    assert await thread.undelivered() == thread.activity(5, 1, 1)
    await thread.remove(others[1])
    assert await thread.undelivered() == thread.activity(6, 0, 0)
    await thread.restore(others[0])
    assert await thread.undelivered() == thread.activity(7, 1, 1)
    await thread.restore(own)
    assert await thread.undelivered() == thread.activity(8, 2, 1)


async def test_visible_post_is_not_restored_again(posts_database: Database) -> None:
    thread = Thread(posts_database)
    post = await thread.write(OTHER)
    await thread.restore(post)
    assert await thread.undelivered() == thread.activity(1, 1, 1)


async def test_removed_post_is_not_removed_again(posts_database: Database) -> None:
    thread = Thread(posts_database)
    post = await thread.write(OTHER)
    await thread.remove(post)
    await thread.remove(post)
    assert await thread.undelivered() == thread.activity(2, 0, 0)


async def test_what_was_written_during_a_delivery_is_still_to_be_delivered(
    posts_database: Database,
) -> None:
    thread = Thread(posts_database)
    await thread.write(OTHER)
    under_way = await thread.undelivered()
    await thread.write(OTHER)
    await thread.deliver(under_way)
    newer = await thread.undelivered()
    assert newer == thread.activity(2, 2, 2)
    await thread.deliver(newer)
    assert await thread.undelivered() is None


async def test_slow_delivery_does_not_undo_a_newer_one(posts_database: Database) -> None:
    thread = Thread(posts_database)
    await thread.write(OTHER)
    slow = await thread.undelivered()
    await thread.write(OTHER)
    await thread.deliver(await thread.undelivered())
    await thread.deliver(slow)
    assert await thread.undelivered() is None


async def test_threads_takes_newer_activity_and_ignores_older(threads_database: Database) -> None:
    store = ThreadStore(threads_database, Dictionary())
    thread = await store.add("Bread", 1, NOON, NO_LIMIT, IdempotentWrite.without_key())
    newer = Activity(thread.id, 5, 3, 2, NOON, OTHER)
    await store.record_activity([newer])
    await store.record_activity([replace(newer, version=4, post_count=1), replace(newer)])
    found = await store.find(thread.id)
    assert found is not None
    assert (found.post_count, found.posts_by_others, found.last_post_at) == (3, 2, NOON)
    assert found.last_post_by == OTHER
    await store.record_activity([Activity(thread.id, 6, 0, 0, None)])
    found = await store.find(thread.id)
    assert found is not None
    assert (found.post_count, found.posts_by_others, found.last_post_at) == (0, 0, None)
    assert found.last_post_by is None
    assert found.version == thread.version  # the version of the title and the marks


async def test_events_come_in_order_and_in_parts(posts_database: Database) -> None:
    thread = Thread(posts_database)
    for _ in range(101):
        await thread.write(OTHER)
    events = list(await thread.store.events(thread.id, 0))
    assert len(events) < 101
    while more := await thread.store.events(thread.id, events[-1].version):
        events += more
    assert [event.version for event in events] == list(range(1, 102))
