"""Exports the spans of a process as OTLP over HTTP, in JSON.

The format: https://opentelemetry.io/docs/specs/otlp/#otlphttp. The SDK's exporter would bring
Protobuf and a second HTTP client into every image; collectors accept both encodings.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpx
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from kernel.errors import Unavailable
from kernel.process.outage_log import OutageLog
from kernel.process.spans.tracer import Tracing, install

log = logging.getLogger("board.spans")

QUEUE: Final = 2_048
"""Spans that wait for the collector at most; the oldest are dropped."""

_BATCH: Final = 512
_DELAY_MS: Final = 1_000
_TIMEOUT: Final = 2.0
_LAST_SECONDS: Final = 2.0
"""How long the end of a process waits for the collector at most."""

_wanted_trace_id: ContextVar[int | None] = ContextVar("wanted_trace_id", default=None)


@contextmanager
def exporting(
    process: str, instance: str, endpoint: str, headers: Mapping[str, str], ratio: float
) -> Iterator[None]:
    """Record spans of the share `ratio` of all traces, and send them to the collector at `endpoint`
    until the block ends. Without the collector the board goes on, and its spans are lost."""
    # One line says that the collector is down; the SDK would add one for each batch.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create(
        {
            "service.namespace": "board",
            "service.name": process,
            "service.instance.id": instance,
        }
    )
    exporter = OtlpJson(endpoint, headers)
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=resource,
        id_generator=_Ids(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE,
            max_export_batch_size=_BATCH,
            schedule_delay_millis=_DELAY_MS,
        )
    )
    install(Tracing(provider.get_tracer("board"), ratio))
    try:
        yield
    finally:
        install(None)
        exporter.hurry()
        provider.shutdown()


@contextmanager
def trace_id_of_the_next_root(trace: int | None) -> Iterator[None]:
    """Within the block, a span without a parent gets this trace id. OpenTelemetry knows no trace id
    without a parent, but a load balancer sends one and exports no span."""
    token = _wanted_trace_id.set(trace)
    try:
        yield
    finally:
        _wanted_trace_id.reset(token)


class Ratio:
    """Whether a trace is recorded, which each process decides in the same way."""

    def __init__(self, ratio: float) -> None:
        self._bound = TraceIdRatioBased.get_bound_for_rate(ratio)

    def includes(self, trace: int) -> bool:
        """Whether this trace is recorded."""
        return trace & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound


class _Ids(RandomIdGenerator):
    def generate_trace_id(self) -> int:
        return _wanted_trace_id.get() or super().generate_trace_id()


class OtlpJson(SpanExporter):
    """Sends batches of spans, in the thread of the SDK. A batch that cannot be sent is dropped."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """`endpoint` is the collector's URL, without `/v1/traces`."""
        # Proxies in the environment are for the internet.
        self._client = httpx.Client(timeout=_TIMEOUT, trust_env=False, headers=dict(headers))
        self._url = f"{endpoint}/v1/traces"
        self._outage = OutageLog(log, "exporting spans")
        self._until: float | None = None

    def hurry(self) -> None:
        """The process ends: drop what cannot be sent within two seconds."""
        self._until = time.monotonic() + _LAST_SECONDS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch."""
        if self._until is not None and time.monotonic() > self._until:
            return SpanExportResult.FAILURE
        content = encode(spans)
        try:
            response = self._client.post(
                self._url, content=content, headers={"Content-Type": "application/json"}
            )
            response.raise_for_status()
        except httpx.HTTPError as error:
            down = Unavailable("The collector does not accept them; they are dropped.")
            down.__cause__ = error
            self._outage.failed(down)
            if self._until is not None:
                self._until = 0
            return SpanExportResult.FAILURE
        self._outage.succeeded()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        self._client.close()


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """An OTLP `ExportTraceServiceRequest` with the spans of one process."""
    resource = {"attributes": _attributes(spans[0].resource.attributes)}
    scope = {"scope": {"name": "board"}, "spans": [_span(span) for span in spans]}
    request = {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
    return json.dumps(request, separators=(",", ":")).encode()


def _span(span: ReadableSpan) -> dict[str, Any]:
    encoded: dict[str, Any] = {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        "name": span.name,
        "kind": span.kind.value + 1,  # in OTLP, 0 is "unspecified"
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }
    if span.parent is not None:
        encoded["parentSpanId"] = f"{span.parent.span_id:016x}"
    return encoded


def _attributes(attributes: Mapping[str, object]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}
