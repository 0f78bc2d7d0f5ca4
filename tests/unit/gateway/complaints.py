"""Errors that asyncio logs."""

import logging


class Complaints(logging.Handler):
    """What asyncio says when a protocol raises."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
