"""Log lines: one JSON object each where machines read them, plain text where people do."""

import json
import logging
import re
import sys
from typing import Literal, TextIO

from kernel.process.clock import utc_now
from kernel.process.tracing import current_trace

LogFormat = Literal["json", "text"]


_SECRET = re.compile(r"[A-Za-z0-9_-]{32,}")


def redact(path: str) -> str:
    """The path without what looks like a secret: a segment of 32 characters or more of those that
    tokens are made of."""
    if len(path) <= 32:
        return path
    return "/".join("***" if _SECRET.fullmatch(part) else part for part in path.split("/"))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": f"{utc_now():%Y-%m-%dT%H:%M:%S.%f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = current_trace.get()
        if trace is not None:
            line["requestId"] = trace.request_id
            if trace.trace_id is not None:
                line["traceId"] = trace.trace_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # A line break that came in with a request must not look like a line of ours.
        text = super().format(record)
        if record.exc_info is None:
            text = text.replace("\r", "\\r").replace("\n", "\\n")
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname} "
        trace = current_trace.get()
        return f"{mark}{text}" + (f"  {trace.request_id}" if trace is not None else "")


def configure(log_format: LogFormat, stream: TextIO = sys.stdout) -> None:
    """Send every logger of this process to `stream`. For a process's start only."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # These tell of every single call and of every start in their own words.
    for chatty in ("httpx", "httpcore", "uvicorn.error", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
