"""A span for each SQL statement of a request or a piece of background work."""

import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from asyncpg import Connection, Record
from asyncpg.connection import LoggedQuery
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_current_span

_LONGEST: Final = 2_000
"""Characters of a statement that a span has."""


def follow_with(tracer: Tracer) -> "Callable[[Connection[Record]], Coroutine[Any, Any, None]]":
    """What a pool does with each new connection, so that its statements have spans."""
    return partial(_follow, tracer)


async def _follow(tracer: Tracer, connection: "Connection[Record]") -> None:
    connection.add_query_logger(partial(_record, tracer))


def _record(tracer: Tracer, query: LoggedQuery) -> None:
    """Record a statement that has ended. Its text has no values: they are sent as parameters, which
    the span does not have. Statements outside of a span, which poll for work, are left out."""
    if not get_current_span().is_recording():
        return
    ended = time.time_ns()
    text = " ".join(query.query.split())
    keyword = text.partition(" ")[0].upper().rstrip(";")
    database = query.conn_params.database
    span = tracer.start_span(
        f"{keyword} {database}",
        kind=SpanKind.CLIENT,
        start_time=ended - int(query.elapsed * 1e9),
        attributes={
            "db.system.name": "postgresql",
            "db.namespace": database,
            "db.query.text": text[:_LONGEST],
        },
    )
    if query.exception is not None:
        span.set_attribute("error.type", type(query.exception).__name__)
        span.set_status(Status(StatusCode.ERROR))
    span.end(ended)
