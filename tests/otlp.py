"""An OpenTelemetry collector that keeps what it receives: OTLP over HTTP, in JSON."""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MOST_TRACES = 2_000

_VALUES = {"stringValue": str, "intValue": int, "doubleValue": float, "boolValue": bool}


@dataclass(frozen=True)
class Span:
    """One span, with the attributes of its process in `process`."""

    trace: str
    id: str
    parent: str | None
    name: str
    kind: int
    status: int
    began: int
    ended: int
    attributes: Mapping[str, Any]
    process: Mapping[str, Any]

    @property
    def service(self) -> str:
        """The name of the process that recorded it."""
        return str(self.process["service.name"])


@dataclass
class Collector:
    """The newest traces by id, and the text of everything received, `status` is its answer."""

    url: str = ""
    status: int = 200
    batches: int = 0
    traces: OrderedDict[str, list[Span]] = field(default_factory=OrderedDict)
    text: list[str] = field(default_factory=list)

    def trace(self, trace: str) -> list[Span]:
        """The spans of a trace so far."""
        return list(self.traces.get(trace, ()))

    def add(self, content: bytes) -> None:
        """Receive one batch."""
        self.batches += 1
        self.text.append(content.decode())
        for resource in json.loads(content)["resourceSpans"]:
            process = _attributes(resource["resource"]["attributes"])
            for scope in resource["scopeSpans"]:
                for encoded in scope["spans"]:
                    span = _span(encoded, process)
                    self.traces.setdefault(span.trace, []).append(span)
        while len(self.traces) > _MOST_TRACES:
            self.traces.popitem(last=False)


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    """A running collector."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            accepted = self.path == "/v1/traces" and (
                self.headers["Content-Type"] == "application/json"
            )
            status = collector.status if accepted else 404
            if status == 200:
                collector.add(content)
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def _span(encoded: Mapping[str, Any], process: Mapping[str, Any]) -> Span:
    return Span(
        encoded["traceId"],
        encoded["spanId"],
        encoded.get("parentSpanId"),
        encoded["name"],
        encoded["kind"],
        encoded["status"]["code"],
        int(encoded["startTimeUnixNano"]),
        int(encoded["endTimeUnixNano"]),
        _attributes(encoded["attributes"]),
        process,
    )


def _attributes(encoded: list[Any]) -> Mapping[str, Any]:
    found = {}
    for each in encoded:
        [(kind, value)] = each["value"].items()
        found[each["key"]] = _VALUES[kind](value)
    return found
