"""Measures pages and searches on a large board.

    python -m bench.size [--posts 1000000] [--rounds 20] [--data FOLDER]

Fills a PostgreSQL that is not durable (`bench.dataset`), and reads from it as the services do,
without HTTP. With `--data`, the filled server's data remains in that folder, and the next run with
the same folder reads it again.

The times of a search are for one page. Each search is also followed to its end, and the number of
pages until the first hit and until the end is printed. Then five searches run at the same time
while pages are read, in turns with pages that are read alone.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from bench.dataset import RARE, Sizes, fill, vocabulary
from board.bootstrap import bootstrap
from board.migrate import migrate
from kernel.data.database import Database
from kernel.search.dictionary import Dictionary
from laptop import credentials
from laptop.data_folder import make_data_folder
from laptop.postgres.server import PostgresServer
from laptop.postgres.throwaway import throwaway
from services.posts.search.store import SearchStore
from services.posts.stores.lists import AS_JSON, PostLists
from topology.contexts import CONTEXT_NAMES

_MOST_PAGES: Final = 200
_AT_ONCE: Final = 5
_READS: Final = 50
_FILLED: Final = "filled"
"""The file that describes the data of a folder, written when all of it is there."""

Read = Callable[[], Awaitable[object]]


def _searches(sizes: Sizes) -> dict[str, str]:
    words = vocabulary()
    middle, seldom = words[500], words[4_000]
    rare = f"rare{sizes.posts // 2 // RARE * RARE}"
    return {
        "the most frequent word": words[0],
        "two frequent words": f"{words[0]} {words[1]}",
        "a frequent word without another": f"{words[0]} -{words[1]}",
        "a frequent phrase": f'"{words[0]} {words[1]}"',
        "a phrase that nobody wrote": f'"{" ".join([*words[3::-1], words[3]])}"',
        "frequent words and one that no post has": f"{words[0]} {words[1]} nowhere",
        "a word of medium frequency": middle,
        "two words of medium frequency": f"{middle} {words[501]}",
        "a rare word": seldom,
        "a word that one post has": rare,
        "a frequent word and one that one post has": f"{words[0]} {rare}",
        "a word that no post has": "nowhere",
        "a beginning": "rare1*",
        "thirty frequent words": " or ".join(words[:30])[:200],
        "all of twenty frequent words": " ".join(words[:20]),
        "posts without the most frequent word": f"-{words[0]}",
    }  # fmt: skip


async def measure(sizes: Sizes, rounds: int, folder: Path | None) -> None:
    """Fill the databases unless the folder has them, read from them, and print the times."""
    with _server(folder) as server:
        urls = {name: server.url(name, name, f"{name}-secret") for name in CONTEXT_NAMES}
        await _prepare(server, urls, sizes)
        async with Database.open(urls["posts"]) as database, Database.open(urls["posts"]) as other:
            for what, function in (
                ("database", "pg_database_size(current_database())"),
                ("search index", "pg_relation_size('posts_words')"),
            ):
                row = await database.row(f"SELECT {function} AS bytes")
                assert row is not None  # noqa: S101 - one row
                _say(f"{what}: {row['bytes'] / 1e9:.2f} GB")
            await _report_searches(SearchStore(database, Dictionary()), sizes, rounds)
            await _report_pages(database, other, sizes, rounds)


@contextmanager
def _server(folder: Path | None) -> Iterator[PostgresServer]:
    if folder is None:
        with throwaway() as server:
            yield server
        return
    make_data_folder(folder)
    password = credentials.load_or_create(folder).admin_password
    with PostgresServer(folder, admin_password=password, durable=False) as server:
        yield server


async def _prepare(server: PostgresServer, urls: Mapping[str, str], sizes: Sizes) -> None:
    """Raises `SystemExit` if the server has other data."""
    filled = server.data_folder / _FILLED
    if filled.exists():
        if filled.read_text() != str(sizes):
            raise SystemExit(f"{server.data_folder} has {filled.read_text()}, not {sizes}")
        return
    await bootstrap(server.admin_url, urls)
    await migrate(urls)
    began = time.monotonic()
    await fill(urls, sizes)
    filled.write_text(str(sizes))
    _say(f"{sizes.posts:,} posts filled in {time.monotonic() - began:.0f} s")


async def _report_searches(store: SearchStore, sizes: Sizes, rounds: int) -> None:
    _say("| search | median ms | slowest ms | pages to the first hit | pages to the end |")
    _say("|---|---|---|---|---|")
    for name, words in _searches(sizes).items():
        times = [await _seconds(partial(store.search, words, 20, None)) for _ in range(rounds)]
        first, pages, cursor, slowest = 0, 0, None, max(times)
        while pages < _MOST_PAGES:
            began = time.monotonic()
            page = await store.search(words, 20, cursor)
            slowest = max(slowest, time.monotonic() - began)
            pages += 1
            first = first or (pages if page.items else 0)
            cursor = page.next_cursor
            if cursor is None:
                break
        end = f"{pages}" if cursor is None else f"more than {pages}"
        _say(f"| {name} | {_ms(times)} | {slowest * 1000:.0f} | {first or 'none'} | {end} |")


async def _report_pages(database: Database, other: Database, sizes: Sizes, rounds: int) -> None:
    posts = PostLists(database, AS_JSON)
    reads: dict[str, Read] = {
        "the newest posts": partial(posts.newest, 50, None),
        "the largest thread": partial(posts.in_thread, 1, 50, None),
        "somebody's posts": partial(posts.by_user, 1, 50, None),
    }

    search = SearchStore(other, Dictionary())
    words = list(_searches(sizes).values())
    alone: dict[str, list[float]] = {name: [] for name in reads}
    busy: dict[str, list[float]] = {name: [] for name in reads}
    searches: list[float] = []

    async def read_all(times: dict[str, list[float]]) -> None:
        for _ in range(_READS):
            for name, read in reads.items():
                times[name].append(await _seconds(read))

    async def searching(turn: int, ended: asyncio.Event) -> None:
        while not ended.is_set():
            text = words[turn % len(words)]
            searches.append(await _seconds(partial(search.search, text, 20, None)))
            turn += 1

    for turn in range(rounds):
        await read_all(alone)
        ended = asyncio.Event()
        tasks = [asyncio.create_task(searching(turn + n, ended)) for n in range(_AT_ONCE)]
        await read_all(busy)
        ended.set()
        await asyncio.gather(*tasks)
    _say("| page of 50 | median ms | with five searches at once | times as long |")
    _say("|---|---|---|---|")
    for name in reads:
        ratio = statistics.median(busy[name]) / statistics.median(alone[name])
        _say(f"| {name} | {_ms(alone[name])} | {_ms(busy[name])} | {ratio:.1f} |")
    _say(
        f"five searches at once: median {_ms(searches)} ms, slowest of {len(searches):,}"
        f" {max(searches) * 1000:.0f} ms"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


async def _seconds(read: Read) -> float:
    began = time.monotonic()
    await read()
    return time.monotonic() - began


def _ms(times: Sequence[float]) -> str:
    return f"{statistics.median(times) * 1000:.1f}"


def main() -> int:
    """Measure and print everything. Returns the exit code, always 0."""
    parser = argparse.ArgumentParser(prog="size", description="Measure reads on a large board.")
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path, help="use this folder, and do not remove it")
    asked = parser.parse_args()
    asyncio.run(measure(Sizes.of(asked.posts), asked.rounds, asked.data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
