"""A fast wrong response fails a measurement: its status, its size, and what servers counted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bench.board import Board, Sample, Server, counted_errors, logged_errors
from bench.sections.original import check_json
from bench.sections.reads import check_size, response_size
from bench.tools import h2load, wrk
from bench.tools.wrk import LoadRun
from kernel.process.telemetry import Telemetry

WRK = "counted 1000 250000\nRequests/sec:   500.00\n"
H2LOAD = (
    "finished in 2.00s, 500.00 req/s, 1.00MB/s\n"
    "status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx\n"
    "traffic: 244.14KB (250000) total, 1.00KB (1000) headers\n"
)


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[str]:
    """The URL of a server that answers every request with this body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_wrk_counts_requests_and_their_bytes() -> None:
    assert wrk.read(WRK, 0.5, "url") == LoadRun(500.0, 0.0005, 1000, 250.0)


@pytest.mark.parametrize(
    "output",
    [
        WRK + "  Non-2xx or 3xx responses: 3\n",
        WRK + "  Socket errors: connect 0, read 1, write 0, timeout 0\n",
        WRK.replace("1000", "0"),
        "Requests/sec:   500.00\n",
        "",
    ],
)
def test_failed_requests_of_wrk_are_errors(output: str) -> None:
    with pytest.raises(RuntimeError):
        wrk.read(output, 0.5, "url")


@pytest.mark.parametrize("duration", ["717.74ms", "950us"])
def test_h2load_counts_requests_and_their_bytes(duration: str) -> None:
    counted = LoadRun(500.0, 0.0005, 1000, 250.0)
    assert h2load.read(H2LOAD, 0.5, "uris") == counted
    assert h2load.read(H2LOAD.replace("2.00s", duration), 0.5, "uris") == counted


@pytest.mark.parametrize(
    "output",
    [
        H2LOAD.replace("0 5xx", "1 5xx"),
        H2LOAD.replace("0 4xx", "1 4xx"),
        H2LOAD.replace("1000 2xx", "0 2xx"),
        "",
    ],
)
def test_failed_requests_of_h2load_are_errors(output: str) -> None:
    with pytest.raises(RuntimeError):
        h2load.read(output, 0.5, "uris")


def test_responses_of_another_size_are_wrong() -> None:
    check_size(LoadRun(1, 1, 1, 1010.0), 1000, "url")
    for size in (900.0, 1100.0):
        with pytest.raises(RuntimeError, match="wrong responses"):
            check_size(LoadRun(1, 1, 1, size), 1000, "url")


def test_size_of_a_response_is_that_of_its_head_and_body() -> None:
    with answering(b"x" * 100) as short, answering(b"x" * 1100) as long:
        assert response_size(long) - response_size(short) == 1000 + len("1100") - len("100")


def test_error_has_no_size() -> None:
    with answering(b"busy", 503) as url, pytest.raises(RuntimeError, match="503"):
        response_size(url)


@pytest.mark.parametrize(("body", "status"), [(b"[]", 200), (b"<html>", 200), (b"[1]", 500)])
def test_original_must_send_content_as_json(body: bytes, status: int) -> None:
    with answering(b'[{"id": 1}]') as url:
        check_json(url)
    with answering(body, status) as url, pytest.raises(RuntimeError):
        check_json(url)


def test_errors_that_a_server_counted_are_found() -> None:
    telemetry = Telemetry("posts")
    for status in (200, 404, 503, 503):
        telemetry.count("/api/posts/{id}", "GET", status, 0.01)
    found = counted_errors(samples(generate_latest(telemetry.registry).decode()))
    assert found == {"GET /api/posts/{id} with 503": 2}


def test_errors_that_the_gateway_counted_are_found() -> None:
    text = (
        "# TYPE HTTPCode_ELB_5XX_Count counter\n"
        'HTTPCode_ELB_5XX_Count{LoadBalancer="a"} 2\n'
        "# TYPE HTTPCode_Target_2XX_Count counter\n"
        'HTTPCode_Target_2XX_Count{LoadBalancer="a"} 9\n'
    )
    assert counted_errors(samples(text)) == {"HTTPCode_ELB_5XX_Count": 2}


def test_errors_in_a_log_are_found(tmp_path: Path) -> None:
    log = tmp_path / "log"
    line = '{{"time": "now", "level": "{}", "message": "{}"}}\n'
    log.write_text(line.format("info", "GET / 200") + line.format("warning", "slow"))
    assert not logged_errors(log)
    log.write_text(log.read_text() + 2 * line.format("error", "lost"))
    assert logged_errors(log) == {"logged 'lost'": 2}


def test_only_errors_since_a_moment_count() -> None:
    text = "# TYPE HTTPCode_ELB_5XX_Count counter\nHTTPCode_ELB_5XX_Count 2\n"
    with answering(text.encode()) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        board = Board({}, Server("gateway", 1, port, port, None), port)
        assert board.errors() == ["gateway: HTTPCode_ELB_5XX_Count, 2 times"]
        assert board.errors(board.error_counts()) == []


def samples(text: str) -> list[Sample]:
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
