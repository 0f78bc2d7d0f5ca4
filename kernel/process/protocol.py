"""uvicorn's protocol, with a shortcut for responses that are ready (docs/decisions/hits.md)."""

import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from kernel.process.shortcut import shortcut_of
from kernel.process.unreadable import ProblemProtocol

log = logging.getLogger("board.serve")


class ShortcutProtocol(ProblemProtocol):
    """Asks the application's shortcut for each response before it starts a task for the request.

    A response is sent at once only if the previous one is complete, the client reads, and the
    connection stays open after it. uvicorn does the rest as usual: everything else, the end of
    idle connections, and what comes after the response.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._shortcut = shortcut_of(self.config.app)  # type: ignore[arg-type]  # never a string here
        self._answered = False
        self._defaults: list[tuple[bytes, bytes]] = []
        self._default_lines = b""

    def on_message_begin(self) -> None:
        """Collect the request. Its scope is made when the application needs it."""
        self._answered = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Answer the request, or start the application."""
        self._answered = self._shortcut is not None and self._answer()
        if self._answered:
            return
        # An earlier request of the same bytes may have been answered, and started the timer.
        self._unset_keepalive_if_required()
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url = url
        self.headers += headers
        self.expect_100_continue = expected
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The end of the request."""
        if not self._answered:
            super().on_message_complete()

    def _is_idle(self) -> bool:
        # uvicorn's type does not say so, but there is none before the first request.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _answer(self) -> bool:
        parser = self.parser
        if (
            not self._is_idle()
            or self.flow.write_paused
            or self.transport.is_closing()
            or parser.get_method() != b"GET"
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or parser.should_upgrade()
        ):
            return False
        defaults = self.server_state.default_headers
        if defaults is not self._defaults:  # the server replaces them every second, for Date
            self._defaults = defaults
            self._default_lines = b"".join(b"%b: %b\r\n" % field for field in defaults)
        assert self._shortcut is not None  # noqa: S101 - checked by the caller
        try:
            response = self._shortcut(self.url, self.headers, self.client, self._default_lines)
        except Exception:
            # The parser would report any exception as an invalid request.
            log.exception("The shortcut failed.")
            return False
        if response is None:
            return False
        self.transport.write(response)
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        return True
