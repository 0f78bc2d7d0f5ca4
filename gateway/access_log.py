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

_BATCH: Final = 256
_SECONDS: Final = 1.0
_MAX_USER_AGENT: Final = 8 * 1024


class Sink(Protocol):
    """Where lines go."""

    def write(self, data: bytes) -> None:
        """Takes whole lines. It does not block."""


class AccessLog:
    """Collects exchanges, and hands their lines to ``sink`` each second or every 256."""

    def __init__(self, line: Format, sink: Sink) -> None:
        self._line = line
        self._sink = sink
        self._pending: list[Exchange] = []
        self._flushed_at = 0.0

    def record(self, exchange: Exchange) -> None:
        """Notes a finished exchange."""
        self._pending.append(exchange)
        if len(self._pending) >= _BATCH:
            self.flush()

    def check(self, now: float) -> None:
        """Flushes once a second. ``now`` is the loop's time."""
        if now - self._flushed_at >= _SECONDS:
            self._flushed_at = now
            self.flush()

    def flush(self) -> None:
        """Hands over everything that is pending."""
        pending, self._pending = self._pending, []
        if pending:
            line = self._line
            text = "\n".join([line(exchange) for exchange in pending])
            self._sink.write(text.encode("ascii") + b"\n")


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

    def __init__(self, load_balancer: str, port: int) -> None:
        self._load_balancer = f"app/{load_balancer}/{_made_up_id(load_balancer)}"
        self._port = port
        self._arns: dict[str, str] = {}
        self._second = -1
        self._second_text = ""

    def __call__(self, exchange: Exchange) -> str:
        """The line of one exchange."""
        request = exchange.request
        peer = f"[{exchange.peer}]" if ":" in exchange.peer else exchange.peer
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
        return _printable(
            f"http {self._time(created + finished - started)} {self._load_balancer} "
            f"{peer}:{exchange.peer_port} {target} {times} {exchange.status} {target_status} "
            f"{request.head_size + request.body_size} {exchange.sent} "
            f'"{self._request(exchange)}" "{_quoted(request.user_agent[:_MAX_USER_AGENT])}" - - '
            f'{self._arn(exchange.target_group)} "{_quoted(exchange.trace)}" '
            f'"-" "-" {priority} {self._time(created)} "{exchange.action or "-"}" '
            f'"-" "-" "{target}" "{target_status}" "-" "-" TID_{exchange.connection_id:032x} '
            f'"-" "-" "-"'
        )

    def _request(self, exchange: Exchange) -> str:
        request = exchange.request
        host = request.authority if request.authority is not None else request.host
        name = _quoted(host or b"localhost")
        if ":" in name and not name.endswith("]"):
            name = name.rpartition(":")[0]
        if not request.method:
            return f"- http://{name}:{self._port}- -"
        version = "HTTP/1.0" if request.http10 else "HTTP/1.1"
        method = request.method.decode("latin-1")
        return f"{method} http://{name}:{self._port}{_quoted(request.target)} {version}"

    def _arn(self, group: str) -> str:
        if not group:
            return "-"
        arn = self._arns.get(group)
        if arn is None:
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
