"""The redirect action and its Location.

Source: "Redirect actions" of the AWS guide and RedirectActionConfig of the API reference.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway.http1.paths import query_of
from gateway.routing.conditions import RuleInput

MAX_LOCATION: Final = 8 * 1024
"""A longer one is answered with 507 instead."""

_NOT_IN_A_URL: Final = re.compile(rb"[^!-~\x80-\xff]")
_KEYWORD: Final = re.compile(r"#\{(protocol|host|port|path|query)\}")


@dataclass(frozen=True, slots=True)
class Redirect:
    """The parts of the new URL, in which ``#{...}`` stands for a part of the request's URL; the
    defaults change nothing. ``status`` is 301 or 302."""

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"

    def location(self, request: RuleInput, protocol: str, port: int) -> bytes:
        """The Location header's value for a request to a listener of that protocol and port.

        The port is always included. The path is as the client wrote it, except that blanks and
        control characters are percent-encoded, because they could end the header."""
        target = request.target.partition(b"#")[0]
        parts = {
            "protocol": protocol.lower().encode(),
            "host": request.routing_host or b"localhost",
            "port": b"%d" % port,
            # The keyword is without the first slash: "/#{path}" is the whole path.
            "path": target.partition(b"?")[0].removeprefix(b"/"),
            "query": query_of(request.target),
        }

        def filled(template: str) -> bytes:
            pieces = _KEYWORD.split(template)
            return b"".join(
                parts[piece] if position % 2 else piece.encode("latin-1")
                for position, piece in enumerate(pieces)
            )

        query = filled(self.query)
        location = b"%b://%b:%b%b%b" % (
            filled(self.protocol).lower(),
            filled(self.host),
            filled(self.port),
            filled(self.path),
            b"?" + query if query else b"",
        )
        return _NOT_IN_A_URL.sub(lambda found: b"%%%02X" % ord(found[0]), location)
