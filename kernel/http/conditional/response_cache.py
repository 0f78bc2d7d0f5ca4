"""Conditional requests, and stored responses (docs/decisions/response-cache.md)."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.cache.changes import AnyChanges, Changes, JointChanges
from kernel.cache.encodings import SMALLEST, Encoding, choose, compress
from kernel.cache.entries import Entries, Entry, Field, Key, Variant
from kernel.calls.deadline import expired
from kernel.http.conditional.revalidation import encoded_tag, entity_tag, matches

_DEPENDS: Final = "board.depends"
_LARGEST_ON_THE_LOOP: Final = 16 * 1024
"""The most bytes that are compressed in the event loop; more would block it for too long."""

_VARY: Final = (b"vary", b"Accept-Encoding")

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def shared(endpoint: Endpoint) -> Endpoint:
    """Marks an operation whose responses are the same for everybody. It must call `depends_on`."""
    endpoint.shared = True  # type: ignore[attr-defined]  # the mark
    return endpoint


def depends_on(scope: Scope, changes: Changes, *tags: str) -> None:
    """Declare everything that the response to this request depends on, so that it may be stored. It
    must not depend on the user. For operations marked with `shared`."""
    scope[_DEPENDS] = changes, frozenset(changes.tag(tag) for tag in tags)


def depends_on_all(scope: Scope, tags: Sequence[tuple[Changes, Iterable[str]]]) -> None:
    """The same as `depends_on`, for a response with data of several contexts: the tags of each."""
    scope[_DEPENDS] = (
        JointChanges(changes for changes, _ in tags),
        frozenset(changes.tag(name) for changes, names in tags for name in names),
    )


class _Fill:
    """A response in progress. `changed` and `contexts` collect what has changed since it began.
    Other requests for the same response wait for `done`: the entry, or None. `unavailable` says
    that it has become a 503."""

    __slots__ = ("changed", "contexts", "done", "unavailable")

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.contexts: set[str] = set()
        self.unavailable = False
        self.done: asyncio.Future[Entry | None] | None = None

    def is_right(self, changes: AnyChanges, tags: frozenset[str]) -> bool:
        """Whether nothing that the response depends on has changed since it began."""
        return (
            changes.current
            and self.contexts.isdisjoint(changes.contexts)
            and self.changed.isdisjoint(tags)
        )


class ResponseCache(Collector):
    """Adds an ETag to every 200 to a GET that is sent in one piece, answers 304 if the client has
    that version, and stores shared responses.

    `is_shared` returns whether the operation of a path is marked. Nothing is served from memory or
    stored while changes of its context do not arrive. Streamed responses are not touched.
    """

    def __init__(
        self,
        app: ASGIApp,
        changes: Sequence[Changes],
        is_shared: Callable[[str], bool],
        capacity: int,
    ) -> None:
        """`capacity` is in bytes; 0 stores nothing."""
        self._app = app
        self._is_shared = is_shared
        self._entries = Entries(capacity)
        self._capacity = capacity
        self._fills: set[_Fill] = set()
        self._joinable: dict[Key, _Fill] = {}
        self._compressing: dict[tuple[int, Encoding], asyncio.Future[Variant]] = {}
        self._counts = {"hit": 0, "joined": 0, "miss": 0}
        self._dropped = 0
        self._changes = changes
        for each in changes:
            each.subscribe(lambda tags, context=each.context: self._on_change(context, tags))  # type: ignore[misc]  # mypy does not see the type of the default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        key: Key = (scope["path"], scope["query_string"])
        entry = self._entries.get(key)
        if entry is not None:
            if entry.changes.current:
                self._counts["hit"] += 1
                await self._send(entry, scope, send)
                return
            self._entries.drop(key)
        if not (self._capacity and self._is_shared(key[0])):
            await self._tagged(scope, receive, send)
            return
        fill = self._joinable.get(key)
        # While changes do not arrive, a response in progress may be older than a change.
        if fill is not None and all(each.current for each in self._changes):
            entry = await self._join(fill)
            if entry is not None:
                self._counts["joined"] += 1
                await self._send(entry, scope, send)
                return
            if fill.unavailable:
                # It has waited as long as a request may wait for another service.
                with expired():
                    await self._tagged(scope, receive, send)
                return
        await self._fill(key, scope, receive, send)

    def collect(self) -> Iterable[Metric]:
        """The metrics, for prometheus_client."""
        answers = CounterMetricFamily(
            "board_cache_answers", "Shared answers, by where they came from.", labels=["from"]
        )
        for name, count in self._counts.items():
            answers.add_metric([name], count)
        yield answers
        yield GaugeMetricFamily("board_cache_bytes", "Bytes stored.", self._entries.size)
        yield GaugeMetricFamily("board_cache_entries", "Answers stored.", len(self._entries))
        yield CounterMetricFamily(
            "board_cache_dropped", "Answers dropped because of a change.", self._dropped
        )

    def _on_change(self, context: str, tags: frozenset[str] | None) -> None:
        if tags is None:
            gone = [entry.key for entry in self._entries if context in entry.changes.contexts]
            for key in gone:
                self._entries.drop(key)
            self._dropped += len(gone)
        else:
            self._dropped += self._entries.drop_tagged(tags)
        for fill in self._fills:
            if tags is None:
                fill.contexts.add(context)
            else:
                fill.changed |= tags
        # Requests from now on must not get a response that was begun before the change, and which
        # responses depend on it is unknown until they are complete.
        self._joinable.clear()

    async def _join(self, fill: _Fill) -> Entry | None:
        if fill.done is None:
            fill.done = asyncio.get_running_loop().create_future()
        return await asyncio.shield(fill.done)

    async def _fill(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        self._counts["miss"] += 1
        fill = _Fill()
        self._fills.add(fill)
        self._joinable[key] = fill
        entry: Entry | None = None
        try:
            captured = _Captured(send)
            await self._app(scope, receive, captured)
            depends = scope.get(_DEPENDS)
            fill.unavailable = captured.unavailable
            if captured.start is None:
                return
            if depends is None or not _may_be_stored(captured.start["headers"]):
                await _send_tagged(scope, captured.start, captured.body, send)
                return
            changes, tags = depends
            plain = _plain(captured.start["headers"], captured.body)
            entry = Entry(key, scope.get("route"), changes, tags, plain)
            if fill.is_right(changes, tags):
                self._entries.put(entry)
        finally:
            self._fills.discard(fill)
            if self._joinable.get(key) is fill:
                del self._joinable[key]
            if fill.done is not None and not fill.done.done():
                fill.done.set_result(entry)
        await self._send(entry, scope, send)

    async def _tagged(self, scope: Scope, receive: Receive, send: Send) -> None:
        captured = _Captured(send)
        await self._app(scope, receive, captured)
        if captured.start is not None:
            await _send_tagged(scope, captured.start, captured.body, send)

    def find(self, key: Key) -> Entry | None:
        """The entry, if it may be served."""
        entry = self._entries.get(key)
        return entry if entry is not None and entry.changes.current else None

    def count_hit(self) -> None:
        """Count a response that was served from memory."""
        self._counts["hit"] += 1

    def choose(
        self, entry: Entry, if_none_match: bytes, accept_encoding: bytes
    ) -> tuple[Variant, int] | None:
        """The response to a request with these fields, empty if absent: its encoding, and its
        status, 200 or 304. None if it has not been encoded yet."""
        variant = entry.variants.get(_choose_encoding(entry, accept_encoding))
        if variant is None:
            return None
        return variant, 304 if if_none_match and _has(if_none_match, variant) else 200

    async def _send(self, entry: Entry, scope: Scope, send: Send) -> None:
        scope["route"] = entry.route
        if_none_match = accept_encoding = b""
        for name, value in scope["headers"]:
            # Several fields with one name mean the same as one with commas (RFC 9110 section 5.3).
            if name == b"if-none-match":
                if_none_match = if_none_match + b"," + value if if_none_match else value
            elif name == b"accept-encoding":
                accept_encoding = accept_encoding + b"," + value if accept_encoding else value
        encoding = _choose_encoding(entry, accept_encoding)
        variant = entry.variants.get(encoding)
        if variant is None:
            variant = await self._encode(entry, encoding)
        if if_none_match and _has(if_none_match, variant):
            await send(
                {"type": "http.response.start", "status": 304, "headers": variant.fields_of_304}
            )
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": variant.fields})
        await send({"type": "http.response.body", "body": variant.body})

    async def _encode(self, entry: Entry, encoding: Encoding) -> Variant:
        plain = entry.variants["identity"]
        if len(plain.body) <= _LARGEST_ON_THE_LOOP:
            variant = _encoded(plain, encoding, compress(plain.body, encoding))
            self._entries.add_variant(entry, encoding, variant)
            return variant
        place = id(entry), encoding
        waiting = self._compressing.get(place)
        if waiting is not None:
            return await asyncio.shield(waiting)
        waiting = self._compressing[place] = asyncio.ensure_future(
            self._encode_in_a_thread(entry, encoding)
        )
        try:
            return await asyncio.shield(waiting)
        finally:
            self._compressing.pop(place, None)

    async def _encode_in_a_thread(self, entry: Entry, encoding: Encoding) -> Variant:
        plain = entry.variants["identity"]
        body = await asyncio.to_thread(compress, plain.body, encoding)
        variant = _encoded(plain, encoding, body)
        self._entries.add_variant(entry, encoding, variant)
        return variant


class _Captured:
    """Captures a 200 that is sent in one piece, and passes everything else through. `unavailable`
    says that this was a 503."""

    __slots__ = ("_send", "_withheld", "body", "start", "unavailable")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._withheld: Message | None = None
        self.start: Message | None = None
        self.body = b""
        self.unavailable = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.unavailable = message["status"] == HTTPStatus.SERVICE_UNAVAILABLE
            if message["status"] == 200:
                self._withheld = message
                return
        elif self._withheld is not None:
            start, self._withheld = self._withheld, None
            if not message.get("more_body", False):
                self.start, self.body = start, message.get("body", b"")
                return
            await self._send(start)
        await self._send(message)


def _choose_encoding(entry: Entry, accept_encoding: bytes) -> Encoding:
    if accept_encoding and len(entry.variants["identity"].body) >= SMALLEST:
        return choose(accept_encoding)
    return "identity"


def _may_be_stored(fields: Sequence[Field]) -> bool:
    return not any(name in {b"set-cookie", b"cache-control", b"vary"} for name, _ in fields)


def _tag_of(fields: Sequence[Field], body: bytes) -> str:
    # The link to the next page is part of a list's representation: if a next page has been added,
    # the client's version is outdated.
    link = next((value for name, value in fields if name == b"link"), b"")
    return entity_tag(body + link)


async def _send_tagged(scope: Scope, start: Message, body: bytes, send: Send) -> None:
    fields: list[Field] = [*start["headers"]]
    tag = _tag_of(fields, body).encode()
    fields.append((b"etag", tag))
    if not any(name == b"cache-control" for name, _ in fields):
        fields.append((b"cache-control", b"no-cache"))
    variant = Variant(tag, fields, body)
    if_none_match = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    if if_none_match and _has(if_none_match, variant):
        await send({**start, "status": 304, "headers": variant.fields_of_304})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({**start, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _has(if_none_match: bytes, variant: Variant) -> bool:
    return if_none_match == variant.tag or matches(
        if_none_match.decode("latin-1"), variant.tag.decode()
    )


def _plain(fields: Sequence[Field], body: bytes) -> Variant:
    tag = _tag_of(fields, body).encode()
    return Variant(tag, [*fields, (b"etag", tag), (b"cache-control", b"no-cache"), _VARY], body)


def _encoded(plain: Variant, encoding: Encoding, body: bytes) -> Variant:
    tag = encoded_tag(plain.tag.decode(), encoding).encode()
    changed = {b"etag": tag, b"content-length": str(len(body)).encode()}
    fields = [(name, changed.get(name, value)) for name, value in plain.fields]
    return Variant(tag, [*fields, (b"content-encoding", encoding.encode())], body)
