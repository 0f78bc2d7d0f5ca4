"""The rules of removing and restoring posts, without a database."""

from collections.abc import Awaitable, Callable

import pytest

from kernel.contracts import Actor, ReportedPost
from kernel.errors import Conflict, Failure, Forbidden, NotFound, Unauthenticated
from kernel.moderation.log import Act
from services.posts.model import Post, PostState, Removal
from services.posts.moderation import Moderation
from tests.unit.fakes import NOON, FakeUsers, noon
from tests.unit.posts.fakes import FakeModerationStore

INES, OTTO = Actor(1, "member"), Actor(2, "member")
MODERATOR, ADMIN = Actor(3, "moderator"), Actor(4, "admin")
POST = Post(7, 1, INES.id, "Warm water?", "<p>Warm water?</p>", None, NOON, None, None)
VISIBLE = PostState(POST, None, False)
REMOVED = PostState(POST, Removal(NOON, MODERATOR.id, "Off topic."), False)
REMOVED_BY_AUTHOR = PostState(POST, Removal(NOON, INES.id, None), False)
REMOVED_BY_UNKNOWN = PostState(POST, Removal(NOON, None, None), False)
IN_REMOVED_THREAD = PostState(POST, Removal(NOON, MODERATOR.id, None), True)


class Posts:
    """The rules on a store with one post."""

    def __init__(self, *states: PostState) -> None:
        self.store = FakeModerationStore(*states)
        self.changes = 0
        users = FakeUsers(ines=INES, otto=OTTO, moderator=MODERATOR, admin=ADMIN)
        self.moderation = Moderation(self.store, users, noon, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def removal(self) -> Removal | None:
        return self.store.states[POST.id].removal


Change = Callable[[Moderation, str], Awaitable[object]]

CHANGES: dict[str, Change] = {
    "delete": lambda moderation, token: moderation.remove(token, POST.id),
    "remove": lambda moderation, token: moderation.remove_as_moderator(
        token, POST.id, "Off topic."
    ),
    "restore": lambda moderation, token: moderation.restore(token, POST.id),
    "list": lambda moderation, token: moderation.removed_in_thread(token, POST.thread, 20, None),
}


async def test_author_removes_a_post_without_an_act() -> None:
    posts = Posts(VISIBLE)
    await posts.moderation.remove("ines", POST.id)
    assert posts.removal == Removal(NOON, INES.id, None)
    assert (posts.store.acts, posts.changes) == ([], 1)


async def test_removal_by_a_moderator_is_an_act_with_a_reason() -> None:
    posts = Posts(VISIBLE)
    await posts.moderation.remove_as_moderator("moderator", POST.id, "Off topic.")
    assert posts.removal == Removal(NOON, MODERATOR.id, "Off topic.")
    assert posts.store.acts == [Act("remove-post", MODERATOR.id, POST.id, INES.id, "Off topic.")]
    assert posts.changes == 1


async def test_moderator_may_delete_without_a_reason() -> None:
    posts = Posts(VISIBLE)
    await posts.moderation.remove("moderator", POST.id)
    assert posts.store.acts == [Act("remove-post", MODERATOR.id, POST.id, INES.id)]


async def test_moderators_own_post_is_removed_as_its_author() -> None:
    own = PostState(POST._replace(user=MODERATOR.id), None, False)
    posts = Posts(own)
    await posts.moderation.remove_as_moderator("moderator", POST.id, "A mistake.")
    assert posts.store.states[POST.id].removed_by_author
    assert posts.store.acts == []


async def test_second_removal_keeps_the_first_reason() -> None:
    posts = Posts(REMOVED)
    await posts.moderation.remove_as_moderator("admin", POST.id, "Rude.")
    assert posts.removal == REMOVED.removal
    assert posts.store.acts == []


@pytest.mark.parametrize("state", [REMOVED, REMOVED_BY_AUTHOR, IN_REMOVED_THREAD])
async def test_removed_post_cannot_be_deleted(state: PostState) -> None:
    with pytest.raises(NotFound):
        await Posts(state).moderation.remove("ines", POST.id)


async def test_post_in_a_removed_thread_cannot_be_removed() -> None:
    posts = Posts(PostState(POST, None, True))
    with pytest.raises(NotFound):
        await posts.moderation.remove_as_moderator("moderator", POST.id, None)
    assert posts.store.acts == []


async def test_restoring_is_an_act() -> None:
    posts = Posts(REMOVED)
    await posts.moderation.restore("admin", POST.id)
    assert posts.removal is None
    assert posts.store.acts == [Act("restore-post", ADMIN.id, POST.id, INES.id)]
    assert posts.changes == 1


async def test_restoring_a_visible_post_is_no_act() -> None:
    posts = Posts(VISIBLE)
    await posts.moderation.restore("moderator", POST.id)
    assert posts.store.acts == []


@pytest.mark.parametrize("state", [REMOVED_BY_AUTHOR, REMOVED_BY_UNKNOWN, IN_REMOVED_THREAD])
async def test_only_what_a_moderator_removed_from_a_thread_is_restored(state: PostState) -> None:
    posts = Posts(state)
    with pytest.raises(Conflict):
        await posts.moderation.restore("admin", POST.id)
    assert posts.removal == state.removal
    assert (posts.store.acts, posts.changes) == ([], 0)


async def test_moderators_see_what_was_removed_and_why() -> None:
    removed = await Posts(REMOVED).moderation.removed_in_thread("moderator", POST.thread, 20, None)
    [post] = removed.items
    assert (post.text, post.removed_by, post.reason) == (POST.text, MODERATOR.id, "Off topic.")


@pytest.mark.parametrize(
    ("name", "token", "failure"),
    [
        *((name, "otto", Forbidden) for name in CHANGES),
        *((name, "nobody", Unauthenticated) for name in CHANGES),
        *((name, "ines", Forbidden) for name in CHANGES if name != "delete"),
    ],
)
async def test_refused_change_leaves_the_post_as_it_was(
    name: str, token: str, failure: type[Failure]
) -> None:
    state = REMOVED if name == "restore" else VISIBLE
    posts = Posts(state)
    with pytest.raises(failure):
        await CHANGES[name](posts.moderation, token)
    assert posts.store.states == {POST.id: state}
    assert (posts.store.acts, posts.changes) == ([], 0)


@pytest.mark.parametrize("name", ["delete", "remove", "restore"])
async def test_change_of_a_missing_post_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        await CHANGES[name](Posts().moderation, "moderator")


async def test_act_of_a_case_is_carried_out_once() -> None:
    posts = Posts(VISIBLE)
    for _ in range(2):
        await posts.moderation.remove_post(POST.id, MODERATOR.id, "Spam.", "case-1")
        assert posts.removal == Removal(NOON, MODERATOR.id, "Spam.")
    await posts.moderation.restore("admin", POST.id)
    await posts.moderation.remove_post(POST.id, MODERATOR.id, "Spam.", "case-1")
    assert posts.removal is None
    assert [act.name for act in posts.store.acts] == ["remove-post", "restore-post"]


async def test_act_of_a_case_on_a_removed_post_uses_its_key_up() -> None:
    posts = Posts(REMOVED_BY_AUTHOR)
    await posts.moderation.remove_post(POST.id, MODERATOR.id, "Spam.", "case-1")
    assert posts.removal == REMOVED_BY_AUTHOR.removal
    assert [act.key for act in posts.store.acts] == ["case-1"]


@pytest.mark.parametrize(
    ("state", "removed", "by_author"),
    [
        (VISIBLE, False, False),
        (REMOVED, True, False),
        (REMOVED_BY_AUTHOR, True, True),
        (PostState(POST, None, True), True, False),
    ],
)
async def test_case_sees_a_post_also_if_it_was_removed(
    state: PostState, removed: bool, by_author: bool
) -> None:
    found = await Posts(state).moderation.post_for_case(POST.id)
    assert found == ReportedPost(POST.id, POST.thread, INES.id, POST.text, removed, by_author)


async def test_case_does_not_see_a_missing_post() -> None:
    with pytest.raises(NotFound):
        await Posts().moderation.post_for_case(POST.id)
