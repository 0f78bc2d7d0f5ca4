"""How a search reads a large table: in steps, within limits, and together with other searches."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from board.bootstrap import bootstrap
from board.migrate import migrate
from kernel.data.database import Database
from kernel.data.paging import Cursor
from kernel.errors import Unavailable
from kernel.search.dictionary import MOST_EXPANSIONS, Dictionary
from kernel.search.indexer import Indexer
from kernel.search.scan import Bounds, Scan
from kernel.search.words import cut, encode
from services.posts.search.store import SEARCHED
from tests.databases import Databases
from tests.eventually import eventually

NOW = datetime(2026, 11, 23, 8, 3, tzinfo=UTC)
POSTS = 30_000


@pytest_asyncio.fixture(scope="module")
async def database(databases: Databases) -> AsyncIterator[Database]:
    """A database of posts: one in a hundred is about salt, and the first about yeast."""
    urls = {"posts": databases.server.url("searched_posts", "posts", "posts-secret")}
    await bootstrap(databases.server.admin_url, urls)
    await migrate(urls)
    async with Database.open(urls["posts"]) as opened:
        await opened.rows(
            """
            INSERT INTO posts
                (thread, author, by_starter, text, html, created_at, search, indexed_at)
            SELECT 1, 1, false, said, '', $2, to_tsvector('english', said), $2
            FROM (
                SELECT n, CASE WHEN n = 1 THEN 'bread and yeast' WHEN n % 100 = 0
                    THEN 'bread with salt' ELSE 'bread' END AS said
                FROM generate_series(1, $1::integer) AS n ORDER BY n
            ) AS posts
            """,
            POSTS,
            NOW,
        )
        await opened.rows("ANALYZE posts")
        yield opened


@pytest.fixture
def search(database: Database) -> Scan:
    """A search of that database."""
    return Scan(database, Dictionary(), SEARCHED)


def flat(pages: Sequence[Sequence[int]]) -> list[int]:
    """The ids on all pages, in order."""
    return [number for page in pages for number in page]


async def _every(search: Scan, words: str, limit: int) -> list[list[int]]:
    """The ids on each page."""
    pages, cursor = [], None
    while True:
        hits = await search.find(words, limit, cursor)
        pages.append([row["id"] for row in hits.rows])
        cursor = hits.next_cursor
        if cursor is None:
            return pages


async def test_pages_have_every_row_once_the_newest_first(search: Scan) -> None:
    pages = await _every(search, "salt", 7)
    assert flat(pages) == list(range(POSTS, 0, -100))
    assert all(len(page) <= 7 for page in pages)


async def test_a_rare_word_is_found_among_the_oldest_rows(search: Scan) -> None:
    assert flat(await _every(search, "yeast", 20)) == [1]


async def test_search_without_matches_ends(search: Scan) -> None:
    assert flat(await _every(search, "pepper", 20)) == []
    assert flat(await _every(search, '"salt bread"', 20)) == []


async def test_page_that_runs_out_of_time_is_short_and_has_a_cursor(database: Database) -> None:
    search = Scan(database, Dictionary(), SEARCHED, Bounds(budget=0))
    pages = await _every(search, "yeast", 20)
    assert len(pages) > 1
    assert pages[0] == []
    assert flat(pages) == [1]


@pytest.mark.parametrize("step", [-1, 0, 1, 2**62])
async def test_step_in_a_cursor_is_validated(search: Scan, step: int) -> None:
    first = await search.find("salt", 1, None)
    assert first.next_cursor is not None
    encoded = first.next_cursor + "=" * (-len(first.next_cursor) % 4)
    kind, below, _ = json.loads(base64.urlsafe_b64decode(encoded))
    following = await search.find("salt", 1, Cursor(kind, (below, step)).encode())
    assert [row["id"] for row in following.rows] == [below - 100]


async def test_search_that_only_excludes_words_finds_all_other_rows(search: Scan) -> None:
    async def find(words: str) -> list[int]:
        return [number for number in flat(await _every(search, words, 2_000)) if number <= POSTS]

    others = [number for number in range(POSTS, 0, -1) if number % 100]
    assert await find("-bread") == []
    assert await find("-salt") == others
    assert await find("pepper or the -salt") == others


async def test_search_does_not_depend_on_the_speed_of_the_index(database: Database) -> None:
    search = Scan(database, Dictionary(), SEARCHED, Bounds(step=100, budget=60))
    by_index = search.statement
    search.statement = by_index.replace("WHERE (ARRAY", "WHERE pg_sleep(3) IS NULL AND (ARRAY")
    assert search.statement != by_index
    assert flat(await _every(search, "yeast", 20)) == [1]


async def test_search_that_exceeds_its_timeout_fails(database: Database) -> None:
    slow = replace(SEARCHED, visible="(SELECT pg_sleep(3)) IS NOT NULL")
    search = Scan(database, Dictionary(), slow, Bounds(step=50, smallest_step=100))
    with pytest.raises(Unavailable, match="too long"):
        await search.find("bread", 20, None)
    assert await database.row("SELECT") is not None


async def test_searches_leave_connections_for_other_requests(database: Database) -> None:
    search = Scan(database, Dictionary(), SEARCHED)
    async with database.transaction() as connection:
        await connection.execute("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
        searches = [asyncio.create_task(search.find("bread", 1, None)) for _ in range(10)]

        async def waiting() -> bool:
            row = await database.row(
                "SELECT count(*) AS number FROM pg_stat_activity WHERE wait_event = 'relation'"
            )
            assert row is not None
            return bool(row["number"] == Bounds().at_once)

        await eventually(waiting, what="that many searches wait for the lock")
    assert all(hits.rows for hits in await asyncio.gather(*searches))


async def test_a_long_search_lets_a_short_one_end_first(database: Database) -> None:
    steps_of_20_ms = replace(SEARCHED, visible="(SELECT pg_sleep(0.02)) IS NOT NULL")
    bounds = Bounds(at_once=1, patience=60, budget=60, step=10_000)
    search = Scan(database, Dictionary(), steps_of_20_ms, bounds)
    ended = []

    async def find(words: str) -> None:
        assert (await search.find(words, 1, None)).rows
        ended.append(words)

    await asyncio.gather(find("yeast"), find("bread"))
    assert ended == ["bread", "yeast"]


async def test_a_search_does_not_wait_for_others_forever(database: Database) -> None:
    search = Scan(database, Dictionary(), SEARCHED, Bounds(at_once=1, patience=0.05))
    async with database.transaction() as connection:
        await connection.execute("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
        running = asyncio.create_task(search.find("bread", 1, None))
        with pytest.raises(Unavailable, match="Too many searches"):
            await asyncio.gather(search.find("bread", 1, None), search.find("bread", 1, None))
    assert (await running).rows


async def test_expansions_of_all_prefixes_are_bounded(database: Database) -> None:
    dictionary = Dictionary()
    words = [f"aab{number:03}" for number in range(200)] + [
        f"bba{number:03}" for number in range(9)
    ]
    async with database.transaction() as connection:
        await dictionary.add(connection, words)
        await dictionary.add(connection, words)
        alone = await dictionary.expand(connection, ["aab"])
        both = await dictionary.expand(connection, ["aab", "bba", "zzz"])
    assert alone == {"aab": words[:MOST_EXPANSIONS]}
    assert both == {"aab": words[: MOST_EXPANSIONS // 3], "bba": words[200:], "zzz": []}


@pytest.mark.parametrize("ctype", ["C", "C.UTF-8"])
async def test_postgresql_reads_one_token_for_each_word_whatever_its_ctype(
    databases: Databases, ctype: str
) -> None:
    text = (
        "“bread” 1e5x 12e5 0xff www.example.com a@b.c -3.5e-7 <b> &amp; パン屋 हिन्दी ½ é\u0301 q1q2"
    )
    words = [word.text for word in cut(text)]
    name = f"ctype_{ctype.replace('.', '_').replace('-', '_').lower()}"
    async with Database.open(databases.server.admin_url) as admin:
        await admin.rows(f"DROP DATABASE IF EXISTS {name}")
        await admin.rows(
            f"CREATE DATABASE {name} OWNER posts TEMPLATE template0 ENCODING 'UTF8'"
            f" LOCALE_PROVIDER libc LC_CTYPE '{ctype}' LC_COLLATE 'C'"
        )
    url = databases.server.url(name, "posts", "posts-secret")
    async with Database.open(url) as database:
        rows = await database.rows(
            "SELECT token FROM ts_parse('default', $1) WHERE tokid <> 12", encode(words)
        )
    assert [row["token"] for row in rows] == encode(words).split()


async def test_rows_of_an_older_version_are_indexed(database: Database) -> None:
    async def write(query: str, *arguments: Any) -> Sequence[Any]:
        return await database.rows(query, *arguments)

    [row] = await write(
        """
        INSERT INTO posts (thread, author, by_starter, text, html, created_at)
        VALUES (1, 1, false, 'An “oldcomer”', '', $1) RETURNING id
        """,
        NOW,
    )
    dictionary = Dictionary()
    search = Scan(database, dictionary, SEARCHED)
    indexer = Indexer(database, dictionary, "posts", "text")
    while await indexer.fill_in():
        pass
    assert [hit["id"] for hit in (await search.find("oldcom*", 1, None)).rows] == [row["id"]]
    await write(
        "UPDATE posts SET text = 'A “latecomer”', edited_at = $2 WHERE id = $1", row["id"], NOW
    )
    await write(
        "UPDATE posts SET edited_at = now(), text = 'A “latecomer”' WHERE id = $1", row["id"]
    )
    while await indexer.fill_in():
        pass
    assert [hit["id"] for hit in (await search.find("latecomer", 1, None)).rows] == [row["id"]]
    assert (await search.find("oldcomer", 1, None)).rows == []
    await write("DELETE FROM posts WHERE id = $1", row["id"])
