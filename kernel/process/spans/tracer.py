"""The process's tracer, which exists only where spans are exported.

Without it nothing is wrapped and OpenTelemetry, which takes 80 ms to import, is not imported.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanKind, Tracer


@dataclass(frozen=True, slots=True)
class Tracing:
    """The tracer of a process, and the share of traces that it records, from 0 to 1."""

    tracer: "Tracer"
    ratio: float


class _Process:
    """One for each process, like the handlers of the logging module."""

    tracing: Tracing | None = None


def install(tracing: Tracing | None) -> None:
    """Use this tracer from now on. Call it only at the start and at the end of a process."""
    _Process.tracing = tracing


def installed() -> Tracing | None:
    """The process's tracer, or None if spans are not exported."""
    return _Process.tracing


def span(name: str) -> AbstractContextManager[object]:
    """A span for a piece of work; does nothing if spans are not exported. The name must not have
    ids or texts of users."""
    tracing = _Process.tracing
    return nullcontext() if tracing is None else measured(tracing.tracer, name)


@contextmanager
def measured(tracer: "Tracer", name: str, kind: "SpanKind | None" = None) -> Iterator["Span"]:
    """A span that becomes the current one. An exception marks it as failed, with its type only: a
    message may quote what a user has written."""
    from opentelemetry.trace import SpanKind, Status, StatusCode

    with tracer.start_as_current_span(
        name,
        kind=kind or SpanKind.INTERNAL,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(Status(StatusCode.ERROR))
            raise


def current_ids() -> tuple[str, str] | None:
    """The ids of the current trace and span, in hexadecimal; None outside of a span."""
    if _Process.tracing is None:
        return None
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return format_trace_id(context.trace_id), format_span_id(context.span_id)
