"""A cache over a fake application that the tests control."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from kernel.cache.changes import Changes
from kernel.http.conditional.response_cache import ResponseCache, depends_on

Body = Callable[[str], bytes]


class FakeFeed:
    """A feed of changes; tests set whether it is current."""

    def __init__(self) -> None:
        self.current = True


class FakeApp:
    """Answers `/shared/N` with the result of `body`, and any other path with the `Authorization`
    field, once `release` is set."""

    def __init__(self, changes: Changes, body: Body) -> None:
        self._changes = changes
        self._body = body
        self.calls = 0
        self.fields: list[tuple[bytes, bytes]] = []
        self.release = asyncio.Event()
        self.release.set()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.calls += 1
        path = scope["path"]
        if path.startswith("/shared/"):
            body = self._body(path)
            depends_on(scope, self._changes, f"thread/{path.removeprefix('/shared/')}")
        else:
            body = dict(scope["headers"]).get(b"authorization", b"nobody")
        await self.release.wait()
        fields = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *self.fields,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body})


class Answer:
    """The response."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message["body"]


class Instance:
    """The parts of a process that its cache needs."""

    def __init__(self, body: Body, capacity: int = 8_000_000) -> None:
        self.feed = FakeFeed()
        self.changes = Changes("posts", frozenset({"thread"}))
        self.changes.follow(self.feed)
        self.app = FakeApp(self.changes, body)
        self.cache = ResponseCache(
            self.app, [self.changes], lambda path: path.startswith("/shared/"), capacity
        )

    async def get(self, path: str, query: bytes = b"", **headers: str) -> Answer:
        fields = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
        scope: dict[str, Any] = {
            "type": "http", "method": "GET", "path": path, "query_string": query,
            "headers": fields,
        }  # fmt: skip
        answer = Answer()
        await self.cache(scope, no_body, answer.send)
        return answer


async def no_body() -> Message:
    """What a request without a body receives."""
    return {"type": "http.request", "body": b"", "more_body": False}
