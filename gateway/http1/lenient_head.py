"""Reads heads of requests that are not plainly well-formed, and classifies how dangerous they are.

``gateway.http1.desync`` has the classes. Whatever the class, the gateway decides on one
interpretation of where the body ends, and sends only that to the target.
"""

import re
from typing import Final

from gateway.http1.desync import DesyncReason, Finding, Tier
from gateway.http1.request import Request
from gateway.http1.request_headers import framing_lookalike, has_valid_name, meaning

_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_TOKENS: Final = bytes(
    octet for octet in range(256) if not _TOKEN.fullmatch(bytes((octet,)))
)
_VISIBLE: Final = re.compile(rb"[!-~]+")
_BAD: Final = re.compile(rb"[\x00\r\n]")
_CONTROL: Final = re.compile(rb"[\x01-\x08\x0b-\x1f\x7f]")
_URI_CONTROL: Final = re.compile(rb"[\x01-\x1f\x7f]")
_VERSION: Final = re.compile(rb"HTTP/([0-9])\.([0-9])")
_CODINGS: Final = frozenset({b"chunked", b"compress", b"deflate", b"gzip", b"identity"})
_MAX_DIGITS: Final = 100
_BLANKS: Final = b" \t"


def read_leniently(head: bytes) -> Request:
    """The request in ``head``, which ends with the first empty line, with its ``finding``.

    ``refusal`` is set if no interpretation could be sent to a target, in any mode.
    """
    return _Reading(head).request


class _Reading:
    def __init__(self, head: bytes) -> None:
        self.request = Request()
        self._lengths: list[bytes] = []
        """The values of Content-Length, or of a header that resembles it."""
        self._codings: list[bytes] = []
        """The same for Transfer-Encoding."""
        self._own_lengths: list[bytes] = []
        self._own_codings: list[bytes] = []
        self._chunked = 0
        line, *headers = self._lines(head)
        self._request_line(line)
        self._headers(headers)
        self._framing()
        self._check_line()
        if self._is_later_http:
            # Such requests have no class.
            self.request.finding = None

    def _found(self, tier: Tier, reason: DesyncReason) -> None:
        """Only a higher tier replaces the first reason."""
        request = self.request
        if request.finding is None or tier > request.finding.tier:
            request.finding = Finding(tier, reason)

    def _lines(self, head: bytes) -> list[bytes]:
        lines = head.split(b"\n")
        # Drop what follows the last line feed, and the empty line.
        del lines[-1]
        if any(line[-1:] != b"\r" for line in lines):
            self._found(Tier.Acceptable, DesyncReason.BARE_LINE_FEED)
        del lines[-1]
        return [line[:-1] if line[-1:] == b"\r" else line for line in lines] or [b""]

    # Request line

    def _request_line(self, line: bytes) -> None:
        request = self.request
        request.method, _, rest = line.partition(b" ")
        # The version is the last word, with any blanks after it.
        blank = rest.rfind(b" ", 0, len(rest.rstrip(_NOT_IN_TOKENS)))
        request.target, self._version = rest[: max(blank, 0)], rest[blank + 1 :]
        if blank < 0:
            if not rest or rest.startswith(b"HTTP/1."):
                self._found(Tier.Ambiguous, DesyncReason.MISSING_URI)
                request.refuse(400)
            request.target, self._version = rest, b""
        elif not request.target:
            self._found(Tier.Ambiguous, DesyncReason.MISSING_URI)
            request.refuse(400)
        version = self._version.strip(_BLANKS)
        found = _VERSION.fullmatch(version)
        self._minor = int(found[2]) if found and found[1] == b"1" else None
        if self._minor == 0:
            request.http10 = True
        if version:
            request.version = version.decode("latin-1")
        elif not request.refusal:
            request.version = "HTTP/0.9"
        self._is_later_http = bool(found) and not self._version.startswith((b"HTTP/0", b"HTTP/1"))
        if self._minor is None and not request.refusal:
            # HTTP/0.9, or HTTP/2 without negotiation (AWS: "HTTP 505").
            request.refuse(505 if found or not version else 400)

    def _check_line(self) -> None:
        request = self.request
        if not _TOKEN.fullmatch(request.method):
            self._found(Tier.Severe, DesyncReason.BAD_METHOD)
            if not _VISIBLE.fullmatch(request.method):
                request.refuse(400)
        version = self._version.strip(_BLANKS)
        if not version or version == b"HTTP/0.9":
            self._found(Tier.Acceptable, DesyncReason.NON_COMPLIANT_VERSION)
        elif self._minor is None:
            self._found(Tier.Severe, DesyncReason.BAD_VERSION)
        elif self._minor > 1 or version != self._version:
            self._found(Tier.Acceptable, DesyncReason.NON_COMPLIANT_VERSION)
        target = request.target
        if _BAD.search(target):
            self._found(Tier.Severe, DesyncReason.BAD_URI)
        elif _URI_CONTROL.search(target):
            self._found(Tier.Ambiguous, DesyncReason.AMBIGUOUS_URI)
        elif b" " in target:
            self._found(Tier.Acceptable, DesyncReason.SPACE_IN_URI)

    # Headers

    def _headers(self, lines: list[bytes]) -> None:
        continued = b""
        """The header that a continuation line belongs to, for classification."""
        passed_on = False
        received = self.request.lines
        for written in lines:
            line = written
            folded = line[:1] in (b" ", b"\t")
            name, colon, value = line.partition(b":")
            if folded and continued != b"content-type":
                self._found(Tier.Ambiguous, DesyncReason.MULTILINE_HEADER)
            if folded and not colon:
                self._classify_framing(continued, line.strip(_BLANKS))
            elif not folded and colon:
                continued = name.lower()
            elif not folded:
                self._found(Tier.Ambiguous, DesyncReason.MISSING_HEADER_COLON)
            if not colon:
                # AWS: "appends a colon character".
                line += b":"
            before = len(received)
            self._header(line, name, value, continues=folded and not colon)
            if not folded:
                passed_on = len(received) > before
                continue
            # A continuation stays with its header: as a line of its own it would continue another
            # header if its own one is dropped.
            continuation = b"".join(received[before:])
            del received[before:]
            if passed_on:
                received[-1] += continuation

    def _header(self, line: bytes, name: bytes, value: bytes, *, continues: bool) -> None:
        request = self.request
        if _BAD.search(line):
            self._found(Tier.Severe, DesyncReason.BAD_HEADER)
        elif (not _TOKEN.fullmatch(name) and not continues) or _CONTROL.search(line):
            self._found(Tier.Acceptable, DesyncReason.NON_COMPLIANT_HEADER)
        if not name.strip(_BLANKS):
            # There is nothing to forward.
            self._found(Tier.Ambiguous, DesyncReason.EMPTY_HEADER)
            return
        if self._is_framing(name, value.strip(_BLANKS)):
            return
        if not _TOKEN.fullmatch(name) or framing_lookalike(name):
            request.invalid_names = request.invalid_names or not has_valid_name(line)
            request.lines.append(line + b"\r\n")
            return
        special = meaning(name)
        value = value.strip(_BLANKS)
        if special is None:
            request.lines.append(name + b": " + value + b"\r\n")
        else:
            special(request, name, value)

    def _is_framing(self, name: bytes, value: bytes) -> bool:
        looks_like = self._classify_framing(name, value)
        if not looks_like or name.lower() != looks_like:
            return False
        own = self._own_lengths if looks_like == b"content-length" else self._own_codings
        own.append(value)
        return True

    def _classify_framing(self, name: bytes, value: bytes) -> bytes:
        """Returns the framing header that ``name`` may be mistaken for; empty if none."""
        looks_like = framing_lookalike(name)
        if looks_like and name.lower() != looks_like:
            self._found(Tier.Ambiguous, DesyncReason.SUSPICIOUS_HEADER)
        if looks_like == b"content-length":
            self._lengths.append(value)
        elif looks_like:
            self._codings.append(value)
        return looks_like

    # Framing

    def _framing(self) -> None:
        if not self._lengths and not self._codings:
            return
        request = self.request
        self._settle_framing()
        if self._codings and (request.http10 or self._minor is None):
            self._found(Tier.Ambiguous, DesyncReason.UNDEFINED_TRANSFER_ENCODING)
            return
        if self._minor is None and self._lengths:
            self._found(Tier.Ambiguous, DesyncReason.UNDEFINED_CONTENT_LENGTH)
            return
        for value in self._codings:
            self._classify_coding(value)
        length = self._classify_lengths()
        if request.method in (b"GET", b"HEAD"):
            if self._codings:
                self._found(Tier.Ambiguous, DesyncReason.UNDEFINED_TRANSFER_ENCODING)
            if length:
                self._found(Tier.Ambiguous, DesyncReason.UNDEFINED_CONTENT_LENGTH)
            elif length == 0:
                self._found(Tier.Acceptable, DesyncReason.ZERO_CONTENT_LENGTH)
        if length is not None and self._codings:
            self._found(Tier.Ambiguous, DesyncReason.BOTH_FRAMINGS)

    def _classify_coding(self, value: bytes) -> None:
        chunked = 0
        for coding in _codings(value):
            if coding not in _CODINGS:
                self._found(Tier.Severe, DesyncReason.BAD_TRANSFER_ENCODING)
            chunked += coding == b"chunked"
        self._chunked += chunked
        if self._chunked > 1:
            self._found(Tier.Severe, DesyncReason.MULTIPLE_CHUNKED)

    def _classify_lengths(self) -> int | None:
        length: int | None = None
        for value in self._lengths:
            number = _number(value)
            if number is None:
                self._found(Tier.Severe, DesyncReason.BAD_CONTENT_LENGTH)
            elif length is None:
                length = number
            elif length != number:
                self._found(Tier.Severe, DesyncReason.MULTIPLE_CONTENT_LENGTH)
            else:
                self._found(Tier.Ambiguous, DesyncReason.DUPLICATE_CONTENT_LENGTH)
        return length

    def _settle_framing(self) -> None:
        """Transfer-Encoding before Content-Length (RFC 9112, section 6.3)."""
        request = self.request
        codings = [coding for value in self._own_codings for coding in _codings(value)]
        wanted = set(codings) - {b"identity"}
        if wanted == {b"chunked"}:
            request.chunked = True
            return
        if wanted:
            request.refuse(501)
            return
        lengths = {_number(value) for value in self._own_lengths}
        if not lengths:
            return
        [first, *others] = lengths
        if others or first is None:
            request.refuse(400)
        else:
            request.content_length = first


def _number(value: bytes) -> int | None:
    """The number in a Content-Length; None if it is not a number of 64 bits."""
    if not value.isdigit() or len(value) > _MAX_DIGITS or int(value) >= 2**64:
        return None
    return int(value)


def _codings(value: bytes) -> list[bytes]:
    """The transfer codings in a header's value, without their parameters."""
    return [part.partition(b";")[0].strip(_BLANKS).lower() for part in value.split(b",")]
