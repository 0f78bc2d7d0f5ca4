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
            self._sink.write(text.encode("ascii", "backslashreplace") + b"\n")


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
    return (
        f"{_text(request.method) or '-'} {_text(request.target) or '-'} {exchange.status} "
        f"{milliseconds:.1f}ms {exchange.target_group or '-'} "
        f"{exchange.target.address if exchange.target else '-'} "
        f"rule {'-' if rule is None else rule or 'default'}"
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
        dispatched, answered = exchange.dispatched, exchange.answered
        times = "-1 -1 -1"
        if dispatched:
            before = max(0.0, dispatched - exchange.started)
            times = f"{before:.3f} -1 -1"
            if answered:
                times = (
                    f"{before:.3f} {max(0.0, answered - dispatched):.3f} "
                    f"{max(0.0, exchange.finished - answered):.3f}"
                )
        target = str(exchange.target.address) if exchange.target and dispatched else "-"
        target_status = str(exchange.target_status or "-")
        ended = exchange.created + max(0.0, exchange.finished - exchange.started)
        priority = "-" if exchange.rule_priority is None else str(exchange.rule_priority)
        user_agent = _quoted(_text(request.user_agent[:_MAX_USER_AGENT]) or "-")
        return (
            f"http {self._time(ended)} {self._load_balancer} {peer}:{exchange.peer_port} "
            f"{target} {times} {exchange.status} {target_status} "
            f"{request.head_size + request.body_size} {exchange.sent} "
            f'"{self._request(exchange)}" "{user_agent}" - - '
            f'{self._arn(exchange.target_group)} "{_quoted(_text(exchange.trace)) or "-"}" '
            f'"-" "-" {priority} {self._time(exchange.created)} "{exchange.action or "-"}" '
            f'"-" "-" "{target}" "{target_status}" "-" "-" TID_{exchange.connection_id:032x} '
            f'"-" "-" "-"'
        )

    def _request(self, exchange: Exchange) -> str:
        request = exchange.request
        host = request.authority if request.authority is not None else request.host
        name = _quoted(_text(host or b"localhost"))
        if not name.endswith("]"):
            name = name.rpartition(":")[0] or name
        if not request.method:
            return f"- http://{name}:{self._port}- -"
        version = "HTTP/1.0" if request.http10 else "HTTP/1.1"
        path = _quoted(_text(request.target))
        return f"{_text(request.method)} http://{name}:{self._port}{path} {version}"

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


def _text(value: bytes) -> str:
    """The bytes as text without control characters: a log line stays one line."""
    text = value.decode("latin-1")
    if text.isprintable() and text.isascii():
        return text
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02X}" for c in text)


def _quoted(text: str) -> str:
    return text.replace('"', "\\x22")
