"""The meaning of each request header for the gateway."""

import re
from collections.abc import Callable
from typing import Final

from gateway.http1.hop_by_hop import HOP_BY_HOP
from gateway.http1.request import Request
from gateway.net.bounded_memo import BoundedMemo

Header = Callable[[Request, bytes, bytes], None]
"""Stores a header's name and value in a request."""

_VALID_NAME: Final = re.compile(rb"[-A-Za-z0-9]+")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
"""18 digits always fit into 64 bits."""
_NOT_ALPHANUMERIC: Final = re.compile(rb"[^0-9a-z]")
_BLANK: Final = re.compile(rb"[ \t]")
_FRAMING: Final = {
    b"contentlength": b"content-length",
    b"transferencoding": b"transfer-encoding",
}


def framing_lookalike(name: bytes) -> bytes:
    """The framing header that ``name`` may be mistaken for, in lower case; empty if none.

    ``Transfer_Encoding``, ``Content-Length`` with a blank, and perhaps with another word after it,
    or with a letter that becomes an ASCII one when it is folded to upper case.
    """
    lower = name.lower().replace(b"\xc5\xbf", b"s").replace(b"\xc4\xb1", b"i")
    first_word = _BLANK.split(lower, maxsplit=1)[0]
    for read in (lower, first_word):
        framing = _FRAMING.get(_NOT_ALPHANUMERIC.sub(b"", read))
        if framing is not None:
            return framing
    return b""


def _meaning(name: bytes) -> Header | None:
    special = _SPECIAL.get(name.lower())
    if special is None and framing_lookalike(name):
        return _unusual
    if special is None and not _VALID_NAME.fullmatch(name):
        return _invalid_name
    return special


meaning: Final = BoundedMemo(_meaning, most=4096, longest=64).__getitem__
"""The function for a header with that name (a token); None if it is forwarded unchanged."""


def has_valid_name(line: bytes) -> bool:
    """Whether a header line's name has letters, digits and hyphens only (AWS: "the regular
    expression [-A-Za-z0-9]+")."""
    found = _VALID_NAME.match(line)
    return found is not None and line[found.end() : found.end() + 1] == b":"


def _invalid_name(request: Request, name: bytes, value: bytes) -> None:
    request.invalid_names = True
    request.lines.append(name + b": " + value + b"\r\n")


def _host(request: Request, _name: bytes, value: bytes) -> None:
    # Of several, the first counts (AWS: "Host conditions"), and the target gets only that one.
    if request.host is None:
        request.host = value


def _forwarded_for(request: Request, _name: bytes, value: bytes) -> None:
    previous = request.forwarded_for
    request.forwarded_for = value if previous is None else previous + b", " + value


def _trace_id(request: Request, _name: bytes, value: bytes) -> None:
    if request.trace_id is None:
        request.trace_id = value


def _user_agent(request: Request, name: bytes, value: bytes) -> None:
    request.user_agent = value
    request.lines.append(name + b": " + value + b"\r\n")


def _connection(request: Request, _name: bytes, value: bytes) -> None:
    previous = request.connection
    request.connection = value if previous is None else previous + b"," + value


def _upgrade(request: Request, _name: bytes, value: bytes) -> None:
    previous = request.upgrade
    request.upgrade = value if previous is None else previous + b"," + value


def _expect(request: Request, name: bytes, value: bytes) -> None:
    if value.lower() == b"100-continue":
        request.expects_continue = True
    else:
        request.lines.append(name + b": " + value + b"\r\n")


def _content_length(request: Request, _name: bytes, value: bytes) -> None:
    if request.content_length is None and _LENGTH.fullmatch(value):
        request.content_length = int(value)
    else:
        request.unusual = True


def _transfer_encoding(request: Request, _name: bytes, value: bytes) -> None:
    if request.chunked or value.lower() != b"chunked":
        request.unusual = True
    request.chunked = True


def _unusual(request: Request, _name: bytes, _value: bytes) -> None:
    request.unusual = True


def _drop(_request: Request, _name: bytes, _value: bytes) -> None:
    """Hop-by-hop, or replaced by the gateway's own."""


_SPECIAL: Final[dict[bytes, Header]] = {
    **dict.fromkeys(HOP_BY_HOP, _drop),
    b"connection": _connection,
    b"content-length": _content_length,
    b"expect": _expect,
    b"host": _host,
    b"transfer-encoding": _transfer_encoding,
    b"upgrade": _upgrade,
    b"user-agent": _user_agent,
    b"x-amzn-tls-cipher-suite": _drop,
    b"x-amzn-tls-version": _drop,
    b"x-amzn-trace-id": _trace_id,
    b"x-forwarded-for": _forwarded_for,
    b"x-forwarded-port": _drop,
    b"x-forwarded-proto": _drop,
}
