"""Errors that asyncio logs."""

import logging


class Complaints(logging.Handler):
    """Collects asyncio's messages about exceptions in protocols."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
