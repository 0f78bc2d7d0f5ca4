"""Where a request's body ends (RFC 9112, section 6)."""

import re
from typing import Final, Protocol

MAX_LINE: Final = 4 * 1024
"""The limit for a chunk's size line with its extensions."""
MAX_TRAILERS: Final = 64 * 1024

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00\r\n]*)?\r\n")
_TRAILER: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00\r\n]*\r\n")
_EMPTY: Final = b"\r\n"


class MalformedBodyError(Exception):
    """The chunk framing is broken."""


class Body(Protocol):
    """A body that is being received."""

    complete: bool

    def take(self, data: bytes, start: int, parts: list[bytes]) -> int:
        """Adds the bytes of ``data`` from ``start`` on that belong to the body to ``parts``.

        Returns the position of the first byte after them. Raises MalformedBodyError.
        """


class SizedBody:
    """A body of ``Content-Length`` bytes, at least one."""

    __slots__ = ("_left", "complete")

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = False

    def take(self, data: bytes, start: int, parts: list[bytes]) -> int:
        end = start + self._left
        piece = data if start == 0 and len(data) <= end else data[start:end]
        if piece:
            parts.append(piece)
            self._left -= len(piece)
        self.complete = not self._left
        return start + len(piece)


class ChunkedBody:
    """Chunks until the last one and its trailers, which are dropped (RFC 9110, 6.5.1 allows it).

    It is strict: a line feed without a carriage return is refused, because other programs may
    count the bytes differently.
    """

    __slots__ = ("_left", "_line", "_trailers", "complete")

    def __init__(self) -> None:
        self._left = 0
        """Missing bytes of the current chunk, including its CRLF; 0 before a size line."""
        self._line = b""
        self._trailers = -1
        """Bytes of trailers so far; -1 before the last chunk."""
        self.complete = False

    def take(self, data: bytes, start: int, parts: list[bytes]) -> int:
        while start < len(data) and not self.complete:
            if self._left:
                start = self._take_chunk(data, start, parts)
            else:
                start = self._take_line(data, start)
        return start

    def _take_chunk(self, data: bytes, start: int, parts: list[bytes]) -> int:
        wanted = self._left - len(_EMPTY)
        if wanted > 0:
            piece = data[start : start + wanted]
            parts.append(piece)
            self._left -= len(piece)
            return start + len(piece)
        end = _EMPTY[-self._left :]
        if not data.startswith(end[:1], start):
            raise MalformedBodyError("a chunk longer than its size")
        self._left -= 1
        return start + 1

    def _take_line(self, data: bytes, start: int) -> int:
        end = data.find(b"\n", start) + 1
        line = self._line + data[start : end or len(data)]
        if len(line) > MAX_LINE:
            raise MalformedBodyError("chunk framing over 4K")
        if not end:
            self._line = line
            return len(data)
        self._line = b""
        if self._trailers < 0:
            found = _SIZE.fullmatch(line)
            if found is None:
                raise MalformedBodyError("no chunk size")
            size = int(found[1], 16)
            if size:
                self._left = size + len(_EMPTY)
            else:
                self._trailers = 0
        elif line == _EMPTY:
            self.complete = True
        else:
            self._trailers += len(line)
            if self._trailers > MAX_TRAILERS or not _TRAILER.fullmatch(line):
                raise MalformedBodyError("broken trailers, or over 64K of them")
        return end
