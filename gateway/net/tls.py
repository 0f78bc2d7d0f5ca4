"""TLS towards clients."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.routing.settings import ListenerSettings, TlsVersion

_VERSIONS: Final = {
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}
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
    """What the client asked for (SNI); empty when it named none."""
    certificate: str
    """How the template calls the certificate that the client was shown; ``session-reused`` when a
    resumed session needed none."""


class ServerContext(ssl.SSLContext):
    """What an HTTPS listener speaks, and how often a client could not agree to it."""

    failed_handshakes: int = 0


class _Handshake(ssl.SSLObject):
    """asyncio and uvloop tell nobody of a handshake that fails."""

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
    listener: ListenerSettings, files: Mapping[str, CertificateFiles], *, http2: bool
) -> ServerContext:
    """The context of an HTTPS listener. Raises CertificateError."""
    [name] = listener.certificates
    found = files.get(name)
    if found is None:
        raise CertificateError(
            f"{listener.logical_id} needs --certificate {name}=CERTIFICATE.pem,KEY.pem"
        )
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Handshake
    least, most = listener.tls_versions
    context.minimum_version, context.maximum_version = _VERSIONS[least], _VERSIONS[most]
    offer(context, http2=http2)
    context.sni_callback = _remember_name
    try:
        context.load_cert_chain(found.certificate, found.key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"certificate {name}: {error}") from error
    return context


def offer(context: ssl.SSLContext, *, http2: bool) -> None:
    """Says which versions of HTTP the clients may choose from, from the next handshake on."""
    context.set_alpn_protocols([HTTP2, _HTTP1] if http2 else [_HTTP1])


_NAME: Final = "gateway_server_name"


def _remember_name(
    connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext
) -> None:
    """OpenSSL does not tell the name later."""
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
