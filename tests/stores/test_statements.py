"""How many statements a write sends. Each is a round trip to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from asyncpg.connection import LoggedQuery

from kernel.contracts import Actor, ThreadRef
from kernel.data.database import Connection, Database
from kernel.data.idempotency import IdempotentRequest, IdempotentWrite, ReplayableResponse
from kernel.search.dictionary import Dictionary
from services.posts.model import Post
from services.posts.service import PostService
from services.posts.store import PostStore
from services.posts.stores.lists import AS_POSTS, PostLists
from services.threads.store import ThreadStore
from services.users.store import UserStore
from tests.databases import Databases
from tests.own_databases import new_database
from tests.unit.fakes import NOON, FakeThreads, FakeUsers, noon
from tests.unit.posts.fakes import FakeLimits, FakeSearch

THREAD = ThreadRef(7, 1, False)


class CountingDatabase(Database):
    """A database that remembers its statements, and how often it has waited after a commit."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # those of `Database.open`
        self.statements: list[str] = []
        self.waited = 0
        self.after_commit(self._wait)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection whose statements are remembered."""
        async with super().connection() as connection:
            with connection.query_logger(self._record):
                yield connection

    def _record(self, query: LoggedQuery) -> None:
        self.statements.append(query.query)

    async def _wait(self) -> None:
        self.waited += 1


def key(name: str) -> IdempotentWrite[Post]:
    """A write with an idempotency key."""
    request = IdempotentRequest(name, "POST", "/api/posts", b"digest")
    return request.write(lambda _: ReplayableResponse(201, {}, b"{}"))


@pytest.mark.parametrize(
    ("text", "html", "keyed", "is_reply", "statements"),
    [
        ("Hello world", "<p>Hello world</p>", False, False, 1),
        ("Hello you", "<p>Hello you</p>", False, True, 1),
        # Whether this is a repetition, BEGIN, a lock, whether it is one now, the post, the
        # response, and COMMIT.
        ("Hello keys", "<p>Hello keys</p>", True, False, 7),
        # BEGIN, the post, the ids of the footnotes, COMMIT.
        ("Hello notes", f'<a href="#fn-{"0" * 19}-1">1</a>', False, False, 4),
    ],
    ids=["post", "reply", "key", "footnote"],
)
async def test_statements_for_a_post_are_few(
    databases: Databases, text: str, html: str, keyed: bool, is_reply: bool, statements: int
) -> None:
    async def render(_: str, __: int) -> str:
        return html

    async with CountingDatabase.open(await new_database(databases, "posts")) as database:
        assert isinstance(database, CountingDatabase)
        service = PostService(
            PostStore(database, Dictionary()), FakeSearch(),
            FakeUsers(ines=Actor(1, "member"), otto=Actor(2, "member")), FakeThreads(THREAD),
            render, noon, FakeLimits(), lambda: None,
        )  # fmt: skip
        first = await service.write("otto", THREAD.id, "First", None, IdempotentWrite.without_key())
        database.statements.clear()
        database.waited = 0
        write = key("k") if keyed else IdempotentWrite[Post].without_key()
        post = await service.write("ines", THREAD.id, text, first.id if is_reply else None, write)
        assert len(database.statements) == statements, database.statements
        assert database.waited == 1
        assert (await PostLists(database, AS_POSTS).in_thread(THREAD.id, 9, None)).items[1] == post


async def test_what_a_post_asks_of_other_contexts_is_a_statement_each(databases: Databases) -> None:
    async with CountingDatabase.open(await new_database(databases, "threads")) as threads:
        assert isinstance(threads, CountingDatabase)
        assert await ThreadStore(threads, Dictionary()).find(1) is None
        assert len(threads.statements) == 1
    async with CountingDatabase.open(await new_database(databases, "users")) as users:
        assert isinstance(users, CountingDatabase)
        await users.row(
            """
            WITH made AS (
                INSERT INTO users (username, name, bio, password_hash, created_at)
                VALUES ('ines', 'Ines', '', '!', $1) RETURNING id
            )
            INSERT INTO sessions (user_id, token_hash, created_at, last_used_at)
            SELECT id, '\\x01', $1, $1 FROM made
            """,
            NOON,
        )
        users.statements.clear()
        assert await UserStore(users).use_session(b"\x01", NOON) is not None
        assert len(users.statements) == 1
