"""Stored responses as finished bytes, without the layers around the cache
(docs/decisions/hits.md)."""

import logging
import re
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from kernel.cache.entries import Field, Variant
from kernel.http.addresses.limit import AddressLimit
from kernel.http.auth import OWN_SITE
from kernel.http.conditional.response_cache import ResponseCache
from kernel.http.operations import is_counted
from kernel.http.request_middleware import complete
from kernel.process.lifecycle import Lifecycle
from kernel.process.logs import RequestLog, redact
from kernel.process.telemetry import Telemetry
from kernel.process.tracing import accept_request_id, accept_trace_id

_READ: Final = frozenset(
    {
        b"accept-encoding", b"content-length", b"expect", b"if-none-match", b"sec-fetch-dest",
        b"sec-fetch-site", b"transfer-encoding", b"x-amzn-trace-id", b"x-forwarded-for",
        b"x-request-id",
    }
)  # fmt: skip
"""The header fields that change the response, or whether it may be sent at all."""

_ID: Final = b"\0id"
_LIMIT: Final = b"\0limit"
"""What stands for the values that each response has its own of. No field has a NUL."""

_NOT_IN_A_LINE: Final = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")


class Hits:
    """A shortcut (`kernel.process.shortcut`) for the responses in the cache.

    It has the effects that the layers have on a hit: it counts the address's requests, the metrics
    and the cache's, writes the log line, and adds the same fields. A request that any layer would
    refuse or change has no shortcut, nor has one while the process drains.
    """

    def __init__(
        self,
        cache: ResponseCache,
        limit: AddressLimit,
        telemetry: Telemetry,
        lifecycle: Lifecycle,
        always: Sequence[Field],
    ) -> None:
        """`always` are the fields that every response of this process has."""
        self._cache = cache
        self._limit = limit
        self._telemetry = telemetry
        self._lifecycle = lifecycle
        self._always = always
        self._log = RequestLog(logging.getLogger("board.request"))

    def __call__(
        self,
        target: bytes,
        fields: Sequence[Field],
        client: tuple[str, int] | None,
        server_lines: bytes,
    ) -> bytes | None:
        started = time.perf_counter()
        raw_path, _, query = target.partition(b"?")
        if self._lifecycle.draining or client is None or not target.isascii():
            return None
        if b"%" in raw_path or b"#" in raw_path:
            return None  # not the path that it would be looked up by
        path = raw_path.decode()
        entry = self._cache.find((path, query))
        if entry is None:
            return None
        counted = is_counted(path)
        if_none_match = accept_encoding = forwarded = b""
        request_id: str | None = None
        trace_id: str | None = None
        for name, value in fields:
            if name not in _READ:
                continue
            if name == b"accept-encoding":
                accept_encoding = accept_encoding + b"," + value if accept_encoding else value
            elif name == b"if-none-match":
                if_none_match = if_none_match + b"," + value if if_none_match else value
            elif name == b"x-forwarded-for":
                forwarded = value
            elif name == b"x-request-id":
                request_id = request_id or value.decode("latin-1")
            elif name == b"x-amzn-trace-id":
                trace_id = trace_id or value.decode("latin-1")
            elif name == b"sec-fetch-dest":
                if value not in {b"document", b"empty"}:
                    return None
            elif name == b"sec-fetch-site":
                if value.decode("latin-1") not in OWN_SITE:
                    return None
            else:  # it may have a body
                return None
        chosen = self._cache.choose(entry, if_none_match, accept_encoding)
        if chosen is None:
            return None
        variant, status = chosen
        wire = variant.wire.get(status) or self._serialize(variant, status, counted=counted)
        if wire is None:
            return None
        state: bytes | None = b""
        if counted:
            last = forwarded.rpartition(b",")[2]
            state, _ = self._limit.take(self._limit.addresses.resolve(client[0], last))
        if state is None:
            return None
        self._cache.count_hit()
        used_id = accept_request_id(request_id)
        start, before_id, before_limit, end = wire
        parts = (
            start, server_lines, before_id, used_id.encode(), before_limit, state, end,
            variant.body if status == 200 else b"",
        )  # fmt: skip
        seconds = time.perf_counter() - started
        self._telemetry.count(getattr(entry.route, "path", "unknown"), "GET", status, seconds)
        line = f"GET {redact(path)} {status} {seconds * 1000:.1f} ms"
        self._log.info(line, used_id, accept_trace_id(trace_id))
        return b"".join(parts)

    def _serialize(
        self, variant: Variant, status: int, *, counted: bool
    ) -> tuple[bytes, bytes, bytes, bytes] | None:
        """The status line and the head around the values that change; None if the head cannot be
        sent, as the server would decide as well. Only a `counted` response has a limit's fields."""
        fields = complete(
            variant.fields if status == 200 else variant.fields_of_304,
            [(b"x-request-id", _ID), *self._always],
            [(b"ratelimit-policy", self._limit.policy_field), (b"ratelimit", _LIMIT)]
            if counted
            else [],
        )
        values = [value for _, value in fields if value not in {_ID, _LIMIT}]
        if any(_NOT_IN_A_LINE.search(value) for value in values):
            return None
        head = b"".join(b"%b: %b\r\n" % field for field in fields) + b"\r\n"
        before_id, _, rest = head.partition(_ID)
        before_limit, _, end = rest.partition(_LIMIT)
        start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        wire = variant.wire[status] = start, before_id, before_limit, end
        return wire
