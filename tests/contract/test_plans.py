"""PostgreSQL reads a large board by indexes, and never a whole table."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from bench.dataset import Sizes, fill, vocabulary
from board.bootstrap import bootstrap
from board.migrate import migrate
from kernel.contracts import Actor
from kernel.data.database import LARGEST_ID, Database
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Cursor
from kernel.data.retention import delete_statement
from kernel.errors import Policy
from kernel.export.export import Export
from kernel.moderation.log import ModerationLog
from kernel.search.blocks import cover
from kernel.search.dictionary import Dictionary
from kernel.search.indexer import SELECT_NOT_INDEXED
from kernel.search.scan import Scan, Searched
from services.posts.markup.rerendering import SELECT_TO_RENDER
from services.posts.model import NewPost
from services.posts.search.store import SEARCHED as SEARCHED_POSTS
from services.posts.store import PostStore
from services.posts.stores.activity import ActivityStore
from services.posts.stores.exported import EXPORTED
from services.posts.stores.lists import AS_JSON, PostLists
from services.posts.stores.moderation import SUBJECT, ModerationStore
from services.posts.stores.reading import ReadingStore
from services.threads.search_store import SEARCHED as SEARCHED_TITLES
from services.threads.store import ThreadStore
from services.users.store import UserStore
from tests.databases import Databases
from tests.unit.fakes import NOON, FakeUsers
from topology.contexts import CONTEXT_NAMES

HOT = 1

_AUTHORS = count(2**40)
"""Authors of whom nothing is stored yet."""


class Watched(Database):
    """A database that keeps its last statement. PostgreSQL plans as if each table and index had
    `factor` times as many rows; `admin_url` is the superuser's, who can pretend that."""

    asked: tuple[str, tuple[Any, ...]] | None = None
    factor = 1.0
    generic = False
    admin_url = ""

    async def rows(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """Every row of one statement."""
        self.asked = query, arguments
        return await super().rows(query, *arguments)

    async def row(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row of one statement."""
        self.asked = query, arguments
        return await super().row(query, *arguments)

    async def plan(self) -> str:
        """PostgreSQL's plan for the last statement: for its arguments, or, with `generic`, for any,
        as it may choose for a prepared statement that has been used several times."""
        assert self.asked is not None
        query, arguments = self.asked
        connection = await asyncpg.connect(self.admin_url)
        try:
            # Rolled back when the connection is closed.
            await connection.execute("BEGIN; SET LOCAL plan_cache_mode = force_generic_plan")
            await connection.execute(_PRETEND, self.factor)
            if self.generic:
                await connection.execute(f"PREPARE asked AS {query}")
                values = f"({', '.join(['NULL'] * len(arguments))})" if arguments else ""
                lines = await connection.fetch(f"EXPLAIN EXECUTE asked{values}")
            else:
                lines = await connection.fetch(f"EXPLAIN {query}", *arguments)
            return "\n".join(line[0] for line in lines)
        finally:
            await connection.close()


# The planner multiplies the rows per page that these tell with the pages that a file has. The
# other statistics are shares, or numbers that only grow with the table, such as those of users.
_PRETEND = """
    UPDATE pg_class SET reltuples = reltuples * $1
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""


@pytest_asyncio.fixture(scope="module")
async def filled(
    databases: Databases, request: pytest.FixtureRequest
) -> AsyncIterator[dict[str, Watched]]:
    """Large databases of posts and threads; half of the posts are in one thread."""
    urls = {
        context: databases.server.url(f"large_{context}", context, f"{context}-secret")
        for context in CONTEXT_NAMES
    }
    await bootstrap(databases.server.admin_url, urls)
    await migrate(urls)
    posts = request.config.getoption("--posts")
    await fill(urls, Sizes(posts, threads=posts, users=100, largest=posts // 2))
    async with (
        Watched.open(urls["threads"], command_timeout=600) as of_threads,
        Watched.open(urls["posts"], command_timeout=600) as of_posts,
        Watched.open(urls["users"], command_timeout=600) as of_users,
    ):
        assert isinstance(of_users, Watched)
        assert isinstance(of_threads, Watched)
        assert isinstance(of_posts, Watched)
        await of_users.rows(
            """
            INSERT INTO users (username, name, bio, password_hash, created_at)
            SELECT 'visitor' || n, 'Visitor ' || n, '', '!', now()
            FROM generate_series(1, $1::integer) AS n
            """,
            posts,
        )
        await of_threads.rows("UPDATE threads SET pinned = true WHERE id % 5000 = 0")
        await of_posts.rows("INSERT INTO removed_threads SELECT generate_series(300, 350)")
        await of_posts.rows("UPDATE posts SET removed_at = now(), removed_by = 1 WHERE id % 50 = 0")
        await of_posts.rows(
            """
            INSERT INTO moderation_log (at, moderator, act, target, user_id)
            SELECT now(), 1, 'remove-post', id, author FROM posts WHERE id % 2 = 0
            """
        )
        for database in (of_threads, of_posts, of_users):
            await database.rows("VACUUM ANALYZE")
        opened = {"threads": of_threads, "posts": of_posts, "users": of_users}
        admin = urlsplit(databases.server.admin_url)
        for context, database in opened.items():
            database.admin_url = urlunsplit(admin._replace(path=f"/large_{context}"))
        yield opened


@pytest.fixture(
    params=[(None, False), (None, True), (10_000_000, False), (10_000_000, True)],
    ids=["as-filled", "as-filled-generic", "ten-million", "ten-million-generic"],
)
def large(filled: dict[str, Watched], request: pytest.FixtureRequest) -> dict[str, Watched]:
    """The databases, with the plans for as many rows as they have, and for ten million posts."""
    rows, generic = request.param
    for database in filled.values():
        database.factor = (rows or 0) / request.config.getoption("--posts") or 1.0
        database.generic = generic
    return filled


async def _step(database: Database, searched: Searched) -> object:
    """One step of a search for the most frequent word."""
    statement = Scan(database, Dictionary(), searched).statement
    word = vocabulary()[0]
    return await database.rows(statement, word, word, cover(0, 1024), LARGEST_ID, 21)


async def _reading_step(database: Database, searched: Searched) -> object:
    """The same step without the index of words."""
    reading = Scan(database, Dictionary(), searched).reading
    word = vocabulary()[0]
    return await database.rows(reading, word, word, 1024, 2048, 21)


TABLES = ("posts", "threads", "thread_events", "thread_activity", "happened", "moderation_log")


def _log(posts: Database) -> ModerationLog:
    users = FakeUsers(moderator=Actor(1, "moderator"), member=Actor(7, "member"))
    return ModerationLog(posts, users, SUBJECT)


async def _export(posts: Database, table: str) -> object:
    parts = [part for part in EXPORTED if part.table == table]
    return await Export(posts, FakeUsers(), parts).of_user(7, 20, None)


Read = Callable[[Database, Database], Awaitable[object]]
"""Reads a list from the database of posts or of threads."""

IN_ORDER: dict[str, Read] = {
    "the newest posts": lambda posts, _: PostLists(posts, AS_JSON).newest(20, None),
    "a thread's posts": lambda posts, _: PostLists(posts, AS_JSON).in_thread(HOT, 20, None),
    "unread posts": lambda posts, _: ReadingStore(posts).unread(7, [HOT, 2, 3]),
    "the start of a page": lambda posts, _: PostLists(posts, AS_JSON).cursor_before(
        HOT, LARGEST_ID
    ),
    "the page before in a thread": lambda posts, _: PostLists(posts, AS_JSON).before_in_thread(
        HOT, Cursor(f"posts-in-thread-{HOT}", (LARGEST_ID,)).encode(), 49
    ),
    "the page before of a user": lambda posts, _: PostLists(posts, AS_JSON).before_by_user(
        7, Cursor("posts-by-user-7", (1,)).encode(), 20
    ),
    "the page before of active threads": lambda _, threads: ThreadStore(
        threads, Dictionary()
    ).before("active", None, Cursor("threads-active-all", (0, 0, 1)).encode(), 30),
    "the page before of new threads": lambda _, threads: ThreadStore(threads, Dictionary()).before(
        "new", 7, Cursor("threads-new-7", (1,)).encode(), 20
    ),
    "a user's posts": lambda posts, _: PostLists(posts, AS_JSON).by_user(7, 20, None),
    "a thread's events": lambda posts, _: ActivityStore(posts).events(HOT, 0),
    "activity to deliver": lambda posts, _: ActivityStore(posts).undelivered(100),
    "active threads": lambda _, threads: ThreadStore(threads, Dictionary()).list(
        "active", None, 20, None
    ),
    "new threads": lambda _, threads: ThreadStore(threads, Dictionary()).list(
        "new", None, 20, None
    ),
    "a user's new threads": lambda _, threads: ThreadStore(threads, Dictionary()).list(
        "new", 7, 20, None
    ),
    "a thread's first event": lambda posts, _: ActivityStore(posts).oldest_event(HOT),
    "a thread's removed posts": lambda posts, _: ModerationStore(posts).removed_in_thread(
        HOT, 20, None
    ),
    "the moderation log": lambda posts, _: _log(posts).acts("moderator", 20, None),
    "a user's exported posts": lambda posts, _: _export(posts, "posts"),
    "a user's notices": lambda posts, _: _log(posts).notices("member", 20, None),
    "removed threads": lambda _, threads: ThreadStore(threads, Dictionary()).removed(0),
}
BY_INDEX: dict[str, Read] = {
    "a user's exported revisions": lambda posts, _: _export(posts, "revisions"),
    "found posts": lambda posts, _: _step(posts, SEARCHED_POSTS),
    "found threads": lambda _, threads: _step(threads, SEARCHED_TITLES),
    "a user's active threads": lambda _, threads: ThreadStore(threads, Dictionary()).list(
        "active", 7, 20, None
    ),
}


@pytest.mark.parametrize("name", [*IN_ORDER, *BY_INDEX])
async def test_no_list_scans_a_whole_table(large: dict[str, Watched], name: str) -> None:
    plan = await _plan(large, (IN_ORDER | BY_INDEX)[name])
    for table in (
        "posts",
        "threads",
        "thread_events",
        "thread_activity",
        "happened",
        "moderation_log",
    ):
        assert f"Seq Scan on {table} " not in plan, plan


@pytest.mark.parametrize("name", IN_ORDER)
async def test_no_list_is_sorted_if_an_index_has_its_order(
    large: dict[str, Watched], name: str
) -> None:
    plan = await _plan(large, IN_ORDER[name])
    assert "Sort" not in plan, plan
    assert "Index" in plan, plan


@pytest.mark.parametrize(
    ("name", "index"), [("found posts", "posts_words"), ("found threads", "threads_words")]
)
async def test_a_search_reads_only_its_blocks_of_the_index(
    large: dict[str, Watched], name: str, index: str
) -> None:
    plan = await _plan(large, BY_INDEX[name])
    condition = plan.partition(f"Bitmap Index Scan on {index}")[2].splitlines()[1]
    assert "search @@" in condition, plan
    assert "ARRAY[" in condition, plan


@pytest.mark.parametrize("name", ["found posts", "found threads"])
async def test_a_search_parses_its_words_once_and_not_for_each_row(
    large: dict[str, Watched], name: str
) -> None:
    plan = await _plan(large, BY_INDEX[name])
    assert "lexeme = ANY" in plan, plan
    assert "to_ts" not in plan, plan


@pytest.mark.parametrize("context", ["posts", "threads"])
async def test_a_search_that_reads_its_rows_reads_only_those_of_its_step(
    large: dict[str, Watched], context: str
) -> None:
    searched = {"posts": SEARCHED_POSTS, "threads": SEARCHED_TITLES}[context]
    database = large[context]
    await _reading_step(database, searched)
    plan = await database.plan()
    assert f"Index Scan using {context}_pkey on {context}" in plan, plan
    assert re.search(r"Index Cond: \(\(id >= .*\) AND \(id < ", plan), plan
    assert f"{context}_words" not in plan, plan
    assert f"Seq Scan on {context} " not in plan, plan


async def test_search_for_people_uses_the_indexes_of_names(large: dict[str, Watched]) -> None:
    users = large["users"]
    assert len(await UserStore(users).search("visitor77", 20)) == 20
    plan = await users.plan()
    assert "Seq Scan" not in plan, plan
    for index in ("users_by_username", "users_by_name", "users_pkey"):
        assert f"using {index}" in plan, plan


@pytest.mark.parametrize(("context", "column"), [("posts", "text"), ("threads", "title")])
async def test_rows_to_be_made_searchable_are_found_by_an_index(
    large: dict[str, Watched], context: str, column: str
) -> None:
    database = large[context]
    await database.rows(SELECT_NOT_INDEXED.format(table=context, column=column), 100)
    plan = await database.plan()
    assert f"Scan Backward using {context}_not_indexed" in plan, plan


async def test_posts_to_be_rendered_again_are_found_by_an_index(large: dict[str, Watched]) -> None:
    database = large["posts"]
    assert await database.rows(SELECT_TO_RENDER, 50) == []
    plan = await database.plan()
    assert "Scan Backward using posts_to_render" in plan, plan
    assert "Filter" not in plan, plan


async def _plan(large: dict[str, Watched], read: Read) -> str:
    for database in large.values():
        database.asked = None
    await read(large["posts"], large["threads"])
    [asked] = [database for database in large.values() if database.asked is not None]
    return await asked.plan()


async def test_new_post_reads_by_indexes(large: dict[str, Watched]) -> None:
    database = large["posts"]
    store = PostStore(database, Dictionary())
    first = await database.row("SELECT min(id) FROM posts WHERE thread = $1", HOT)
    assert first is not None
    new = NewPost(HOT, next(_AUTHORS), False, "Hello", "<p>Hello</p>", first[0])
    await store.add(new, NOON, Policy("post", 1, 60), IdempotentWrite.without_key())
    plan = await database.plan()
    assert "Insert on posts" in plan, plan
    assert re.search("Index Scan using posts_(pkey|in_thread) on posts", plan), plan
    assert "Seq Scan" not in plan, plan


async def test_old_events_are_found_by_their_age(large: dict[str, Watched]) -> None:
    database = large["posts"]
    statement = delete_statement("thread_events")
    await database.rows(statement, NOON - timedelta(days=9_999), 1_000)
    plan = await database.plan()
    assert "using thread_events_age" in plan, plan
    assert "Tid Scan on thread_events" in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_planner_believes_in_ten_million_posts(large: dict[str, Watched]) -> None:
    database = large["posts"]
    await database.rows("SELECT FROM posts")
    found = re.search(r"rows=(\d+)", await database.plan())
    assert found is not None
    stored = await database.row("SELECT count(*) FROM posts")
    assert stored is not None
    assert int(found[1]) == pytest.approx(stored[0] * database.factor, rel=0.1)
