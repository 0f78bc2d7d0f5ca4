"""TLS with clients."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.net.certificate_names import names_of, wildcard_for

HTTP2: Final = "h2"
"""HTTP/2's name in ALPN (RFC 7301)."""
_HTTP1: Final = "http/1.1"
HANDSHAKE_SECONDS: Final = 10.0
"""How long a handshake may take; AWS documents no limit."""


class CertificateError(ValueError):
    """A listener's certificate is missing or invalid."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files: the certificate with its chain, and the private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The negotiated parameters of one connection, with OpenSSL's names."""

    cipher: str
    protocol: str
    server_name: str
    """The host that the client sent (SNI), or empty."""
    certificate: str
    """The template's name of the certificate that was sent; ``session-reused`` if a resumed session
    needed none."""


class ServerContext(ssl.SSLContext):
    """An HTTPS listener's context, which also counts failed handshakes.

    A context has one certificate. ``others`` are the contexts with the listener's other
    certificates; in each of them, ``first`` is the context that lists them.
    """

    certificate: str = ""
    """The template's name of the certificate."""
    names: frozenset[str] = frozenset()
    """The host names in the certificate."""
    others: tuple["ServerContext", ...] = ()
    first: "ServerContext | None" = None
    failed_handshakes: int = 0

    def offer(self, *, http2: bool) -> None:
        """Sets the versions of HTTP that clients may choose from, from the next handshake on."""
        for context in (self, *self.others):
            context.set_alpn_protocols([HTTP2, _HTTP1] if http2 else [_HTTP1])

    def for_name(self, name: str) -> "ServerContext":
        """The context whose certificate has that name, or else its wildcard; this one if there is
        none."""
        name = name.lower()
        for wanted in (name, wildcard_for(name)):
            for context in (self, *self.others):
                if wanted in context.names:
                    return context
        return self


class _Handshake(ssl.SSLObject):
    """Counts failed handshakes, which asyncio and uvloop do not report."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            context = self.context
            if isinstance(context, ServerContext):
                (context.first or context).failed_handshakes += 1
            raise


def server_context(
    certificates: Mapping[str, CertificateFiles],
    versions: tuple[ssl.TLSVersion, ssl.TLSVersion],
    ciphers: Sequence[str],
    *,
    http2: bool,
) -> ServerContext:
    """The context of an HTTPS listener with these certificates, by the template's names.

    The first is for clients that send no server name, or one that no certificate has. ``versions``
    are the lowest and the highest. Raises CertificateError.
    """
    first, *others = (_one(name, files, versions, ciphers) for name, files in certificates.items())
    first.others = tuple(others)
    for other in others:
        other.first = first
    first.offer(http2=http2)
    first.sni_callback = _choose
    return first


def _one(
    name: str,
    files: CertificateFiles,
    versions: tuple[ssl.TLSVersion, ssl.TLSVersion],
    ciphers: Sequence[str],
) -> ServerContext:
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Handshake
    context.minimum_version, context.maximum_version = versions
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    if ciphers:
        context.set_ciphers(":".join(ciphers))
    context.certificate = name
    try:
        context.load_cert_chain(files.certificate, files.key)
        context.names = names_of(files.certificate.read_bytes())
    except (OSError, ssl.SSLError, ValueError) as error:
        raise CertificateError(f"certificate {name}: {error}") from error
    return context


_NAME: Final = "gateway_server_name"
_CERTIFICATE: Final = "gateway_certificate"


def _choose(
    connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext
) -> None:
    """Chooses the certificate by the client's server name, and stores both: OpenSSL does not
    provide the name later."""
    setattr(connection, _NAME, name or "")
    if name and isinstance(context, ServerContext):
        chosen = context.for_name(name)
        setattr(connection, _CERTIFICATE, chosen.certificate)
        if chosen is not context:
            connection.context = chosen


def facts(connection: ssl.SSLObject, certificate: str) -> TlsFacts:
    """The negotiated parameters of ``connection``, whose handshake is complete. ``certificate`` is
    the default one."""
    cipher = connection.cipher()
    shown = getattr(connection, _CERTIFICATE, certificate)
    return TlsFacts(
        cipher=cipher[0] if cipher else "",
        protocol=connection.version() or "",
        server_name=getattr(connection, _NAME, ""),
        certificate="session-reused" if connection.session_reused else shown,
    )
