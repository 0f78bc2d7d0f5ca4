"""A fast path for response heads that are plainly well-formed.

Targets mostly repeat their headers, so the meaning of a line is computed once, strictly, and
remembered.
"""

import re
from itertools import compress
from typing import Final

from gateway.http1.hop_by_hop import HOP_BY_HOP
from gateway.http1.response import Response
from gateway.net.bounded_memo import BoundedMemo

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9]) [ \t!-~\x80-\xff]*\r\n")
_LINE: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)\r\n"
)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
"""18 digits always fit into 64 bits."""
_MAX_HEAD: Final = 16 * 1024
_WITHOUT_BODY: Final = frozenset({204, 304})
_NOT_PASSED_ON: Final = frozenset({b"date", b"keep-alive"})
"""The gateway sends its own Date, and Keep-Alive concerns only the target's connection."""

_NOT_PLAIN: Final = -1
_DROPPED: Final = 0
_PASSED_ON: Final = 1
_LENGTH_OF_NOTHING: Final = 2
"""The meaning of ``Content-Length: 0``; a longer body's length is added to it."""


class PlainHeads:
    """Reads response heads of one connection."""

    __slots__ = ("_meanings",)

    def __init__(self) -> None:
        self._meanings = BoundedMemo(_meaning, most=64, longest=128)

    def read(self, data: bytes, response: Response) -> int:
        """Fills in ``response`` from the head that ``data`` begins with, and returns where its body
        begins.

        Returns 0 and fills in nothing if the slow reader has to read the head: it is incomplete,
        has no Content-Length, no body, or is not plainly well-formed."""
        end = data.find(b"\r\n\r\n", 0, _MAX_HEAD) + 2
        if end < 2:
            return 0
        lines = data[:end].splitlines(True)
        status_line = lines[0]
        status = _statuses[status_line]
        if not status:
            return 0
        del lines[0]
        meanings = list(map(self._meanings.__getitem__, lines))
        ascending = sorted(meanings)
        if not meanings or ascending[0] == _NOT_PLAIN or ascending[-1] < _LENGTH_OF_NOTHING:
            return 0
        if len(ascending) > 1 and ascending[-2] >= _LENGTH_OF_NOTHING:
            return 0
        response.status = status
        response.status_line = status_line
        response.lines = list(compress(lines, meanings))
        response.content_length = ascending[-1] - _LENGTH_OF_NOTHING
        response.has_content_length = response.keep_alive = response.head_complete = True
        return end + 2


def _status(line: bytes) -> int:
    """The status; 0 if it is invalid, informational, or one without a body."""
    found = _STATUS_LINE.fullmatch(line)
    status = int(found[1]) if found else 0
    return 0 if status in _WITHOUT_BODY else status


_statuses: Final = BoundedMemo(_status, most=64, longest=128)


def _meaning(line: bytes) -> int:
    found = _LINE.fullmatch(line)
    if found is None:
        return _NOT_PLAIN
    name, value = found[1].lower(), found[2]
    if name == b"content-length":
        return _LENGTH_OF_NOTHING + int(value) if _LENGTH.fullmatch(value) else _NOT_PLAIN
    if name in _NOT_PASSED_ON or (name == b"connection" and value.lower() == b"keep-alive"):
        return _DROPPED
    return _NOT_PLAIN if name in HOP_BY_HOP else _PASSED_ON
