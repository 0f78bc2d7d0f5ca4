"""A fast path for request heads that are plainly well-formed.

Most header lines of a client repeat those of its earlier requests, so each line is parsed once,
strictly, and its meaning is remembered.

"""

import re
from typing import Final

from gateway.http1.request import Request
from gateway.http1.request_headers import Header, meaning
from gateway.net.bounded_memo import BoundedMemo

_REQUEST_LINE: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~\x80-\xff]+) HTTP/1\.([01])\r\n"
)
_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)\r\n")
_END: Final = b"\r\n"

_Field = bytes | tuple[Header, bytes, bytes] | None
"""A parsed line: the line to pass on, or a function with the name and value for it. None if the
line is not plainly well-formed."""


class StrictHead:
    """Reads the heads of one connection. Returns None for a head that could be read in more than
    one way."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: BoundedMemo[bytes, _Field] = BoundedMemo(_field, most=64, longest=512)

    def read(self, head: bytes) -> Request | None:
        """``head`` ends with the first empty line."""
        # A bare carriage return ends a line here too; such a line does not match.
        lines = head.splitlines(True)
        line = _REQUEST_LINE.fullmatch(lines[0])
        if line is None or lines[-1] != _END:
            return None
        del lines[0], lines[-1]
        request = Request()
        received = request.lines
        for field in map(self._fields.__getitem__, lines):
            if type(field) is bytes:
                received.append(field)
            elif type(field) is tuple:
                take, name, value = field
                take(request, name, value)
            else:
                return None
        if request.unusual:
            return None
        method, request.target, minor = line.groups()
        request.method = method
        if minor == b"0":
            request.http10 = True
            request.version = "HTTP/1.0"
        if request.chunked:
            if request.http10 or request.content_length is not None or method in _BODILESS:
                return None
        elif request.content_length is not None and method in _BODILESS:
            return None
        return request


_BODILESS: Final = frozenset({b"GET", b"HEAD"})
"""With these methods a body has no defined meaning, so the request has to be classified."""


def _field(line: bytes) -> _Field:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name, value = found[1], found[2].strip(b" \t")
    special = meaning(name)
    return name + b": " + value + b"\r\n" if special is None else (special, name, value)
