"""Log lines, as JSON objects for machines or as plain text for people."""

import logging
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, Literal, TextIO

from kernel.process.spans.tracer import current_ids
from kernel.process.tracing import Trace, current_trace

LogFormat = Literal["json", "text"]

BATCH_SECONDS: Final = 0.05
"""How long a line waits for others, so that they are written together."""

_MOST_WAITING: Final = 8 * 1024 * 1024


_LONGEST_PATH = 300
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,}")


def redact(path: str) -> str:
    """The path with `***` for segments that look like secrets: 32 or more of the characters that
    tokens have. Of a long path, only the first 300 characters."""
    if len(path) <= 32:
        return path
    logged = "/".join("***" if _SECRET.fullmatch(part) else part for part in path.split("/"))
    return logged if len(logged) <= _LONGEST_PATH else f"{logged[:_LONGEST_PATH]}…"


class _Json(logging.Formatter):
    """Builds the JSON as text, because each request has a line, and `json.dumps` of a dictionary
    takes three times as long."""

    def __init__(self) -> None:
        super().__init__()
        self._second = 0
        self._date_and_time = ""

    def format(self, record: logging.LogRecord) -> str:
        line = self._begin(record.created, record.levelname, record.name, record.getMessage())
        trace = current_trace.get()
        if trace is not None:
            line += self._ids(trace.request_id, trace.trace_id)
            if trace.user is not None:
                line += f', "userId": {trace.user}'
        ids = current_ids()
        if ids is not None:
            line += f', "trace_id": "{ids[0]}", "span_id": "{ids[1]}"'
        if record.exc_info:
            line += f', "exception": {quoted(self.formatException(record.exc_info))}'
        return line + "}"

    def line(self, logger: str, message: str, request_id: str, trace_id: str | None) -> str:
        """The line of a request, of the level INFO."""
        begun = self._begin(time.time(), "INFO", logger, message)
        return f"{begun}{self._ids(request_id, trace_id)}}}"

    def _begin(self, created: float, level: str, logger: str, message: str) -> str:
        second, microsecond = divmod(int(created * 1e6), 1_000_000)
        if second != self._second:
            self._date_and_time = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return (
            f'{{"time": "{self._date_and_time}.{microsecond:06}Z", '
            f'"level": "{level.lower()}", "logger": "{logger}", "message": {quoted(message)}'
        )

    @staticmethod
    def _ids(request_id: str, trace_id: str | None) -> str:
        if trace_id is None:
            return f', "requestId": "{request_id}"'
        return f', "requestId": "{request_id}", "traceId": {quoted(trace_id)}'


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # A line break from a request must not create another line.
        text = super().format(record)
        if record.exc_info is None:
            text = text.replace("\r", "\\r").replace("\n", "\\n")
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname} "
        trace = current_trace.get()
        return f"{mark}{text}" + (f"  {trace.request_id}" if trace is not None else "")

    def line(self, _logger: str, message: str, request_id: str, _trace_id: str | None) -> str:
        """The line of a request, of the level INFO."""
        message = message.replace("\r", "\\r").replace("\n", "\\n")
        return f"{message}  {request_id}"


class BatchingHandler(logging.Handler):
    """Writes lines to `stream` in batches, from a thread of its own, so that no request waits for
    the reader. A warning is written at once.

    If the reader of a pipe, or the disk, is too slow, at most 8 MiB of text are buffered. Lines
    beyond that are dropped, and a line says how many.
    """

    def __init__(self, stream: TextIO, most_waiting: int = _MOST_WAITING) -> None:
        super().__init__()
        self._stream = stream
        self._most_waiting = most_waiting
        self._waiting: list[str] = []
        self._size = 0
        self._dropped = 0
        self._closing = threading.Event()
        self._urgent = threading.Event()
        self._any = threading.Event()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Format the record, and add it to the next batch."""
        if self._append(self.format(record)) and record.levelno >= logging.WARNING:
            self._urgent.set()

    def add(self, line: str) -> None:
        """Add a formatted line to the next batch."""
        self.acquire()
        try:
            self._append(line)
        finally:
            self.release()

    def _append(self, line: str) -> bool:
        if self._size + len(line) > self._most_waiting:
            self._dropped += 1
            return False
        self._waiting.append(line)
        self._size += len(line) + 1
        if not self._any.is_set():
            self._any.set()
        return True

    def close(self) -> None:
        """Write the buffered lines, and end the thread. Waits at most 5 s for a slow reader."""
        self._closing.set()
        self._urgent.set()
        self._any.set()
        self._thread.join(5)
        super().close()

    def _take(self) -> tuple[list[str], int]:
        self.acquire()  # as `handle` does around `emit`
        try:
            self._any.clear()
            self._urgent.clear()
            lines, self._waiting, self._size = self._waiting, [], 0
            dropped, self._dropped = self._dropped, 0
        finally:
            self.release()
        return lines, dropped

    def _write(self) -> None:
        while True:
            self._any.wait()
            self._urgent.wait(BATCH_SECONDS)
            lines, dropped = self._take()
            if dropped:
                lines.append(f"{dropped} log lines dropped")
            try:
                if lines:
                    self._stream.write("\n".join([*lines, ""]))
                    self._stream.flush()
            except OSError:
                pass  # the pipe is closed or the disk is full: continue to serve
            if self._closing.is_set() and not self._waiting:
                return


class RequestLog:
    """Writes lines of one logger, of the level INFO, for requests. If all lines of the process go
    to a `BatchingHandler`, no record of the standard library's is made for them, which would take
    several times as long."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        handlers = logging.getLogger().handlers
        self._handler: BatchingHandler | None = None
        if len(handlers) == 1 and isinstance(handlers[0], BatchingHandler):
            self._handler = handlers[0]

    def info(self, message: str, request_id: str, trace_id: str | None) -> None:
        """Write a line."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        formatter = self._handler.formatter if self._handler is not None else None
        if self._handler is not None and isinstance(formatter, _Json | _Text):
            self._handler.add(formatter.line(self._logger.name, message, request_id, trace_id))
            return
        restore = current_trace.set(Trace(request_id, trace_id))
        self._logger.info("%s", message)
        current_trace.reset(restore)


def configure(log_format: LogFormat, stream: TextIO = sys.stdout) -> None:
    """Send every logger of this process to `stream`. Call it only at the start of a process."""
    _install(logging.StreamHandler(stream), log_format)


@contextmanager
def batched(log_format: LogFormat, stream: TextIO = sys.stdout) -> Iterator[None]:
    """Send every logger of this process to `stream`, in batches, until the block ends."""
    handler = BatchingHandler(stream)
    _install(handler, log_format)
    try:
        yield
    finally:
        handler.close()


def _install(handler: logging.Handler, log_format: LogFormat) -> None:
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # These loggers report every call and every start themselves.
    for chatty in ("httpx", "httpcore", "uvicorn.error", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Lines do not show the thread, the process or the place in the code, and determining them takes
    # longer than the rest of a line (the standard library's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - the documented switch
