"""The mixed load has the proportions that the report names, and notices wrong responses."""

import json
import re
from collections import Counter
from functools import cache
from itertools import pairwise

from bench.load.mix import Acknowledged, Mix
from bench.load.open_loop import Arrival

THREADS = range(1, 101)
PATH = re.compile(rb"^(GET|POST) (\S+)")


def mix(seed: int = 0) -> Mix:
    return Mix(THREADS, range(1, 51), ["one", "two", "three"], seed)


@cache
def plan() -> list[Arrival]:
    """What most tests look at; made once, because it takes a while."""
    return mix().plan(1000, 20)


def paths(arrivals: list[Arrival]) -> list[str]:
    found = [PATH.match(arrival.request.data) for arrival in arrivals]
    return [match[2].decode() for match in found if match]


def test_shares_of_requests() -> None:
    arrivals = plan()
    kinds = Counter(arrival.request.kind for arrival in arrivals)
    total, reads = len(arrivals), len(arrivals) - kinds["write"]
    assert 19_000 < total < 21_000
    assert 0.04 < kinds["write"] / total < 0.06
    assert 0.78 < kinds["thread"] / reads < 0.82
    assert 0.13 < kinds["list"] / reads < 0.17
    assert 0.04 < kinds["user"] / reads < 0.06


def test_threads_are_read_by_zipfs_law() -> None:
    counts = Counter(path for path in paths(plan()) if "in-thread" in path)
    first = counts["/api/posts/in-thread/1"]
    assert 0.4 < counts["/api/posts/in-thread/2"] / first < 0.6
    assert 0.05 < counts["/api/posts/in-thread/10"] / first < 0.15
    assert counts["/api/posts/in-thread/100"] > 0


def test_arrivals_are_random_in_the_order_of_their_times() -> None:
    times = [arrival.after for arrival in plan()]
    assert times == sorted(times)
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) > 4 * min(gaps)


def test_same_seed_makes_the_same_requests() -> None:
    first, second, other = (mix(seed).plan(1000, 1) for seed in (1, 1, 2))
    assert [a.after for a in first] == [b.after for b in second]
    assert paths(first) == paths(second) != paths(other)


def test_writers_take_turns() -> None:
    writes = [a.request.data for a in plan() if a.request.kind == "write"]
    tokens = [re.search(rb"Bearer (\w+)", data) for data in writes[:6]]
    assert [t[1] for t in tokens if t] == [b"one", b"two", b"three"] * 2


def test_page_of_another_thread_is_wrong() -> None:
    [read] = [a.request for a in plan() if b"/in-thread/7 " in a.request.data][:1]
    assert read.check(200, b'[{"id":1,"thread":7,"user":2}]') is None
    assert read.check(200, b'[{"id":1,"thread":70,"user":2}]') is not None
    assert read.check(200, b"[]") is not None
    assert (
        read.check(404, b'{"detail": "There is none.", "requestId": "a"}') == "404 There is none."
    )


def test_only_acknowledged_posts_count_as_written() -> None:
    made = mix()
    [write, other] = [a.request for a in made.plan(1000, 1) if a.request.kind == "write"][:2]
    sent = json.loads(write.data.partition(b"\r\n\r\n")[2])
    assert write.check(429, b"slow down") == "429"
    assert write.check(201, json.dumps({**sent, "id": 5, "text": "else"}).encode()) is not None
    assert made.written == []
    assert write.check(201, json.dumps({**sent, "id": 5}).encode()) is None
    assert made.written == [Acknowledged(5, sent["thread"], sent["text"])]
    assert sent["text"] != json.loads(other.data.partition(b"\r\n\r\n")[2])["text"]


def test_everything_is_read_once_the_most_popular_thread_last_of_its_kind() -> None:
    read = paths(mix().everything(1000))
    assert len(read) == len(set(read)) == 151
    assert read[-2:] == ["/api/posts/in-thread/1", "/api/threads"]
