"""Posts that the previous version changes while both versions run."""

from datetime import timedelta

import pytest

from kernel.data.database import Database
from kernel.data.idempotency import IdempotentWrite
from kernel.errors import Conflict, Policy
from kernel.search.dictionary import Dictionary
from services.posts.model import NewPost, Post
from services.posts.store import PostStore
from services.posts.stores.moderation import ModerationStore
from tests.unit.fakes import NOON

NO_LIMIT = Policy("none", 1, 0)
AUTHOR, MODERATOR = 71, 72
PREVIOUS_EDIT = "UPDATE posts SET text = $2, html = '', edited_at = $3 WHERE id = $1"
PREVIOUS_REMOVAL = "UPDATE posts SET removed_at = $2 WHERE id = $1"


async def written(database: Database) -> tuple[PostStore, Post]:
    """A new post in a thread of its own."""
    store = PostStore(database, Dictionary())
    new = NewPost(991_001, AUTHOR, True, "Hello", "<p>Hello</p>", None)
    return store, await store.add(new, NOON, NO_LIMIT, IdempotentWrite.without_key())


async def test_edit_of_the_previous_version_is_not_the_moderators(posts_database: Database) -> None:
    store, post = await written(posts_database)
    edited = await store.edit(
        post.id, MODERATOR, "Hello!", "", NOON, NO_LIMIT, lambda found: found.act("x", MODERATOR)
    )
    assert edited is not None
    assert edited.edited_by == MODERATOR
    await posts_database.rows(PREVIOUS_EDIT, post.id, "Hello?", NOON + timedelta(seconds=1))
    found = await store.find(post.id)
    assert found is not None
    assert (found.text, found.edited_by) == ("Hello?", None)
    said = (await store.revisions(post.id, 20, None)).items
    assert [revision.edited_by for revision in said] == [None, None]


async def test_removal_of_the_previous_version_is_not_undone(posts_database: Database) -> None:
    _, post = await written(posts_database)
    store = ModerationStore(posts_database)
    await posts_database.rows(PREVIOUS_REMOVAL, post.id, NOON)
    found = await store.find(post.id)
    assert found is not None
    with pytest.raises(Conflict):
        found.check_restorable()
    [removed] = [
        each
        for each in (await store.removed_in_thread(post.thread, 100, None)).items
        if each.id == post.id
    ]
    assert (removed.removed_at, removed.removed_by, removed.reason) == (NOON, None, None)
