"""The access log: one line a request, formatted in batches and written by a thread.

Fields: "Access logs for your Application Load Balancer" of the AWS guide.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from gateway.exchange import Exchange

Format = Callable[[Exchange], str]
"""From an exchange to its line, without the line's end."""

_FORMAT_AT_ONCE: Final = 32
"""More is slower: what is kept for later has left the processor's caches by then."""
_WRITE_AT_ONCE: Final = 1024
"""Lines. Fewer are slower: the writing thread asks for the interpreter's lock when it wakes."""
_KNOWN_HOSTS: Final = 256
_SECONDS: Final = 1.0
_MAX_USER_AGENT: Final = 8 * 1024


class Sink(Protocol):
    """Where lines go."""

    def write(self, data: bytes) -> None:
        """Takes whole lines. It does not block."""


class AccessLog:
    """Formats exchanges a few at a time, and hands their lines to ``sink`` once a second, or
    sooner when they are many."""

    def __init__(self, line: Format, sink: Sink) -> None:
        self._line = line
        self._sink = sink
        self._pending: list[Exchange] = []
        self._lines: list[str] = []
        self._flushed_at = 0.0

    def record(self, exchange: Exchange) -> None:
        """Notes a finished exchange."""
        self._pending.append(exchange)
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
        """Hands over everything that is pending."""
        self._format()
        if self._lines:
            self._write()

    def _format(self) -> None:
        line = self._line
        self._lines += [line(exchange) for exchange in self._pending]
        self._pending.clear()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        self._sink.write("\n".join(lines).encode("ascii") + b"\n")


class NoAccessLog:
    """``--access-log off``."""

    def record(self, exchange: Exchange) -> None:
        """Forgets it."""

    def check(self, now: float) -> None:
        """There is nothing to flush."""

    def flush(self) -> None:
        """There is nothing to flush."""


def short_line(exchange: Exchange) -> str:
    """For people: method, path, status, milliseconds, target group, target, rule."""
    request = exchange.request
    milliseconds = (exchange.finished - exchange.started) * 1000
    rule = exchange.rule_priority
    target = exchange.target
    return _printable(
        f"{request.method.decode('latin-1') or '-'} {request.target.decode('latin-1') or '-'} "
        f"{exchange.status} {milliseconds:.1f}ms {exchange.target_group or '-'} "
        f"{target.label if target else '-'} rule {'-' if rule is None else rule or 'default'}"
    )


class AlbFormat:
    """The 33 fields of an ALB's own log.

    Names that mean nothing on a laptop are stable and made up: they are derived from the
    template's logical ids. Sizes of requests count their headers as written with single spaces,
    and bodies without chunk framing.
    """

    def __init__(self, load_balancer: str) -> None:
        self._load_balancer = f"app/{load_balancer}/{_made_up_id(load_balancer)}"
        self._arns: dict[str, str] = {"": "-"}
        self._hosts: dict[tuple[bytes | None, int, bool], str] = {}
        self._second = -1
        self._second_text = ""

    def __call__(self, exchange: Exchange) -> str:
        """The line of one exchange."""
        request = exchange.request
        started, finished = exchange.started, exchange.finished
        dispatched, answered = exchange.dispatched, exchange.answered
        if answered:
            times = (
                f"{dispatched - started:.3f} {answered - dispatched:.3f} {finished - answered:.3f}"
            )
        elif dispatched:
            times = f"{dispatched - started:.3f} -1 -1"
        else:
            times = "-1 -1 -1"
        target = exchange.target.label if exchange.target and dispatched else "-"
        target_status = exchange.target_status or "-"
        priority = "-" if exchange.rule_priority is None else exchange.rule_priority
        created = exchange.created
        group = exchange.target_group
        tls = exchange.tls
        host = (request.authority or request.host, exchange.listener.port, tls is not None)
        if request.method:
            asked = (
                f"{_quoted(request.method)} {self._hosts.get(host) or self._host(host)}"
                f"{_quoted(request.target)} {_quoted(request.version.encode())}"
            )
        else:
            asked = f"- {self._host(host)}- -"
        agreed = "- -" if tls is None else f"{tls.cipher} {tls.protocol}"
        shown = '"-" "-"'
        if tls is not None:
            shown = f'"{tls.server_name or "-"}" "{tls.certificate}"'
        selection = exchange.selection
        error_reason = (selection.error_reason if selection is not None else "") or "-"
        finding = request.finding
        classified = '"-" "-"' if finding is None else f'"{finding.tier.name}" "{finding.reason}"'
        return _printable(
            f"{exchange.kind} {self._time(created + finished - started)} {self._load_balancer} "
            f"{exchange.peer_label} {target} {times} {exchange.status} {target_status} "
            f"{request.head_size + request.body_size} {exchange.sent} "
            f'"{asked}" "{_quoted(request.user_agent[:_MAX_USER_AGENT])}" {agreed} '
            f'{self._arns.get(group) or self._arn(group)} "{_quoted(exchange.trace)}" '
            f'{shown} {priority} {self._time(created)} "{exchange.action or "-"}" '
            f'"{_quoted(exchange.redirect_url)}" "{error_reason}" "{target}" "{target_status}" '
            f"{classified} {exchange.connection_label} {_transformed(exchange)}"
        )

    def _host(self, host: tuple[bytes | None, int, bool]) -> str:
        """``http://host:port``; the client's own port is not in it."""
        named, port, secure = host
        name = _quoted(named or b"localhost")
        if ":" in name and not name.endswith("]"):
            name = name.rpartition(":")[0]
        if len(self._hosts) >= _KNOWN_HOSTS:
            self._hosts.clear()
        text = self._hosts[host] = f"{'https' if secure else 'http'}://{name}:{port}"
        return text

    def _arn(self, group: str) -> str:
        arn = self._arns[group] = (
            "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
            f"targetgroup/{group}/{_made_up_id(group)}"
        )
        return arn

    def _time(self, seconds: float) -> str:
        whole = int(seconds)
        if whole != self._second:
            self._second = whole
            self._second_text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._second_text}.{int((seconds - whole) * 1_000_000):06d}Z"


def _transformed(exchange: Exchange) -> str:
    """Host, path and query as a rule's transforms made them, and whether that worked.

    AWS documents the fields but not the words of the last one: these are ours.
    """
    if exchange.transform_failed:
        return '"-" "-" "failed"'
    host, target = exchange.request.sent_host, exchange.request.sent_target
    if host is None and target is None:
        return '"-" "-" "-"'
    return f'"{_quoted(host or b"")}" "{_quoted(target or b"")}" "succeeded"'


def _made_up_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _quoted(value: bytes) -> str:
    """What stands between double quotes; a dash when there is nothing."""
    if b'"' in value:
        value = value.replace(b'"', b"\\x22")
    return value.decode("latin-1") or "-"


def _printable(line: str) -> str:
    """The line without control characters: whatever a client sends, it stays one plain line."""
    if line.isascii() and line.isprintable():
        return line
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02X}" for c in line)
