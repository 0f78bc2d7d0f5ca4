"""A fake request for rules."""

from dataclasses import dataclass

from gateway.http1.paths import normalise


@dataclass(frozen=True)
class FakeRequest:
    target: bytes = b"/"
    method: bytes = b"GET"
    routing_host: bytes = b"test.example"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    source: str = "192.0.2.1"
    port: bytes = b""
    """The colon and port that the client wrote after the host."""

    @property
    def host_with_port(self) -> bytes:
        return self.routing_host + self.port

    @property
    def path(self) -> bytes:
        return normalise(self.target)

    def header_values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]
