"""An event loop that reports callbacks which take much of its thread's time."""

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

Report = Callable[[float, str], None]
"""Called with the seconds of processor time that a callback took, and the callback's
description."""


class WatchedLoop(asyncio.SelectorEventLoop):
    """Measures each callback by the thread's processor time, which other processes do not lengthen,
    unlike the time of day."""

    def __init__(self, report: Report, threshold: float) -> None:
        super().__init__()
        self._report = report
        self._threshold = threshold

    def _watched(self, callback: Callable[..., object], *arguments: Any) -> None:
        began = time.thread_time()
        try:
            callback(*arguments)
        finally:
            took = time.thread_time() - began
            if took >= self._threshold:
                self._report(took, repr(callback))

    # The methods through which every callback reaches the loop.

    def _call_soon(
        self, callback: Callable[..., object], arguments: Any, context: Context | None
    ) -> asyncio.Handle:
        watched = (callback, *arguments)
        return super()._call_soon(self._watched, watched, context)  # type: ignore[misc,no-any-return]  # of no stub

    def call_at(  # type: ignore[override]  # without the relation between the arguments
        self, when: float, callback: Any, *arguments: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call the callback at a time of the loop's clock."""
        return super().call_at(when, self._watched, callback, *arguments, context=context)

    def _add_reader(self, fd: Any, callback: Any, *arguments: Any) -> asyncio.Handle:
        return super()._add_reader(fd, self._watched, callback, *arguments)  # type: ignore[misc,no-any-return]  # of no stub

    def _add_writer(self, fd: Any, callback: Any, *arguments: Any) -> asyncio.Handle:
        return super()._add_writer(fd, self._watched, callback, *arguments)  # type: ignore[misc,no-any-return]  # of no stub
