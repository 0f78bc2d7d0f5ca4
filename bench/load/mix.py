"""The mixed load: what people request from a board, in which proportions."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle
from typing import Final

from bench.load.open_loop import Arrival, Request, describe

WRITES: Final = 0.05
"""The share of requests that write a post. Of the others, 80 % read a thread's page, 15 % a list of
threads and 5 % a user."""

_KINDS: Final = ("thread", "list", "user")
_SHARES: Final = (0.80, 0.95, 1.00)
"""The share of each kind of read, and of those before it."""
_TEXT: Final = "Is the water *warm* enough? Number {number}"


@dataclass(frozen=True)
class Acknowledged:
    """A post that a server said it has stored."""

    id: int
    thread: int
    text: str


class Mix:
    """Plans requests. Threads are chosen by Zipf's law: the second is read half as often as the
    first, the third a third as often. Writers take turns, so that nobody writes too often.

    `written` has the posts that were acknowledged so far. The same `seed` makes the same requests,
    at the same times.
    """

    def __init__(
        self, threads: Sequence[int], users: Sequence[int], tokens: Sequence[str], seed: int = 0
    ) -> None:
        self._threads = threads
        self._weights = list(accumulate(1 / rank for rank in range(1, len(threads) + 1)))
        self._users = users
        self._tokens = cycle(tokens)
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._numbers = iter(range(1, 1 << 62))
        self._pages = {thread: _page(thread) for thread in threads}
        self._list = _read("list", "/api/threads", b'"postCount":')
        self.written: list[Acknowledged] = []

    def plan(self, rate: float, seconds: float) -> list[Arrival]:
        """Requests that arrive at random, `rate` times a second on average."""
        return list(self._arrivals(rate, seconds))

    def everything(self, rate: float) -> list[Arrival]:
        """Each thing that the load reads, once, at a constant rate: it fills the cache."""
        users = (self._user(user) for user in self._users)
        # The most popular threads are read last, as they would be the most recent ones.
        requests = [*users, *(self._pages[each] for each in reversed(self._threads)), self._list]
        return [Arrival(number / rate, each) for number, each in enumerate(requests)]

    def _arrivals(self, rate: float, seconds: float) -> Iterator[Arrival]:
        after = self._random.expovariate(rate)
        while after < seconds:
            yield Arrival(after, self._request())
            after += self._random.expovariate(rate)

    def _request(self) -> Request:
        if self._random.random() < WRITES:
            return self._write()
        [kind] = self._random.choices(_KINDS, cum_weights=_SHARES)
        if kind == "thread":
            return self._pages[self._thread()]
        if kind == "list":
            return self._list
        return self._user(self._random.choice(self._users))

    @staticmethod
    def _user(user: int) -> Request:
        return _read("user", f"/api/users/{user}", b'"id":%d,' % user)

    def _thread(self) -> int:
        [thread] = self._random.choices(self._threads, cum_weights=self._weights)
        return thread

    def _write(self) -> Request:
        thread, text = self._thread(), _TEXT.format(number=next(self._numbers))

        def check(status: int, body: bytes) -> str | None:
            if status != 201:
                return describe(status, body)
            post = json.loads(body)
            if (post["thread"], post["text"]) != (thread, text):
                return "another post was written"
            self.written.append(Acknowledged(post["id"], thread, text))
            return None

        return Request("write", post_request(next(self._tokens), thread, text), check)


def post_request(token: str, thread: int, text: str) -> bytes:
    """The bytes of a request that writes a post."""
    body = json.dumps({"thread": thread, "text": text}).encode()
    head = (
        "POST /api/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def read_request(path: str) -> bytes:
    """The bytes of a request that reads a path, as a client that accepts no compression."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def _page(thread: int) -> Request:
    return _read("thread", f"/api/posts/in-thread/{thread}", b'"thread":%d,' % thread)


def _read(kind: str, path: str, expected: bytes) -> Request:
    return Request(kind, read_request(path), _contains(expected))


def _contains(expected: bytes) -> Callable[[int, bytes], str | None]:
    def check(status: int, body: bytes) -> str | None:
        if status != 200:
            return describe(status, body)
        return None if expected in body else "the response is about something else"

    return check
