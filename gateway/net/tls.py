"""TLS towards clients."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HTTP2: Final = "h2"
"""Its name in ALPN (RFC 7301)."""
_HTTP1: Final = "http/1.1"
HANDSHAKE_SECONDS: Final = 10.0
"""For a client to complete the handshake; AWS documents no figure for it."""


class CertificateError(ValueError):
    """A listener's certificate was not given, or cannot be used."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files: the certificate with its chain, and the private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What was agreed with one client, in OpenSSL's names."""

    cipher: str
    protocol: str
    server_name: str
    """The host that the client named (SNI); empty when it named none."""
    certificate: str
    """How the template calls the certificate that the client was shown; ``session-reused`` when a
    resumed session needed none."""


class ServerContext(ssl.SSLContext):
    """What an HTTPS listener speaks, and how often a client could not agree to it."""

    failed_handshakes: int = 0

    def offer(self, *, http2: bool) -> None:
        """Sets the versions of HTTP that clients may choose from, from the next handshake on."""
        self.set_alpn_protocols([HTTP2, _HTTP1] if http2 else [_HTTP1])


class _Handshake(ssl.SSLObject):
    """Counts failed handshakes, which asyncio and uvloop do not report."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if isinstance(self.context, ServerContext):
                self.context.failed_handshakes += 1
            raise


def server_context(
    name: str,
    files: CertificateFiles,
    versions: tuple[ssl.TLSVersion, ssl.TLSVersion],
    *,
    http2: bool,
) -> ServerContext:
    """The context of an HTTPS listener with the certificate of that ``name``; ``versions`` are the
    lowest and the highest. Raises CertificateError."""
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Handshake
    context.minimum_version, context.maximum_version = versions
    context.offer(http2=http2)
    context.sni_callback = _remember_name
    try:
        context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"certificate {name}: {error}") from error
    return context


_NAME: Final = "gateway_server_name"


def _remember_name(
    connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext
) -> None:
    """OpenSSL does not offer the name later."""
    setattr(connection, _NAME, name or "")


def facts(connection: ssl.SSLObject, certificate: str) -> TlsFacts:
    """What was agreed on ``connection``, whose handshake is complete."""
    cipher = connection.cipher()
    return TlsFacts(
        cipher=cipher[0] if cipher else "",
        protocol=connection.version() or "",
        server_name=getattr(connection, _NAME, ""),
        certificate="session-reused" if connection.session_reused else certificate,
    )
