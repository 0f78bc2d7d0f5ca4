"""One port that clients connect to."""

from typing import Final

from gateway.http1.request import Request
from gateway.net.bounded_memo import BoundedMemo
from gateway.proxy.heads import host_line
from gateway.routing.settings import ListenerSettings

_DEFAULT_PORTS: Final = {"HTTP": 80, "HTTPS": 443}


class Listener:
    """A listener's settings, which may be replaced while it runs, and its actual port."""

    def __init__(self, settings: ListenerSettings, port: int) -> None:
        self._port = port
        self._evaluated = 0
        # The port may still change: a free one is known only once the socket is bound.
        self._host_lines: BoundedMemo[bytes, bytes | None] = BoundedMemo(
            lambda host: host_line(host, self.port), most=256, longest=256
        )
        self._use(settings)

    @property
    def port(self) -> int:
        """The port on which it listens; 0 until a free one is bound."""
        return self._port

    @port.setter
    def port(self, port: int) -> None:
        self._port = port
        self._use(self._settings)

    @property
    def rule_evaluations(self) -> int:
        """The number of rules evaluated so far, with all settings so far."""
        return self._evaluated + self._settings.rules.evaluations

    @property
    def settings(self) -> ListenerSettings:
        """The settings for the next request."""
        return self._settings

    @settings.setter
    def settings(self, settings: ListenerSettings) -> None:
        rules = self._settings.rules
        self._evaluated += rules.evaluations
        # The same settings may come back.
        rules.evaluations = 0
        self._use(settings)

    def _use(self, settings: ListenerSettings) -> None:
        self._settings = settings
        self.rules = settings.rules
        default = _DEFAULT_PORTS[settings.protocol]
        self.port_in_template = (
            b":%d" % self._port,
            b"" if settings.port == default else b":%d" % settings.port,
        )
        """``Request.port_in_template`` of this listener's requests."""
        self._inserted = [
            f"{name}: {value}\r\n".encode("latin-1") for name, value in settings.response_headers
        ]
        self._replaced = {name.lower().encode() for name, _ in settings.response_headers}
        if not settings.server_header:
            self._replaced.add(b"server")

    def response_lines(self, lines: list[bytes]) -> list[bytes]:
        """A response's headers after the listener's own were set or removed."""
        if not self._replaced:
            return lines
        replaced = self._replaced
        passed_on = [line for line in lines if line.partition(b":")[0].lower() not in replaced]
        return passed_on + self._inserted

    def host_line(self, request: Request, preserve: bool) -> bytes | None:
        """The Host header for the target; None if the request's is invalid.

        ``preserve`` is the attribute ``routing.http.preserve_host_header.enabled``. An HTTP/1.0
        request without a host gets the load balancer's own name.
        """
        if preserve and request.sent_host is None:
            written = [b"Host: %b\r\n" % value for value in request.header_values(b"host")]
            if written:
                return b"".join(written)
        host = request.authority if request.authority is not None else request.host
        if request.sent_host is not None:
            host = request.sent_host
        if host is None:
            host = b"localhost"
        return self._host_lines[host]
