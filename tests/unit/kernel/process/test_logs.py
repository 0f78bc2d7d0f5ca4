"""Log lines are complete, cannot be forged, and are JSON where machines read them."""

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from kernel.process import logs
from kernel.process.tracing import Trace, begin, current_trace
from tests.eventually import eventually_blocking


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, restored afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_text_from_a_request_cannot_forge_a_log_line(root: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure("text", stream)
    root.info("%s", "GET /x\r\nDELETE /everything 204")
    assert stream.getvalue() == "GET /x\\r\\nDELETE /everything 204\n"


def test_a_line_of_text_ends_with_its_request(root: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure("text", stream)
    restore = current_trace.set(Trace("request-1", None))
    root.warning("slow")
    current_trace.reset(restore)
    assert stream.getvalue() == "WARNING slow  request-1\n"


def test_a_json_line_is_one_object_with_its_request_and_trace(root: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure("json", stream)
    restore = current_trace.set(Trace("request-1", "Root=1-2-3"))
    root.error("it broke\nbadly: \ud800", exc_info=ValueError("a\nb"))
    current_trace.reset(restore)
    (line,) = stream.getvalue().splitlines()
    read = json.loads(line)
    assert read["level"] == "error"
    assert read["message"] == "it broke\nbadly: \ud800"
    assert (read["requestId"], read["traceId"]) == ("request-1", "Root=1-2-3")
    assert "ValueError: a\nb" in read["exception"]


def test_lines_of_a_batch_are_written_in_order_before_the_block_ends(root: logging.Logger) -> None:
    stream = io.StringIO()
    with logs.batched("text", stream):
        for number in range(100):
            root.info("line %d", number)
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(100)]


def test_a_warning_is_written_without_waiting_for_a_batch(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "BATCH_SECONDS", 3600.0)
    stream = io.StringIO()
    with logs.batched("text", stream):
        root.info("before")
        root.warning("urgent")
        eventually_blocking(lambda: stream.getvalue() == "before\nWARNING urgent\n", within=10)


class _Stuck(io.StringIO):
    """A stream whose reader reads nothing until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.released = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        self.released.wait(30)
        return super().write(text)


def test_unread_lines_are_dropped_and_counted(root: logging.Logger) -> None:
    stream = _Stuck()
    handler = logs.BatchingHandler(stream, most_waiting=30)
    root.addHandler(handler)
    root.warning("first")
    assert stream.entered.wait(10)
    for _ in range(5):
        root.warning("0123456789")
    stream.released.set()
    handler.close()
    assert stream.getvalue() == "first\n0123456789\n0123456789\n3 log lines dropped\n"


@pytest.mark.parametrize("sent", ["a", "A-b_9", "x" * 64])
def test_request_id_of_the_caller_is_used(sent: str) -> None:
    assert begin(sent, None).request_id == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 65, "a b", "a\nb", "é", "a;b"])
def test_invalid_request_id_is_replaced_in_the_log(sent: str | None) -> None:
    first, second = begin(sent, None).request_id, begin(sent, None).request_id
    assert first != second
    assert begin(first, None).request_id == first


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/api/threads/7", "/api/threads/7"),
        (f"/api/users/password-resets/{'A-z_09' * 6}", "/api/users/password-resets/***"),
        (f"/{'a' * 31}/{'a' * 32}/b", f"/{'a' * 31}/***/b"),
        (f"/static/board.{'a' * 40}.js", f"/static/board.{'a' * 40}.js"),
        ("/a" * 150, "/a" * 150),
        ("/a" * 5_000, f"{'/a' * 150}…"),
    ],
)
def test_path_is_logged_without_what_looks_like_a_secret(path: str, logged: str) -> None:
    assert logs.redact(path) == logged
