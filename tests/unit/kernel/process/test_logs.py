"""Log lines: whole, honest, and readable by machines where machines read them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from kernel.process import logs
from kernel.process.tracing import Trace, begin, current_trace


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_what_came_with_a_request_cannot_forge_a_line(root: logging.Logger) -> None:
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


@pytest.mark.parametrize("sent", ["a", "A-b_9", "x" * 64])
def test_a_request_id_is_taken_over(sent: str) -> None:
    assert begin(sent, None).request_id == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 65, "a b", "a\nb", "é", "a;b"])
def test_a_request_id_that_is_none_is_replaced(sent: str | None) -> None:
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
    ],
)
def test_path_is_logged_without_what_looks_like_a_secret(path: str, logged: str) -> None:
    assert logs.redact(path) == logged
