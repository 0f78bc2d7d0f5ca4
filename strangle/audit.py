"""Checks what must be true after every play."""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from strangle.history import GONE, History, Observation, Stream
from strangle.load.client import Client, RequestFailedError, Response

BOUND: Final = 2.0
"""Seconds for which an instance may answer with data that another instance has replaced; see the
decisions on the response cache and on activity."""

_POLL: Final = 0.2
_MOST_EXAMPLES: Final = 5


@dataclass(frozen=True)
class Check:
    """One thing that must be true: `counted` is the number of objects that were checked, and
    `problems` has what is wrong."""

    name: str
    counted: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


class Auditor:
    """Compares the board's data after a play with what it acknowledged during the play."""

    def __init__(
        self, client: Client, history: History, token: str, settle: float = 3 * BOUND
    ) -> None:
        """`token` is that of a moderator's session. What arrives late may take `settle` seconds
        from the end of the load."""
        self._settle = settle
        self._client = client
        self._history = history
        self._token = token

    async def stored(self) -> tuple[Check, ...]:
        """The checks of the board's current data. The load must have ended.

        Raises RequestFailedError if the board does not answer.
        """
        stored = await self._stored_posts()
        lost, doubled = self._lost(stored), self._doubled(stored)
        lost += await self._lost_threads()
        history = self._history
        written = len(history.posts) + len(history.threads)
        return (
            Check(
                "no acknowledged write is lost",
                f"{written} posts and threads, {len(history.removed)} removals",
                tuple(lost),
            ),
            Check(
                "no write is there twice",
                f"{len(stored)} posts, {len(history.repeated)} requests sent twice",
                tuple(doubled),
            ),
            Check(
                "every post is counted",
                f"{len(self._threads())} threads",
                tuple(await self._counts(stored)),
            ),
            Check(
                "no stream has a gap",
                _counted_streams(history),
                tuple(await self._streams()),
            ),
        )

    def _threads(self) -> set[int]:
        threads = {post.thread for post in self._history.posts.values()}
        return threads | {stream.thread for stream in self._history.streams}

    async def _stored_posts(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for thread in sorted(self._threads()):
            path: str | None = f"/api/posts/in-thread/{thread}?limit=100"
            while path is not None:
                response = await self._get(path)
                found += response.json()
                link = re.fullmatch(r'<([^>]*)>; rel="next"', response.headers.get("link", ""))
                path = link[1] if link else None
        return found

    def _lost(self, stored: list[Mapping[str, Any]]) -> list[str]:
        texts = {post["id"]: post["text"] for post in stored}
        problems = []
        for post in self._history.posts.values():
            if post.id in self._history.removed:
                if post.id in texts:
                    problems.append(f"post {post.id} was removed, and is there")
            elif post.id not in texts and post.id in self._history.perhaps_removed:
                continue
            elif post.id not in texts:
                problems.append(f"post {post.id} ({post.key}) was acknowledged, and is not there")
            elif texts[post.id] != post.text and texts[post.id] not in post.attempted:
                problems.append(f"post {post.id} is {texts[post.id]!r}, and must be {post.text!r}")
        return problems

    def _doubled(self, stored: list[Mapping[str, Any]]) -> list[str]:
        ids = Counter(post["id"] for post in stored)
        problems = [
            f"post {post} is listed {count} times" for post, count in ids.items() if count > 1
        ]
        ours = {post.text for post in self._history.posts.values()}
        texts = Counter(post["text"] for post in stored if post["text"] in ours)
        problems += [f"{text!r} was stored {n} times" for text, n in texts.items() if n > 1]
        problems += [
            f"{key!r} was sent again and became post {second} beside {first}"
            for key, first, second in self._history.repeated
            if first != second
        ]
        return problems

    async def _lost_threads(self) -> list[str]:
        threads = [*self._history.threads.items()]
        problems = []
        for at in range(0, len(threads), 100):
            some = threads[at : at + 100]
            query = "&".join(f"id={thread}" for _, thread in some)
            titles = {
                one["id"]: one["title"] for one in (await self._get(f"/api/threads?{query}")).json()
            }
            problems += [
                f"thread {thread} ({title}) was acknowledged, and is not there"
                for title, thread in some
                if titles.get(thread) != title
            ]
        return problems

    async def _counts(self, stored: list[Mapping[str, Any]]) -> list[str]:
        """Compare the threads' counts once they are right, or once the bound has passed."""
        wanted = Counter(post["thread"] for post in stored)
        problems: list[str] = []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settle
        for thread in sorted(self._threads()):
            while (
                shown := (await self._get(f"/api/threads/{thread}")).json()["postCount"]
            ) != wanted[thread]:
                if loop.time() > deadline:
                    problems.append(
                        f"thread {thread} shows {shown} posts, and has {wanted[thread]}"
                    )
                    break
                await asyncio.sleep(_POLL)
        return problems

    async def _streams(self) -> list[str]:
        """Compare the streams once all of a thread have the same end, or once the time is up."""
        problems: list[str] = []
        for _ in range(math.ceil(self._settle / _POLL)):
            problems = [*stream_problems(self._history)]
            if not problems:
                break
            await asyncio.sleep(_POLL)
        return problems

    async def _get(self, path: str) -> Response:
        response = await self._client.send("GET", quote(path, safe="/?&=%"), token=self._token)
        if response.status != 200:
            raise RequestFailedError(f"GET {path}: {response.status}")
        return response


def _counted_streams(history: History) -> str:
    events = sum(len(stream.ids) for stream in history.streams)
    resumed = sum(stream.resumed for stream in history.streams)
    return f"{len(history.streams)} streams, {events} events, resumed {resumed} times"


def failed_requests(history: History) -> Check:
    """Whether every response was as expected."""
    failed = Counter(
        f"{sample.what} at {sample.server or 'the gateway'}: {sample.problem}"
        for sample in history.samples
        if sample.problem is not None
    )
    return Check(
        "no request failed",
        f"{len(history.samples)} requests",
        tuple(f"{count} times {what}" for what, count in failed.most_common()),
    )


def stale_reads(history: History, bound: float = BOUND) -> Check:
    """Whether nobody saw an older version of an object after anybody had seen a newer one, longer
    than `bound` seconds ago."""
    problems: list[str] = []
    for what, observations in history.observations.items():
        problems += _stale(what, observations, bound)
    count = sum(len(observations) for observations in history.observations.values())
    return Check(
        "nobody saw an older state after a newer one", f"{count} reads and writes", tuple(problems)
    )


def _stale(what: str, observations: list[Observation], bound: float) -> Iterator[str]:
    by_end = sorted(observations, key=lambda one: one.ended)
    known: Observation | None = None
    at = 0
    for later in sorted(observations, key=lambda one: one.sent):
        while at < len(by_end) and by_end[at].ended + bound < later.sent:
            if known is None or by_end[at].version > known.version:
                known = by_end[at]
            at += 1
        if known is not None and later.version < known.version:
            yield (
                f"{what}: {later.server} answered with {_version(later)}, "
                f"{later.sent - known.ended:.1f} s after {known.server} had {_version(known)}"
            )


def _version(observation: Observation) -> str:
    return "its removal" if observation.version == GONE else f"version {observation.version}"


def stream_problems(history: History) -> Iterator[str]:
    """Every gap, every repetition, every post that a stream did not get."""
    ends: dict[int, int] = {}
    for stream in history.streams:
        if stream.ids:
            ends[stream.thread] = max(ends.get(stream.thread, 0), stream.ids[-1])
    for number, stream in enumerate(history.streams):
        name = f"stream {number} of thread {stream.thread}"
        for problem in stream.problems:
            yield f"{name}: {problem}"
        if stream.first is None:
            yield f"{name} was never opened"
            continue
        wanted = [*range(stream.first + 1, ends.get(stream.thread, stream.first) + 1)]
        if stream.ids != wanted:
            yield f"{name}: {_difference(stream, wanted)}"
        missing = [
            post.id
            for post in history.posts.values()
            if post.thread == stream.thread
            and post.at > stream.opened + BOUND
            and post.id not in stream.posts
            and post.id not in history.removed
            and post.id not in history.perhaps_removed
        ]
        if missing:
            yield f"{name}: {len(missing)} posts did not arrive, first {missing[0]}"


def _difference(stream: Stream, wanted: list[int]) -> str:
    missing = sorted({*wanted} - {*stream.ids})
    if missing:
        return f"{len(missing)} events did not arrive, first {missing[0]}"
    return "an event arrived twice, or in another order"


def sentences(checks: tuple[Check, ...]) -> Iterator[str]:
    """The result of an audit, for people."""
    for check in checks:
        mark = "✓" if check.passed else "✗"
        yield f"{mark} {check.name} ({check.counted})"
        for problem in check.problems[:_MOST_EXAMPLES]:
            yield f"    {problem}"
        if len(check.problems) > _MOST_EXAMPLES:
            yield f"    and {len(check.problems) - _MOST_EXAMPLES} more"
