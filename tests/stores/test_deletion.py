"""Deleting an account removes every trace of the person from every table of every context.

The test looks at all tables and all columns, so a new one is covered as soon as it exists: the
personal values must be gone from it, and the id may stay only where `MAY_NAME` says so.
"""

from tests.databases import Databases
from tests.stores.person import (
    ADDRESS,
    PASSWORD,
    TRACES,
    WITHOUT_PEOPLE,
    cells,
    live,
    running_board,
    traces,
)  # fmt: skip

MAY_NAME = {
    "users.users.id": "the row of somebody who has left is what their posts point to",
    "users.users.username": "`deleted-` and the id, which nobody else can have",
    "users.bans.banned_by": "who has banned somebody else",
    "users.moderation_log.moderator": "what they did to others as an admin",
    "users.moderation_log.target": "what admins did to them, without the reasons",
    "users.moderation_log.user_id": "likewise",
    "threads.moderation_log.moderator": "what they did to others' threads as an admin",
    "threads.moderation_log.user_id": "what moderators did to their threads",
    "posts.moderation_log.moderator": "what they did to others' posts as an admin",
    "posts.moderation_log.user_id": "what moderators did to their posts",
    "posts.posts.removed_by": "which posts they removed",
    "posts.posts.edited_by": "which posts of others they edited",
    "posts.revisions.edited_by": "likewise",
    "threads.allowances.subject": "until the window of the limit has passed",
    "threads.threads.created_by": "what they started stays, by a deleted user",
    "threads.threads.last_post_by": "in which thread they wrote last",
    "threads.last_done.user_id": "until the interval between threads has passed",
    "threads.idempotency_keys.user_id": "for 24 hours, so that a late repetition is recognized",
    "threads.idempotency_keys.body": "likewise: the response, with the author's id",
    "posts.posts.author": "what they wrote stays, by a deleted user",
    "posts.last_done.user_id": "until the interval between posts has passed",
    "posts.allowances.subject": "until the window of the limit has passed",
    "posts.idempotency_keys.user_id": "for 24 hours, so that a late repetition is recognized",
    "posts.idempotency_keys.body": "likewise: the response, with the author's id",
    "cases.cases.author": "whose post was reported: what they wrote stays, by a deleted user",
    "cases.cases.assignee": "who had to decide",
    "cases.decisions.decided_by": "who decided about somebody else",
    "cases.history.by": "likewise",
    "cases.moderation_log.moderator": "likewise",
    "cases.moderation_log.user_id": "about whose post somebody decided",
    "cases.allowances.subject": "until the window of the limit has passed",
    "cases.idempotency_keys.user_id": "for 24 hours, so that a late repetition is recognized",
    "cases.idempotency_keys.body": "likewise: the response, in which this test names the user",
}
"""The columns in which the id may stay, and why."""

RESERVED = ("users.former_usernames.name", "hash of the username")
"""The username stays reserved forever, so anyone who knows it can see that somebody had it."""


async def test_deleted_account_leaves_no_trace_of_the_person(databases: Databases) -> None:
    async with running_board(databases) as board:
        token = await live(board)
        before = traces(await cells(board.urls))
        await board.users.service.leave(token, PASSWORD, ADDRESS)
        await board.cases.erasure.erase()
        await board.posts.erasure.erase()
        found = await cells(board.urls)
    after = traces(found)
    # The others on this board have passwords, too.
    kept = {
        (c, kind) for c, kind in after if (c, kind) != ("users.users.password_hash", "password")
    }
    assert {(column, kind) for column, kind in kept if kind != "id"} == {RESERVED}
    assert {column for column, kind in kept if kind == "id"} == set(MAY_NAME)
    # A table that the person never touched would prove nothing.
    touched = {column.rpartition(".")[0] for column, _ in before}
    assert touched | WITHOUT_PEOPLE == {column.rpartition(".")[0] for column in found}
    assert {kind for _, kind in before} == {*TRACES, "id"}
    assert len([h for h in found["users.users.password_hash"] if h.startswith("$argon2")]) == 2
