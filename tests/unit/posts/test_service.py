"""The rules of posts, without a database."""

import pytest

from kernel.contracts import Actor, ThreadRef
from kernel.data.idempotency import IdempotentWrite, Replayed
from kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    Stale,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from services.posts.model import Post
from services.posts.service import PostService
from tests.unit.fakes import NOON, FakeThreads, FakeUsers, noon
from tests.unit.posts.fakes import FakeLimits, FakePostStore, FakeRenderer, FakeSearch

INES, OTTO, MODERATOR = Actor(1, "member"), Actor(2, "member"), Actor(3, "moderator")
OPEN, LOCKED = ThreadRef(7, INES.id, False), ThreadRef(8, INES.id, True)
POST = Post(1, OPEN.id, INES.id, "Warm water?", "<p>Warm water?</p>", None, NOON, None, None)


class Posts:
    """A posts service on fakes; `changes` counts what it announced."""

    def __init__(self, *posts: Post, replays: bool = False) -> None:
        self.store = FakePostStore(*posts, replays=replays)
        self.threads = FakeThreads(OPEN, LOCKED)
        self.renderer = FakeRenderer()
        self.changes = 0
        users = FakeUsers(ines=INES, otto=OTTO, moderator=MODERATOR)
        self.service = PostService(
            self.store, FakeSearch(), users, self.threads, self.renderer.render, noon, FakeLimits(),
            self._changed,
        )  # fmt: skip

    def _changed(self) -> None:
        self.changes += 1

    async def write(self, token: str, thread: int) -> Post:
        """Write a post without an idempotency key."""
        return await self.service.write(token, thread, "Hello", None, IdempotentWrite.without_key())


async def test_written_post_is_stored_with_its_html_and_announced() -> None:
    posts = Posts()
    post = await posts.write("otto", OPEN.id)
    assert (post.user, post.text, post.html) == (OTTO.id, "Hello", "<p>Hello</p>")
    assert posts.store.posts == {post.id: post}
    assert posts.changes == 1


@pytest.mark.parametrize(("token", "by_starter"), [("ines", True), ("otto", False)])
async def test_post_records_whether_its_author_started_the_thread(
    token: str, by_starter: bool
) -> None:
    posts = Posts()
    await posts.write(token, OPEN.id)
    assert [new.by_starter for new in posts.store.added] == [by_starter]


@pytest.mark.parametrize(
    ("token", "thread", "failure"),
    [
        ("otto", LOCKED.id, Conflict),
        ("otto", 999, NotFound),
        ("nobody", OPEN.id, Unauthenticated),
        ("nobody", 999, Unauthenticated),
    ],
)
async def test_refused_post_is_neither_stored_nor_announced(
    token: str, thread: int, failure: type[Exception]
) -> None:
    posts = Posts()
    with pytest.raises(failure):
        await posts.write(token, thread)
    assert (posts.store.added, posts.changes, posts.renderer.rendered) == ([], 0, [])


async def test_nothing_is_rendered_above_a_limit() -> None:
    posts = Posts(POST)
    posts.store.used_up = True
    with pytest.raises(TooManyRequests):
        await posts.service.edit("ines", POST.id, "Cold water?", lambda _: None)
    with pytest.raises(TooManyRequests):
        await posts.service.preview("otto", "Hello")
    assert posts.renderer.rendered == []


async def test_only_the_first_of_many_posts_in_a_window_is_rendered() -> None:
    posts = Posts()
    posts.store.used_up = True  # by posts that other processes stored
    for _ in range(5):
        with pytest.raises(TooManyRequests):
            await posts.write("otto", OPEN.id)
    assert posts.renderer.rendered == [("Hello", OTTO.id)]
    assert posts.store.posts == {}


async def test_edit_without_a_change_is_neither_counted_nor_rendered_nor_announced() -> None:
    posts = Posts(POST)
    posts.store.used_up = True
    assert await posts.service.edit("ines", POST.id, POST.text, lambda _: None) == POST
    assert (posts.renderer.rendered, posts.changes) == ([], 0)


async def test_text_is_rendered_in_the_name_of_who_sends_it() -> None:
    posts = Posts(POST)
    await posts.write("otto", OPEN.id)
    await posts.service.edit("moderator", POST.id, "Cold water?", lambda _: None)
    await posts.service.preview("ines", "Warm?")
    assert posts.renderer.rendered == [
        ("Hello", OTTO.id), ("Cold water?", MODERATOR.id), ("Warm?", INES.id)
    ]  # fmt: skip


async def test_unavailable_threads_context_rejects_posts() -> None:
    posts = Posts()
    posts.threads.failure = Unavailable("Down.")
    with pytest.raises(Unavailable):
        await posts.write("otto", OPEN.id)
    assert posts.store.added == []


@pytest.mark.parametrize("thread", [LOCKED.id, 999])
async def test_replay_is_answered_even_if_the_thread_has_changed_since(thread: int) -> None:
    posts = Posts(replays=True)
    with pytest.raises(Replayed):
        await posts.write("otto", thread)


@pytest.mark.parametrize("token", ["ines", "moderator"])
async def test_author_and_moderators_may_edit_and_see_revisions(token: str) -> None:
    posts = Posts(POST)
    edited = await posts.service.edit(token, POST.id, "Cold water?", lambda _: None)
    assert (edited.html, edited.edited_at) == ("<p>Cold water?</p>", NOON)
    assert (await posts.service.revisions(token, POST.id, 20, None)).items
    assert posts.changes == 1


async def test_other_members_may_not_edit_or_see_revisions() -> None:
    posts = Posts(POST)
    with pytest.raises(Forbidden):
        await posts.service.edit("otto", POST.id, "Mine now", lambda _: None)
    assert posts.renderer.rendered == []
    with pytest.raises(Forbidden):
        await posts.service.revisions("otto", POST.id, 20, None)
    assert posts.store.posts == {POST.id: POST}
    assert posts.changes == 0


def _stale(_post: Post) -> None:
    raise Stale("It has changed.")


async def test_edit_of_a_changed_post_is_rejected() -> None:
    posts = Posts(POST)
    with pytest.raises(Stale):
        await posts.service.edit("ines", POST.id, "Cold water?", _stale)
    assert posts.renderer.rendered == []
    assert posts.store.posts == {POST.id: POST}


async def test_edit_checks_the_permission_before_the_version() -> None:
    with pytest.raises(Forbidden):
        await Posts(POST).service.edit("otto", POST.id, "Mine now", _stale)


async def test_missing_post_is_not_found() -> None:
    service = Posts().service
    with pytest.raises(NotFound):
        await service.find(POST.id)
    with pytest.raises(NotFound):
        await service.edit("ines", POST.id, "Cold water?", lambda _: None)


async def test_preview_requires_a_session() -> None:
    service = Posts().service
    assert await service.preview("otto", "Hello") == "<p>Hello</p>"
    with pytest.raises(Unauthenticated):
        await service.preview("nobody", "Hello")
