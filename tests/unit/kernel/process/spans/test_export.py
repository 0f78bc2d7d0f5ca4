"""What a process sends to a collector, and what it does without one."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.process.spans.calls import CallSpans
from kernel.process.spans.export import QUEUE, exporting
from kernel.process.spans.requests import RequestSpans
from kernel.process.spans.tracer import Tracing, current_ids, installed, measured, span
from tests.otlp import Collector, Span, collecting

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    with collecting() as running:
        yield running


@contextmanager
def tracing(url: str, ratio: float = 1) -> Iterator[Tracing]:
    """A process that exports its spans; all have been sent when the block has ended."""
    with exporting("posts", "posts-1", url, {"Authorization": "Bearer k"}, ratio):
        found = installed()
        assert found is not None
        yield found


def received(collector: Collector) -> list[Span]:
    """All spans."""
    return [each for spans in collector.traces.values() for each in spans]


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with what its log lines would say about the span."""
    await JSONResponse(current_ids())(scope, receive, send)


async def get(app: ASGIApp, path: str, **fields: str) -> httpx.Response:
    """The answer to a GET request."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return await client.get(path, headers=headers)


def test_nothing_is_recorded_without_a_collector() -> None:
    assert installed() is None
    with span("work"):
        assert current_ids() is None


def test_failed_work_is_marked_without_the_message(collector: Collector) -> None:
    with (
        tracing(collector.url) as on,
        pytest.raises(ValueError, match="secret"),
        measured(on.tracer, "work"),
    ):
        raise ValueError("a secret")
    [work] = received(collector)
    assert (work.name, work.status, work.attributes["error.type"]) == ("work", 2, "ValueError")
    assert work.process["service.name"] == "posts"
    assert work.process["service.instance.id"] == "posts-1"
    assert "secret" not in "".join(collector.text)


async def test_span_ids_are_known_to_log_lines(collector: Collector) -> None:
    with tracing(collector.url) as on:
        app = RequestSpans(answer, on, ["/livez"])
        shown = (await get(app, "/x", x_amzn_trace_id=f"Root=1-{TRACE[:8]}-{TRACE[8:]}")).json()
        assert (await get(app, "/livez")).json() is None
        assert (await get(app, "/livez/")).json() is None
    [request] = received(collector)
    assert shown == [request.trace, request.id] == [TRACE, request.id]
    assert request.parent is None


@pytest.mark.parametrize(
    ("path", "flag", "ratio", "recorded"),
    [
        ("/api/posts", "01", 0, False),
        ("/api/posts", "00", 1, True),
        ("/internal/threads/7", "01", 0, True),
        ("/internal/threads/7", "00", 1, False),
    ],
)
async def test_only_other_services_decide_what_is_recorded(
    path: str, flag: str, ratio: float, recorded: bool, collector: Collector
) -> None:
    with tracing(collector.url, ratio) as on:
        app = RequestSpans(answer, on, [])
        await get(app, path, traceparent=f"00-{TRACE}-{PARENT}-{flag}")
    assert bool(received(collector)) is recorded


@pytest.mark.parametrize("ratio", [0, 0.5, 1])
async def test_every_process_records_the_same_share_of_traces(
    ratio: float, collector: Collector
) -> None:
    with tracing(collector.url, ratio) as on:
        app = RequestSpans(answer, on, [])
        for number in range(100):
            unique = f"{number + 1:08x}{number * 2**64 // 100:016x}"
            with_root = {"x_amzn_trace_id": f"Root=1-00000001-{unique}"}
            with_parent = {"traceparent": f"00-00000001{unique}-{PARENT}-01"}
            await get(app, "/api/posts", **with_root)
            await get(app, "/api/posts", **with_parent)
    assert abs(len(collector.traces) - 100 * ratio) <= 1
    assert {len(spans) for spans in collector.traces.values()} <= {2}


async def test_call_outside_of_a_recorded_trace_asks_for_no_spans(collector: Collector) -> None:
    sent = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["traceparent"])
        return httpx.Response(204)

    async def call(on: Tracing) -> None:
        transport = CallSpans(httpx.MockTransport(respond), on.tracer)
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get("http://users/internal/users")
            with measured(on.tracer, "work"):
                await client.get("http://users/internal/users/7/ban")

    for ratio in (0, 1):
        with tracing(collector.url, ratio) as on:
            await call(on)
    assert [value[-2:] for value in sent] == ["00", "00", "00", "01"]
    assert len({value[:-2] for value in sent}) == 4
    assert {each.name for each in received(collector)} == {"work", "GET /internal/users/{id}/ban"}


def test_collector_that_is_down_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "board.spans")
    with collecting() as stopped:
        pass
    with tracing(stopped.url) as on:
        for _ in range(3 * QUEUE):
            with measured(on.tracer, "work"):
                pass
    assert [record.getMessage()[:22] for record in caplog.records] == ["exporting spans waits:"]


def test_spans_go_on_after_an_outage(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "board.spans")
    collector.status = 503
    with tracing(collector.url) as on:
        on.tracer.start_span("lost").end()
        flush(on)
        collector.status = 200
        on.tracer.start_span("kept").end()
    assert [each.name for each in received(collector)] == ["kept"]
    begun, over = [record.getMessage() for record in caplog.records]
    assert begun.startswith("exporting spans waits: The collector does not accept them")
    assert over == "exporting spans goes on"


def flush(on: Tracing) -> None:
    """Send what waits."""
    from opentelemetry.sdk.trace import Tracer as SdkTracer

    assert isinstance(on.tracer, SdkTracer)
    on.tracer.span_processor.force_flush()


def test_hanging_collector_delays_no_work() -> None:
    """More spans than the queue has room for are recorded while the collector does not answer."""
    asked, answer_now = threading.Event(), threading.Event()
    with collecting() as collector:
        original = collector.add

        def hang(content: bytes) -> None:
            asked.set()
            answer_now.wait(30)
            original(content)

        collector.add = hang  # type: ignore[method-assign] # the collector of this test
        with tracing(collector.url) as on:
            for number in range(2 * QUEUE):
                on.tracer.start_span(f"work {number}").end()
            assert asked.wait(30)
            assert not answer_now.is_set()
            answer_now.set()
        names = {each.name for each in received(collector)}
    assert len(names) < 2 * QUEUE
    assert f"work {2 * QUEUE - 1}" in names
