"""Fakes of the posts service's dependencies."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from kernel.data.idempotency import IdempotentWrite, ReplayableResponse, Replayed
from kernel.data.paging import Page
from kernel.errors import Policy, TooManyRequests
from kernel.moderation.log import Act
from services.posts.model import (
    Decide,
    Found,
    NewPost,
    Post,
    PostState,
    Removal,
    RemovedPost,
    Revision,
)


class FakeRenderer:
    """Renders HTML that shows its text, and records each user and text."""

    def __init__(self) -> None:
        self.rendered: list[tuple[str, int]] = []

    async def render(self, text: str, user: int) -> str:
        self.rendered.append((text, user))
        return f"<p>{text}</p>"


class FakeLimits:
    """`services.posts.service.Limits`; the fake store ignores them."""

    for_posts = Policy("post", 1, 5)
    for_previews = Policy("preview", 1, 60)
    for_edits = Policy("edit", 1, 60)


class FakePostStore:
    """`services.posts.service.Store` in memory. With `replays`, every write counts as done before;
    with `used_up`, every limit as reached."""

    def __init__(self, *posts: Post, replays: bool = False) -> None:
        self.used_up = False
        self.posts = {post.id: post for post in posts}
        self.added: list[NewPost] = []
        self.replays = replays
        self.acts: list[Act] = []

    async def check_replay(self, _write: IdempotentWrite[Post], _user: int, _now: datetime) -> None:
        if self.replays:
            raise Replayed(ReplayableResponse(201, {}, b"{}"))

    async def add(
        self, new: NewPost, now: datetime, policy: Policy, _write: IdempotentWrite[Post]
    ) -> Post:
        self._check(policy)
        self.added.append(new)
        number = len(self.posts) + 1
        post = Post(number, new.thread, new.user, new.text, new.html, new.reply_to, now, None, None)
        self.posts[number] = post
        return post

    async def check_may_post(self, _user: int, _now: datetime, policy: Policy) -> None:
        self._check(policy)

    async def check_may_edit(self, _user: int, _now: datetime, policy: Policy) -> None:
        self._check(policy)

    async def count_preview(self, _user: int, _now: datetime, policy: Policy) -> None:
        self._check(policy)

    def _check(self, policy: Policy) -> None:
        if self.used_up:
            raise TooManyRequests("Too fast.", policy, 1)

    async def edit(
        self,
        post: int,
        actor: int,
        text: str,
        rendered: str,
        now: datetime,
        _policy: Policy,
        decide: Decide,
    ) -> Post | None:
        if post not in self.posts:
            return None
        act = decide(self.posts[post])
        if act is not None:
            self.acts.append(act)
        self.posts[post] = self.posts[post]._replace(
            text=text, html=rendered, edited_at=now, edited_by=None if act is None else actor
        )
        return self.posts[post]

    async def find(self, post: int) -> Post | None:
        return self.posts.get(post)

    async def revisions(self, post: int, limit: int, _after: str | None) -> Page[Revision]:
        said = self.posts[post]
        return Page([Revision(1, said.text, said.created_at, None)][:limit], None)


class FakeSearch:
    """`services.posts.service.Search` that finds nothing."""

    async def search(self, _words: str, _limit: int, _after: str | None) -> Page[Found]:
        return Page([], None)


class FakeModerationStore:
    """`services.posts.moderation.Store` in memory."""

    def __init__(self, *states: PostState) -> None:
        self.states = {state.post.id: state for state in states}
        self.acts: list[Act] = []

    def _record(self, act: Act | None) -> bool:
        if act is None:
            return True
        if act.key is not None and act.key in {other.key for other in self.acts}:
            return False
        self.acts.append(act)
        return True

    async def remove(
        self,
        post: int,
        actor: int,
        reason: str | None,
        now: datetime,
        decide: Callable[[PostState], Act | None],
    ) -> bool:
        if post not in self.states:
            return False
        state = self.states[post]
        act = decide(state)
        keyed = act is not None and act.key is not None
        if (state.visible or keyed) and self._record(act) and state.visible:
            self.states[post] = replace(state, removal=Removal(now, actor, reason))
        return True

    async def restore(
        self, post: int, _now: datetime, decide: Callable[[PostState], Act | None]
    ) -> bool:
        if post not in self.states:
            return False
        act = decide(self.states[post])
        if self.states[post].removal is not None:
            self._record(act)
            self.states[post] = replace(self.states[post], removal=None)
        return True

    async def find(self, post: int) -> PostState | None:
        return self.states.get(post)

    async def removed_in_thread(
        self, thread: int, limit: int, _after: str | None
    ) -> Page[RemovedPost]:
        removed = [
            RemovedPost(*state.post, state.removal.at, state.removal.by, state.removal.reason)
            for state in self.states.values()
            if state.removal is not None and state.post.thread == thread
        ]
        return Page(removed[:limit], None)
