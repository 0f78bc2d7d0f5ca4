"""What the cases context calls on users, threads and posts: the same answers and failures in
process and over HTTP."""

import asyncio
import secrets

import pytest

from kernel.contracts import Moderator, ReportedPost
from kernel.data.database import LARGEST_ID
from kernel.errors import Banned, Conflict, NotFound
from services.users.model import Ban
from tests.contract.conftest import FORMS, PostsContract, ThreadsContract, UsersContract
from tests.people import PASSWORD

pytestmark = pytest.mark.parametrize("form", FORMS)

REASON = "Sold kettles in every thread."


def new_key() -> str:
    """A key that no other act has."""
    return f"case-{secrets.token_hex(8)}"


# users


async def test_moderators_are_those_with_a_role_who_are_not_banned(
    users: UsersContract, form: str
) -> None:
    moderator, _ = await users.with_role("moderator")
    admin, admins_token = await users.with_role("admin")
    banned, _ = await users.with_role("moderator")
    member, _ = await users.token()
    await users.moderation.ban(admins_token, banned, Ban(REASON, None))
    found = {each.id: each for each in await users.moderation_forms[form].moderators()}
    name = (await users.service.find(moderator)).username
    assert found[moderator] == Moderator(moderator, name, name, "moderator")
    assert found[admin].role == "admin"
    assert {banned, member} & found.keys() == set()
    assert list(found) == sorted(found)


async def test_departed_users_are_those_who_deleted_their_accounts(
    users: UsersContract, form: str
) -> None:
    stays, _ = await users.token()
    leaves, token = await users.token()
    await users.service.leave(token, PASSWORD, "127.0.0.1")
    moderation = users.moderation_forms[form]
    assert await moderation.departed([stays, leaves, 2**62]) == [leaves]
    assert await moderation.departed([]) == []


async def test_ban_of_a_case_is_carried_out_once(users: UsersContract, form: str) -> None:
    contract, key = users.moderation_forms[form], new_key()
    moderator, moderators_token = await users.with_role("moderator")
    user, _ = await users.token()
    name = (await users.service.find(user)).username
    await contract.ban_user(user, moderator, REASON, key)
    token = (await users.service.sign_in(name, PASSWORD, "127.0.0.1", None)).token
    with pytest.raises(Banned, match=REASON):
        await users.service.authenticate(token)
    await users.moderation.lift_ban(moderators_token, user)
    await contract.ban_user(user, moderator, REASON, key)
    assert (await users.service.authenticate(token)).id == user


@pytest.mark.parametrize("case", ["higher role", "demoted", "left"])
async def test_ban_that_is_not_allowed_is_a_conflict(
    users: UsersContract, form: str, case: str
) -> None:
    moderator, _ = await users.with_role("member" if case == "demoted" else "moderator")
    user, token = await users.with_role("admin" if case == "higher role" else "member")
    if case == "left":
        await users.service.leave(token, PASSWORD, "127.0.0.1")
    key = new_key()
    for _ in range(2):  # a refused act does not use its key up
        with pytest.raises(Conflict):
            await users.moderation_forms[form].ban_user(user, moderator, REASON, key)


async def test_ban_of_a_missing_user_is_not_found(users: UsersContract, form: str) -> None:
    moderator, _ = await users.with_role("moderator")
    with pytest.raises(NotFound):
        await users.moderation_forms[form].ban_user(LARGEST_ID, moderator, REASON, new_key())


# threads


async def test_lock_of_a_case_is_carried_out_once(
    users: UsersContract, threads: ThreadsContract, form: str
) -> None:
    contract, key = threads.moderation_forms[form], new_key()
    moderator, token = await users.with_role("moderator")
    thread = await threads.thread()
    await contract.lock_thread(thread, moderator, REASON, key)
    assert (await threads.service.show(thread)).locked
    await threads.moderation.unlock(token, thread)
    await contract.lock_thread(thread, moderator, REASON, key)
    assert not (await threads.service.show(thread)).locked


async def test_lock_of_a_missing_or_removed_thread_is_not_found(
    threads: ThreadsContract, form: str
) -> None:
    removed = await threads.thread()
    await threads.service.remove(threads.token, removed)
    for thread in (LARGEST_ID, removed):
        with pytest.raises(NotFound):
            await threads.moderation_forms[form].lock_thread(thread, 1, REASON, new_key())


# posts


async def test_case_sees_a_post_also_when_it_is_removed(
    users: UsersContract, posts: PostsContract, form: str
) -> None:
    contract = posts.forms[form]
    _, token = await users.with_role("moderator")
    post = await posts.post()
    seen = ReportedPost(post.id, post.thread, post.user, post.text, False, False)
    assert await contract.post_for_case(post.id) == seen
    await posts.opened.moderation.remove_as_moderator(token, post.id, REASON)
    found = await contract.post_for_case(post.id)
    assert (found.removed, found.removed_by_author) == (True, False)
    own = await posts.post()
    await posts.opened.moderation.remove(posts.threads.token, own.id)
    found = await contract.post_for_case(own.id)
    assert (found.removed, found.removed_by_author) == (True, True)
    with pytest.raises(NotFound):
        await contract.post_for_case(LARGEST_ID)


async def test_removal_of_a_case_is_carried_out_once(
    users: UsersContract, posts: PostsContract, form: str
) -> None:
    contract, key = posts.forms[form], new_key()
    moderator, token = await users.with_role("moderator")
    post = await posts.post()
    await asyncio.gather(*(contract.remove_post(post.id, moderator, REASON, key) for _ in range(4)))
    with pytest.raises(NotFound):
        await posts.opened.service.find(post.id)
    await posts.opened.moderation.restore(token, post.id)
    await contract.remove_post(post.id, moderator, REASON, key)
    assert await posts.opened.service.find(post.id) == post
    log = (await posts.opened.log.acts(token, 100, None)).items
    acts = [(each.act, each.reason) for each in log if each.target == post.id]
    assert acts == [("restore-post", None), ("remove-post", REASON)]


async def test_removal_of_a_missing_post_is_not_found(posts: PostsContract, form: str) -> None:
    with pytest.raises(NotFound):
        await posts.forms[form].remove_post(LARGEST_ID, 1, REASON, new_key())
