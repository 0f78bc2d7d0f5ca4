"""A person who has used the whole board, so that every table that stores something about people has
a row of theirs, with values that do not occur by chance."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from board.grant_admin import grant_admin
from kernel.contracts import Activity
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
    # As posts reports it, unless the post is removed again, as below.
    await board.threads.service.record_activity([Activity(thread.id, 1_000, 1, 0, noon(), ID)])
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
