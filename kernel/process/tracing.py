"""Ids that connect the log lines, responses and calls of one request."""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

MAX_CALLS: Final = 16
"""How many calls to other services one request records at most."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_TRACE_ID = 256  # Root, Parent, Sampled and Lineage together have about 150


@dataclass(frozen=True, slots=True)
class InnerCall:
    """A call to another service. `callee` is the process that answered, such as `users/users-1`, or
    the service's name if none did; `status` is 0 then. The path has no query."""

    callee: str
    method: str
    path: str
    status: int
    seconds: float


@dataclass(slots=True)
class Trace:
    """`request_id` is new or the caller's; `trace_id` is the load balancer's `X-Amzn-Trace-Id`.
    `calls` are the calls to other services so far, or None if they are not recorded. `user` is the
    id of the user who sent the request, once it is known."""

    request_id: str
    trace_id: str | None
    calls: list[InnerCall] | None = None
    user: int | None = None

    def record(self, call: InnerCall) -> None:
        """Record a call, if calls are recorded and there are fewer than `MAX_CALLS`."""
        if self.calls is not None and len(self.calls) < MAX_CALLS:
            self.calls.append(call)

    def headers(self) -> dict[str, str]:
        """The header fields that connect a call to another service with this request."""
        headers = {"X-Request-ID": self.request_id}
        if self.trace_id is not None:
            headers["X-Amzn-Trace-Id"] = self.trace_id
        return headers


current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)
"""The request being served, or None outside of one."""


def identify(user: int) -> None:
    """The request being served, if any, is one of the user with this id."""
    trace = current_trace.get()
    if trace is not None:
        trace.user = user


def begin(
    request_id: str | None, trace_id: str | None, calls: list[InnerCall] | None = None
) -> Trace:
    """The trace of a request with these header fields."""
    return Trace(accept_request_id(request_id), accept_trace_id(trace_id), calls)


def accept_request_id(sent: str | None) -> str:
    """The id that a request was sent with, or a new one if it is not 1 to 64 characters of
    `[A-Za-z0-9_-]`, so that it can be logged without escaping."""
    if sent is not None and _REQUEST_ID.fullmatch(sent):
        return sent
    return secrets.token_hex(8)


def accept_trace_id(sent: str | None) -> str | None:
    """The trace id that a request was sent with, unless it is long: every log line and every call
    to another service would have it."""
    return sent if sent is None or len(sent) <= _LONGEST_TRACE_ID else None
