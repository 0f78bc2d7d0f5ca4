"""Heads of requests that are plainly well-formed, quickly."""

import re
from typing import Final

import httptools

from gateway.http1.request import Request
from gateway.http1.request_headers import meaning

_REQUEST_LINE: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~\x80-\xff]+) HTTP/1\.([01])\r\n"
)


class StrictHead:
    """Returns a request for a head that has one reading only, else None.

    ``httptools`` reads; what it lets through but is not plainly well-formed is left to the other
    reader, and so is what it refuses.
    """

    __slots__ = ("_parser", "_request")

    def __init__(self) -> None:
        self._request = Request()
        self._parser = httptools.HttpRequestParser(self)

    def read(self, head: bytes) -> Request | None:
        """``head`` ends with the first empty line."""
        line = _REQUEST_LINE.match(head)
        if line is None:
            return None
        request = self._request = Request()
        usable = False
        try:
            self._parser.feed_data(head)
            usable = True
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError:
            request.unusual = True
        method = request.method = line[1]
        request.target = line[2]
        if line[3] == b"0":
            request.http10 = True
            request.version = "HTTP/1.0"
        framed = request.chunked or request.content_length is not None
        if framed or not usable or request.http10 or request.connection is not None:
            # This one waits for a body, or for the end.
            self._parser = httptools.HttpRequestParser(self)
        if request.unusual or (framed and self._framing_needs_a_look(request, method)):
            return None
        return request

    @staticmethod
    def _framing_needs_a_look(request: Request, method: bytes) -> bool:
        if method in (b"GET", b"HEAD"):
            return True
        return request.chunked and (request.http10 or request.content_length is not None)

    # What follows is called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; its name is a token, its value is without controls."""
        request = self._request
        if value[-1:] in (b" ", b"\t"):
            value = value.rstrip(b" \t")
        special = meaning(name)
        if special is None:
            request.lines.append(name + b": " + value + b"\r\n")
        else:
            special(request, name, value)
