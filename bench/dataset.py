"""Fills the board on this machine with any number of generated posts, in minutes.

    python -m bench.dataset [--posts 1000000] [--threads N] [--users N] [--largest N]

The board must be running (`make run`), and nobody should use it meanwhile: its indexes are dropped
and built again. Nobody can sign in as the generated users. By default, a thread has 100 posts and a
user 1,000, and the largest thread has a hundredth of all posts.

Texts consist of 5,000 words with the distribution of natural languages (Zipf's law), and are
indexed for the search like written ones. Each thousandth post contains a unique word.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain, islice, product
from typing import Any, Final, TypeAlias

import asyncpg

from kernel.search.words import cut, encode
from laptop import settings
from laptop.commands.grant_admin import database_urls_of
from laptop.errors import CannotRunError
from services.posts.model import MARKUP

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

VOCABULARY: Final = 5_000
TEXTS: Final = 2_000
RARE: Final = 1_000
"""One post out of this many has a word of its own: `rare` and its number among the new posts."""

_SEED: Final = 17
_CHUNK: Final = 2_000
_SYLLABLES: Final = ("ba", "ke", "ri", "sol", "dun", "mi", "ta", "ven", "o", "lu", "gra", "fen")


@dataclass(frozen=True)
class Sizes:
    """The numbers of generated rows; the largest thread has `largest` posts."""

    posts: int
    threads: int
    users: int
    largest: int

    @classmethod
    def of(cls, posts: int) -> "Sizes":
        """The default sizes for a number of posts."""
        return cls(posts, max(posts // 100, 2), max(posts // 1000, 2), max(posts // 100, 1))


def vocabulary() -> list[str]:
    """The words of the texts, by descending frequency."""
    long = ("".join(parts) for parts in product(_SYLLABLES, repeat=4))
    short = ("".join(parts) for parts in product(_SYLLABLES, repeat=3))
    return list(islice(chain(short, long), VOCABULARY))


async def fill(urls: Mapping[str, str], sizes: Sizes) -> None:
    """Add the rows to the migrated databases at these URLs."""
    generator = random.Random(_SEED)  # noqa: S311 - the same texts each time
    words = vocabulary()
    weights = list(accumulate(1 / (rank + 1) for rank in range(len(words))))
    texts = [
        " ".join(generator.choices(words, cum_weights=weights, k=generator.randint(5, 55)))
        for _ in range(TEXTS)
    ]
    first_user = await _with(urls["users"], lambda c: _fill_users(c, sizes))
    titles = [text[:80] for text in texts]
    first_thread = await _with(
        urls["threads"], lambda c: _fill_threads(c, sizes, titles, words, first_user)
    )
    await _with(
        urls["posts"], lambda c: _fill_posts(c, sizes, texts, words, first_user, first_thread)
    )


async def _with(url: str, work: Callable[[Connection], Any]) -> int:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET maintenance_work_mem = '1GB'; SET synchronous_commit = off")
        first: int = await work(connection)
        return first
    finally:
        await connection.close()


async def _fill_users(connection: Connection, sizes: Sizes) -> int:
    first: int = await connection.fetchval("SELECT coalesce(max(id), 0) + 1 FROM users")
    await connection.execute(
        """
        INSERT INTO users (username, name, bio, password_hash, created_at)
        SELECT 'reader' || n, 'Reader ' || n, '', '!', now()
        FROM generate_series($1::bigint, $2::bigint) AS n
        """,
        first,
        first + sizes.users - 1,
    )
    await connection.execute("ANALYZE")
    return first


async def _fill_threads(
    connection: Connection,
    sizes: Sizes,
    titles: Sequence[str],
    words: Sequence[str],
    first_user: int,
) -> int:
    first: int = await connection.fetchval("SELECT coalesce(max(id), 0) + 1 FROM threads")
    vectors = await _vectors(connection, titles)
    beginning = _beginning(sizes)
    others = (sizes.posts - sizes.largest) // max(sizes.threads - 1, 1)

    def row(n: int) -> str:
        at = beginning + timedelta(seconds=n * sizes.posts // sizes.threads)
        count = sizes.largest if n == 0 else others
        return "\t".join(
            (str(first + n), titles[n % len(titles)], str(first_user + n % sizes.users), str(at),
             str(at), vectors[n % len(titles)], str(count), str(count), str(at))
        )  # fmt: skip

    columns = ("id", "title", "created_by", "created_at", "indexed_at", "search", "post_count",
               "activity_version", "last_post_at")  # fmt: skip
    await _copy(connection, "threads", columns, row, sizes.threads)
    await _add_words(connection, words)
    return first


async def _fill_posts(
    connection: Connection,
    sizes: Sizes,
    texts: Sequence[str],
    words: Sequence[str],
    first_user: int,
    first_thread: int,
) -> int:
    first: int = await connection.fetchval("SELECT coalesce(max(id), 0) + 1 FROM posts")
    vectors = await _vectors(connection, texts)
    lengths = [len(text.split()) for text in texts]
    beginning = _beginning(sizes)
    every = max(sizes.posts // sizes.largest, 1)

    def row(n: int) -> str:
        at = str(beginning + timedelta(seconds=n))
        which = n * 7919 % len(texts)
        text, vector = texts[which], vectors[which]
        if n % RARE == 0:
            text += f" rare{n}"
            vector += f" 'rare{n}':{lengths[which] + 1}"
        thread = 0 if n % every == 0 else 1 + n * 31 % max(sizes.threads - 1, 1)
        return "\t".join(
            (str(first + n), str(first_thread + thread), str(first_user + n % sizes.users), "f",
             text, f"<p>{text}</p>", at, at, vector, str(MARKUP), at)
        )  # fmt: skip

    columns = ("id", "thread", "author", "by_starter", "text", "html", "created_at", "indexed_at",
               "search", "markup", "rendered_at")  # fmt: skip
    await _copy(connection, "posts", columns, row, sizes.posts)
    await _add_words(connection, [*words, *(f"rare{n}" for n in range(0, sizes.posts, RARE))])
    await connection.execute(
        """
        INSERT INTO thread_activity
            (thread, version, post_count, posts_by_others, last_post_at, delivered)
        SELECT thread, count(*), count(*), count(*), max(created_at), count(*) FROM posts
        WHERE id >= $1 GROUP BY thread
        """,
        first,
    )
    await connection.execute(
        """
        INSERT INTO thread_events (thread, version, kind, post)
        SELECT thread, row_number() OVER (ORDER BY id), 'post', id FROM posts WHERE thread = $1
        """,
        first_thread,
    )
    await connection.execute("ANALYZE")
    return first


def _beginning(sizes: Sizes) -> datetime:
    """The time of the first post, if there is one per second until now."""
    return datetime.now(UTC) - timedelta(seconds=sizes.posts)


async def _vectors(connection: Connection, texts: Sequence[str]) -> list[str]:
    rows = await connection.fetch(
        """
        SELECT to_tsvector('english', text)::text AS vector
        FROM unnest($1::text[]) WITH ORDINALITY AS texts (text, place) ORDER BY place
        """,
        [encode(word.text for word in cut(text)) for text in texts],
    )
    return [row["vector"] for row in rows]


async def _copy(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    row: Callable[[int], str],
    number: int,
) -> None:
    """Copy rows into the table. Its indexes are dropped first, and built again afterwards."""
    indexes = await connection.fetch(
        """
        SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
        FROM pg_index WHERE indrelid = $1::text::regclass AND NOT indisunique
        """,
        table,
    )

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, number, _CHUNK):
            lines = (row(n) for n in range(start, min(start + _CHUNK, number)))
            yield ("\n".join(lines) + "\n").encode()

    began = time.monotonic()
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    # A trigger that notifies of changes would first collect all of the rows.
    await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await connection.copy_to_table(table, source=chunks(), columns=columns)
    await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    await connection.execute("SELECT pg_notify('changes', '*')")
    copied = time.monotonic()
    for index in indexes:
        await connection.execute(index["definition"])
    await connection.execute(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608 - a name of ours
    )
    sys.stderr.write(
        f"{table}: {number:,} rows in {copied - began:.0f} s,"
        f" indexes in {time.monotonic() - copied:.0f} s\n"
    )


async def _add_words(connection: Connection, words: Sequence[str]) -> None:
    await connection.execute(
        "INSERT INTO words SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", words
    )


def main() -> int:
    """Fill the board. Returns the exit code: 2 if no board runs."""
    parser = argparse.ArgumentParser(prog="dataset", description="Fill the board on this machine.")
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--users", type=int)
    parser.add_argument("--largest", type=int, help="posts in the largest thread")
    asked = parser.parse_args()
    usual = Sizes.of(asked.posts)
    sizes = Sizes(
        asked.posts,
        asked.threads or usual.threads,
        asked.users or usual.users,
        asked.largest or usual.largest,
    )
    try:
        urls = database_urls_of(settings.read([], os.environ))
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    asyncio.run(fill(urls, sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
