"""What an OpenTelemetry collector receives of a running board."""

import secrets
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.deployments import Run
from tests.eventually import eventually
from tests.otlp import Collector, Span
from tests.people import PASSWORD, Person, joining

SERVER, CLIENT = 2, 3


@pytest_asyncio.fixture
async def person(services_run: Run) -> AsyncIterator[Person]:
    """A new user of the services."""
    async with joining(services_run.board) as joined:
        yield joined


def new_root() -> tuple[str, str]:
    """A Root of X-Amzn-Trace-Id, and the trace's id in spans."""
    began, unique = f"{int(time.time()):08x}", secrets.token_hex(12)
    return f"Root=1-{began}-{unique}", began + unique


async def whole(collector: Collector, trace: str) -> list[Span]:
    """The spans of a trace, once all parents and the answers to all calls are here."""

    async def ended() -> list[Span]:
        spans = collector.trace(trace)
        ids = {span.id for span in spans}
        complete = any(span.parent is None for span in spans) and all(
            span.parent is None or span.parent in ids for span in spans
        )
        calls = {span.id for span in spans if "url.template" in span.attributes}
        answered = calls <= {span.parent for span in spans}
        return spans if complete and answered else []

    return await eventually(ended, what=f"every parent in trace {trace}")


async def test_request_over_gateway_and_services_is_one_trace(
    person: Person, collector: Collector
) -> None:
    thread = (await person.start_thread())["id"]
    root, trace = new_root()
    body = {"thread": thread, "text": "traced"}
    sent = await person.http.post("/api/posts", json=body, headers={"X-Amzn-Trace-Id": root})
    assert sent.status_code == 201

    async def complete() -> list[Span]:
        spans = await whole(collector, trace)
        servers = {span.service for span in spans if span.kind == SERVER}
        return spans if servers == {"posts", "users", "threads"} else []

    spans = await eventually(complete, what="the spans of three services")
    by_id = {span.id: span for span in spans}
    [first] = [span for span in spans if span.parent is None]
    assert (first.service, first.name, first.kind) == ("posts", "POST /api/posts", SERVER)
    assert first.attributes["http.response.status_code"] == 201
    for span in spans:
        if span.parent is not None:
            parent = by_id[span.parent]
            assert parent.began <= span.began
            # A call crosses from one process to another; all else stays in its process.
            assert (span.service != parent.service) == (span.kind == SERVER)
    called = {
        (by_id[span.parent or ""].name, span.service, span.name)
        for span in spans
        if span.kind == SERVER and span is not first
    }
    assert called == {
        ("POST /internal/users/authenticate", "users", "POST /internal/users/authenticate"),
        ("GET /internal/threads/{id}", "threads", "GET /internal/threads/{id}"),
    }
    statements = [span for span in spans if "db.query.text" in span.attributes]
    assert {span.attributes["db.namespace"] for span in statements} >= {"posts", "threads"}
    assert "render" in {span.name for span in spans}


async def test_page_over_gateway_and_services_is_one_trace(
    person: Person, collector: Collector
) -> None:
    thread = (await person.start_thread())["id"]
    await person.write(thread)
    root, trace = new_root()
    fields = {"X-Amzn-Trace-Id": root, "Accept": "text/html"}
    shown = await person.http.get(f"/threads/{thread}", headers=fields)
    assert shown.status_code == 200

    async def complete() -> list[Span]:
        spans = await whole(collector, trace)
        answered = {span.service for span in spans if span.kind == SERVER}
        return spans if {"web", "threads", "posts"} <= answered else []

    spans = await eventually(complete, what="the spans of the page and its sources")
    by_id = {span.id: span for span in spans}
    [page] = [span for span in spans if span.parent is None]
    assert (page.service, page.kind) == ("web", SERVER)
    assert str(thread) not in page.name
    calls = {span.id for span in spans if span.parent == page.id and span.kind == CLIENT}
    answers = [span for span in spans if span.kind == SERVER and span is not page]
    assert {span.parent for span in answers if by_id[span.parent or ""].service == "web"} == calls
    assert any("db.query.text" in span.attributes for span in spans)


async def test_traceparent_of_the_caller_is_continued(person: Person, collector: Collector) -> None:
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    fields = {"traceparent": f"00-{trace}-{parent}-01"}
    await person.http.get("/api/users/me", headers=fields)

    async def received() -> list[Span]:
        return [span for span in collector.trace(trace) if span.kind == SERVER]

    [span] = await eventually(received)
    assert (span.parent, span.name) == (parent, "GET /api/users/me")


async def test_background_work_is_a_trace_of_its_own(person: Person, collector: Collector) -> None:
    thread = (await person.start_thread())["id"]
    await person.write(thread)

    async def delivered() -> list[Span]:
        return next(
            (
                spans
                for spans in map(list, list(collector.traces.values()))
                if {"deliver activity", "PUT /internal/threads/activity"}
                <= {span.name for span in spans}
                and any(span.service == "threads" for span in spans)
            ),
            [],
        )

    spans = await eventually(delivered)
    assert [span.name for span in spans if span.parent is None] == ["deliver activity"]


async def test_health_checks_and_polling_have_no_spans(
    person: Person, collector: Collector
) -> None:
    await person.http.get("/api/users/me")

    async def received() -> bool:
        return collector.batches > 0

    await eventually(received)
    spans = [span for trace in list(collector.traces.values()) for span in list(trace)]
    assert not [span for span in spans if span.name.endswith(("/livez", "/readyz", "/metrics"))]
    assert not [span for span in spans if span.name.endswith("/internal/threads/removed")]
    assert not [span for span in spans if span.parent is None and span.kind == CLIENT]


@pytest.mark.last
async def test_no_secret_of_any_test_is_in_the_spans(
    services_run: Run, person: Person, collector: Collector
) -> None:
    root, trace = new_root()
    await person.http.get("/api/users/me", headers={"X-Amzn-Trace-Id": root})
    await whole(collector, trace)
    text = "\n".join(collector.text)
    assert trace in text
    assert services_run.board.secrets.found_in(f"{PASSWORD} {person.token}")
    assert services_run.board.secrets.found_in(text) == set()
    assert person.username not in text
