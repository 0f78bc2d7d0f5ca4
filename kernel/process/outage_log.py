"""Logs an outage twice: when it begins and when it ends."""

import logging

from kernel.errors import Unavailable


class OutageLog:
    """What a background task logs while something that it needs is down, however often it tries."""

    def __init__(self, log: logging.Logger, work: str) -> None:
        """`work` is what cannot be done, in the present participle: "delivering activity"."""
        self._log = log
        self._work = work
        self._down = False

    def failed(self, reason: Unavailable) -> None:
        """An attempt has failed."""
        if not self._down:
            cause = "" if reason.__cause__ is None else f" ({reason.__cause__!r})"
            self._log.info("%s waits: %s%s", self._work, reason.detail, cause)
        self._down = True

    def succeeded(self) -> None:
        """An attempt has succeeded."""
        if self._down:
            self._log.info("%s goes on", self._work)
        self._down = False
