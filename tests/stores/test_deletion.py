"""Deleting an account removes every trace of the person from every table of every context.

The test looks at all tables and all columns, so a new one is covered as soon as it exists: the
personal values must be gone from it, and the id may stay only where `MAY_NAME` says so.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from board.grant_admin import grant_admin
from kernel.data.idempotency import IdempotentRequest, IdempotentWrite, ReplayableResponse
from kernel.errors import Unauthenticated
from kernel.process.lifecycle import Lifecycle
from services.cases.model import Choice
from services.cases.service import ReportWrite
from services.cases.settings import CaseSettings
from services.cases.wiring import Cases, open_cases
from services.posts.model import ReadPosition
from services.posts.settings import PostSettings
from services.posts.wiring import Posts, open_posts
from services.threads.settings import ThreadSettings
from services.threads.wiring import Threads, open_threads
from services.users.model import Ban, NewUser
from services.users.settings import UserSettings
from services.users.wiring import Users, open_users
from tests.databases import Databases
from tests.eventually import eventually
from tests.own_databases import new_database
from tests.unit.fakes import noon
from topology.contexts import CONTEXT_NAMES

ID = 7_340_002_917
"""The person's id: a number that does not occur by chance."""

ADDRESS = "203.0.113.77"
USERNAME, NAME, BIO, EMAIL = "ines-duarte", "Inês Duarte", "Bakes in Braga.", "ines@example.org"
PASSWORD, REASON, AGENT = "seven quiet herons", "Sold copper kettles.", "Kettle-Browser/4.2"
TRACES: Mapping[str, str] = {
    "username": USERNAME,
    "hash of the username": hashlib.sha256(USERNAME.encode()).hexdigest(),
    "name": NAME,
    "bio": BIO,
    "e-mail address": EMAIL,
    "password": "$argon2",
    "reason of a ban": REASON,
    "user agent": AGENT,
    "network address": ADDRESS,
}

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

WITHOUT_PEOPLE = {
    "users.alembic_version", "users.former_usernames",
    "threads.alembic_version", "threads.removals",
    "posts.alembic_version", "posts.removals", "posts.removed_threads", "posts.thread_activity",
    "posts.thread_events", "threads.words", "posts.words",
    "cases.alembic_version", "cases.executions", "cases.execution_events",
    "cases.remote_executions",
}  # fmt: skip
"""The tables that hold nothing of a person except what they have published."""


@dataclass(frozen=True)
class Board:
    """All contexts in this process, on databases of their own."""

    urls: Mapping[str, str]
    users: Users
    threads: Threads
    posts: Posts
    cases: Cases

    async def register(self, new: NewUser) -> int:
        """Register a user: their id."""
        return (await self.users.service.register(new, ADDRESS)).id

    async def sign_in(self, username: str, password: str = PASSWORD) -> str:
        """The token of a new session."""
        started = await self.users.service.sign_in(username, password, ADDRESS, AGENT)
        return started.token


@asynccontextmanager
async def running_board(databases: Databases) -> AsyncIterator[Board]:
    """A board without users, whose next user has the id above."""
    urls = {context: await new_database(databases, context) for context in CONTEXT_NAMES}
    connection = await asyncpg.connect(urls["users"])
    await connection.execute(f"ALTER TABLE users ALTER COLUMN id RESTART WITH {ID}")
    await connection.close()
    user_settings = UserSettings(users_database_url=urls["users"])
    thread_settings = ThreadSettings(threads_database_url=urls["threads"])
    post_settings = PostSettings(posts_database_url=urls["posts"], render_processes=1)
    case_settings = CaseSettings(cases_database_url=urls["cases"])
    async with (
        open_users(user_settings, noon) as users,
        open_threads(thread_settings, Lifecycle(), users.service, noon) as threads,
        open_posts(
            post_settings,
            Lifecycle(),
            users.service,
            users.moderation,
            threads.service,
            "http://board.example",
            noon,
        ) as posts,
        open_cases(
            case_settings,
            users.service,
            users.moderation,
            threads.moderation,
            posts.moderation,
            noon,
        ) as cases,
    ):
        yield Board(urls, users, threads, posts, cases)


async def cells(urls: Mapping[str, str]) -> Mapping[str, list[str]]:
    """Every column of every table of every context with its values as text, and what is stored as
    bytes both in hexadecimal digits and decoded."""
    found: dict[str, list[str]] = {}
    for context, url in urls.items():
        connection = await asyncpg.connect(url)
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
        for table in (row["tablename"] for row in tables):
            columns = await connection.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table
            )
            for column in (row["column_name"] for row in columns):
                values = await connection.fetch(
                    f'SELECT "{column}" AS value FROM "{table}"'  # noqa: S608 - from the catalog
                )
                found[f"{context}.{table}.{column}"] = [
                    spelling for row in values for spelling in spellings(row["value"])
                ]
        await connection.close()
    return found


def spellings(value: object) -> list[str]:
    """The texts that a value contains, also when its bytes are decoded."""
    if isinstance(value, bytes):
        return [value.hex(), value.decode(errors="replace")]
    return [str(value)]


def traces(found: Mapping[str, list[str]]) -> set[tuple[str, str]]:
    """Each column with the kind of trace that it holds, `id` for the person's id."""
    wanted = {**TRACES, "id": str(ID)}
    return {
        (column, kind)
        for column, values in found.items()
        for kind, trace in wanted.items()
        if any(trace in value for value in values)
    }


def keyed(key: str) -> IdempotentRequest:
    """A request with an idempotency key."""
    return IdempotentRequest(key, "POST", "/api/anything", b"digest")


async def store_old_record(url: str) -> None:
    """What an earlier version stored when the person made a link with an `Idempotency-Key`."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO idempotency_keys VALUES ($1, 'POST', '/x', 'x', '', 201, '{}', '{}', now())",
        ID,
    )
    await connection.close()


def respond(_result: object) -> ReplayableResponse:
    """A response that names its author, as the board's do."""
    return ReplayableResponse(201, {}, b'{"user":%d}' % ID)


async def use_cases(board: Board, token: str, own_post: int) -> None:
    """Report a post of somebody else, decide about it, be reported, and have that decided."""
    cases = board.cases.service
    session = await board.users.service.sign_in("otto", "nine loud otters", "192.0.2.1", None)
    theirs = session.token
    thread = await board.threads.service.start(theirs, "Pans", IdempotentWrite.without_key())
    post = await board.posts.service.write(
        theirs, thread.id, "Buy pans.", None, IdempotentWrite.without_key()
    )
    own, _ = await cases.report(theirs, own_post, "spam", None, IdempotentWrite.without_key())
    write: ReportWrite = keyed("report").write(respond)
    case, _ = await cases.report(token, post.id, "spam", f"{NAME} ({EMAIL}) says so.", write)

    async def are_assigned() -> bool:
        shown = [(await cases.show(token, each.id))[1] for each in (case, own)]
        return [each.state for each in shown] == ["working", "working"]

    await eventually(are_assigned, what="the cases are somebody's")
    admin = await board.users.service.sign_in("marit", "nine loud otters", "192.0.2.1", None)
    for decider, decided in ((token, case), (admin.token, own)):
        await cases.decide(decider, decided.id, Choice(True, "none", None), lambda _: None)


async def live(board: Board) -> str:
    """Do everything on the board that stores something about the person. Their session's token."""
    service, moderation = board.users.service, board.users.moderation
    await board.register(NewUser(USERNAME, PASSWORD, NAME, BIO, EMAIL))
    admin = await board.register(NewUser("marit", "nine loud otters", "Marit", "", None))
    other = await board.register(NewUser("otto", "nine loud otters", "Otto", "", None))
    for username in (USERNAME, "marit"):
        await grant_admin(board.urls["users"], username)
    token = await board.sign_in(USERNAME)
    write = board.threads.service.start(token, "Bread", keyed("thread").write(respond))
    thread = await write
    await board.threads.service.edit(token, thread.id, "Rye bread", 1)
    await service.edit(token, {"bio": f"{BIO} At night."}, lambda _: None)
    post = await board.posts.service.write(
        token, thread.id, "Is the water warm?", None, keyed("post").write(respond)
    )
    await board.posts.service.edit(token, post.id, "Is the water cold?", lambda _: None)
    await board.posts.service.preview(token, "Is the water lukewarm?")
    await board.posts.reading.record(token, [ReadPosition(thread.id, post.id)])
    await moderation.issue_reset(token, other)
    await use_cases(board, token, post.id)
    await store_old_record(board.urls["users"])
    await moderation.ban(token, other, Ban("Sold pans.", None))
    others = await service.sign_in("marit", "nine loud otters", "192.0.2.1", None)
    started = await board.threads.service.start(
        others.token, "Brioche", IdempotentWrite.without_key()
    )
    answer = await board.posts.service.write(
        others.token, started.id, "Is it done?", None, IdempotentWrite.without_key()
    )
    for text in ("Is it raw?", "Is it burnt?"):
        await board.posts.service.edit(token, answer.id, text, lambda _: None)
    await board.posts.moderation.remove_as_moderator(token, answer.id, "Off topic.")
    await board.posts.moderation.remove_as_moderator(others.token, post.id, "Off topic.")
    await board.threads.moderation.pin(token, started.id)
    await board.threads.moderation.lock(others.token, thread.id, "Off topic.")
    admins = await service.sign_in("marit", "nine loud otters", "192.0.2.1", None)
    await moderation.set_role(admins.token, ID, "member")
    await moderation.ban(admins.token, ID, Ban(REASON, None))
    await moderation.issue_reset(admins.token, ID)
    with pytest.raises(Unauthenticated):
        await board.sign_in(USERNAME, "a wrong guess")
    assert admin != ID
    return await board.sign_in(USERNAME)


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
