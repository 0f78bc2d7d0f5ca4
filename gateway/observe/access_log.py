"""The access log: one line per request, formatted in batches and written by a thread.

Fields: "Access logs for your Application Load Balancer" of the AWS guide.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from gateway.http1.desync import Finding
from gateway.net.bounded_memo import BoundedMemo
from gateway.net.tls import TlsFacts
from gateway.proxy.record import ExchangeRecord
from gateway.targets.target import Target

Format = Callable[[ExchangeRecord], str]
"""Converts an exchange's record to a line, without a line break."""

_FORMAT_AT_ONCE: Final = 32
"""Records. More is slower, because older records are no longer in the processor's caches."""
_WRITE_AT_ONCE: Final = 1024
"""Lines. Fewer is slower, because the writing thread needs the GIL whenever it wakes."""
_SECONDS: Final = 1.0
_MAX_USER_AGENT: Final = 8 * 1024
_SHORTEST_SECRET: Final = 32
_SECRET: Final = re.compile(rf"(?<=/)[A-Za-z0-9_-]{{{_SHORTEST_SECRET},}}(?=[/?]|$)")
_NEITHER: Final = '"-" "-"'
_NOT_TRANSFORMED: Final = '"-" "-" "-"'
_PLAIN: Final = bytes(byte for byte in range(0x20, 0x7F) if byte != 0x22)
"""The bytes that need no escaping."""
_MILLISECONDS: Final = [f"{number / 1000:.3f}" for number in range(1000)]
"""Most times are among these, and a lookup is much faster than formatting a number."""


class Sink(Protocol):
    """The destination of lines."""

    def write(self, data: bytes) -> None:
        """Writes complete lines without blocking."""


class AccessLog:
    """Formats records in batches, and passes the lines to ``sink`` once a second, or earlier if
    there are many."""

    def __init__(self, line: Format, sink: Sink) -> None:
        self._line = line
        self._sink = sink
        self._pending: list[ExchangeRecord] = []
        self._lines: list[str] = []
        self._flushed_at = 0.0

    def record(self, record: ExchangeRecord) -> None:
        """Adds a finished record."""
        self._pending.append(record)
        if len(self._pending) >= _FORMAT_AT_ONCE:
            self._format()
            if len(self._lines) >= _WRITE_AT_ONCE:
                self._write()

    def check(self, now: float) -> None:
        """Flushes once a second. ``now`` is the loop's time."""
        if now - self._flushed_at >= _SECONDS:
            self._flushed_at = now
            self.flush()

    def flush(self) -> None:
        """Passes all pending lines to the sink."""
        self._format()
        if self._lines:
            self._write()

    def _format(self) -> None:
        line = self._line
        self._lines += [line(record) for record in self._pending]
        self._pending.clear()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        self._sink.write("\n".join(lines).encode("ascii") + b"\n")


class NoAccessLog:
    """``--access-log off``."""

    def record(self, record: ExchangeRecord) -> None:
        """Does nothing."""

    def check(self, now: float) -> None:
        """There is nothing to flush."""

    def flush(self) -> None:
        """There is nothing to flush."""


def short_line(record: ExchangeRecord) -> str:
    """A short, readable line: method, path, status, milliseconds, target group, target, rule."""
    request = record.request
    milliseconds = (record.finished - record.started) * 1000
    rule = record.rule_priority
    target = record.target
    return (
        f"{text(request.method) or '-'} {target_text(request.target) or '-'} "
        f"{record.status} {milliseconds:.1f}ms {record.target_group or '-'} "
        f"{_label(target)} rule {'-' if rule is None else rule or 'default'}"
    )


class AlbFormat:
    """The 33 fields of an ALB's own log.

    Names that do not exist on a laptop are made up, but stable: they are derived from the
    template's logical ids. Sizes of requests count headers with single spaces, and bodies without
    chunk framing.
    """

    def __init__(self, load_balancer: str) -> None:
        self._load_balancer = f"app/{load_balancer}/{_made_up_id(load_balancer)}"
        self._arns = BoundedMemo(_made_up_arn, most=256, longest=256)
        self._hosts = BoundedMemo(_without_port, most=256, longest=256)
        self._second = ""
        self._second_text = ""

    def __call__(self, record: ExchangeRecord) -> str:
        """The line for one record."""
        request, peer, selection = record.request, record.peer, record.selection
        tls = peer.tls
        target = _label(record.target) if record.dispatched else "-"
        target_status = record.target_status or "-"
        priority = record.rule_priority
        created = record.created
        responded = created + record.finished - record.started
        finding = request.finding
        user_agent, trace, led_to = request.user_agent, record.trace, record.redirect_url
        transforms = record.transform_failed or request.sent_host or request.sent_target
        return (
            f"{record.kind} {self._time(responded)} {self._load_balancer} "
            f"{peer.label} {target} {_times(record)} {record.status} {target_status} "
            f"{request.head_size + request.body_size} {record.sent} "
            f'"{self._request_line(record)}" '
            f'"{repeated_text(user_agent[:_MAX_USER_AGENT]) if user_agent else "-"}" '
            f"{'- -' if tls is None else f'{tls.cipher} {tls.protocol}'} "
            f'{self._arns[record.target_group]} "{text(trace) if trace else "-"}" '
            f"{_NEITHER if tls is None else _certificate(tls)} "
            f"{'-' if priority is None else priority} {self._time(created)} "
            f'"{record.action or "-"}" "{text(led_to) if led_to else "-"}" '
            f'"{record.error_reason or (selection and selection.error_reason) or "-"}" '
            f'"{target}" "{target_status}" '
            f"{_NEITHER if finding is None else _classified(finding)} "
            f"{peer.connection_label} {_transformed(record) if transforms else _NOT_TRANSFORMED}"
        )

    def _request_line(self, record: ExchangeRecord) -> str:
        """``METHOD proto://host:port/uri HTTP/x.y``, without the port that the client wrote."""
        request = record.request
        shown = self._hosts[request.authority or request.host or b"localhost"]
        scheme = "http" if record.peer.tls is None else "https"
        if not request.method:
            return f"- {scheme}://{shown}:{record.listener_port}- -"
        return (
            f"{repeated_text(request.method)} {scheme}://{shown}:{record.listener_port}"
            f"{target_text(request.target) or '-'} "
            f"{request.version if request.finding is None else text(request.version.encode())}"
        )

    def _time(self, seconds: float) -> str:
        microseconds = str(int(seconds * 1_000_000))
        second = microseconds[:-6]
        if second != self._second:
            self._second = second
            moment = datetime.fromtimestamp(int(second), UTC)
            self._second_text = moment.strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._second_text}{microseconds[-6:]}Z"


def _times(record: ExchangeRecord) -> str:
    """The seconds until the request was sent, until the answer began, and until it ended."""
    dispatched, answered = record.dispatched, record.answered
    if not dispatched:
        return "-1 -1 -1"
    waited = dispatched - record.started
    if not answered:
        return f"{waited:.3f} -1 -1"
    worked, sent = answered - dispatched, record.finished - answered
    table = _MILLISECONDS
    try:
        return (
            f"{table[int(waited * 1000 + 0.5)]} {table[int(worked * 1000 + 0.5)]} "
            f"{table[int(sent * 1000 + 0.5)]}"
        )
    except IndexError:
        return f"{waited:.3f} {worked:.3f} {sent:.3f}"


def _without_port(host: bytes) -> str:
    shown = text(host)
    return shown if ":" not in shown or shown.endswith("]") else shown.rpartition(":")[0]


def _classified(finding: Finding) -> str:
    return f'"{finding.tier.name}" "{finding.reason}"'


def _certificate(tls: TlsFacts) -> str:
    return f'"{text(tls.server_name.encode()) or "-"}" "{tls.certificate}"'


def _transformed(record: ExchangeRecord) -> str:
    """Host, path and query after a rule's transforms, and whether they succeeded.

    AWS documents the fields but not the values of the last one, so these are our own.
    """
    if record.transform_failed:
        return '"-" "-" "failed"'
    host, target = record.request.sent_host, record.request.sent_target
    return f'"{text(host or b"") or "-"}" "{target_text(target or b"") or "-"}" "succeeded"'


def _label(target: Target | None) -> str:
    """The target's address; ``-`` for a function, which has none on AWS."""
    return "-" if target is None or target.function is not None else target.label


def _made_up_arn(group: str) -> str:
    """Of a target group; ``-`` for none."""
    if not group:
        return "-"
    return (
        "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
        f"targetgroup/{group}/{_made_up_id(group)}"
    )


def _made_up_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def text(value: bytes) -> str:
    """Escapes what a client sent, so that it cannot end the line or its field between double
    quotes."""
    if not value.translate(None, _PLAIN):
        return value.decode("ascii")
    return "".join(chr(c) if c in _PLAIN else f"\\x{c:02X}" for c in value)


def target_text(value: bytes) -> str:
    """Escapes a request target for the log, and replaces path segments that look like secrets. An
    ALB would log them, and applications should not put secrets there."""
    shown = text(value)
    return shown if len(shown) <= _SHORTEST_SECRET else _SECRET.sub("***", shown)


repeated_text: Final = BoundedMemo(text, most=256, longest=1024).__getitem__
"""The same, remembered, for values that many requests have in common."""
