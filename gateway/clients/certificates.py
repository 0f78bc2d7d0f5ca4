"""The TLS contexts of the HTTPS listeners."""

import ssl
from collections.abc import Mapping
from typing import Final

from gateway.net.tls import CertificateError, CertificateFiles, ServerContext, server_context
from gateway.routing.settings import ListenerSettings, Routing, TlsVersion

_VERSIONS: Final = {
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}


def server_contexts(
    routing: Routing, files: Mapping[str, CertificateFiles]
) -> dict[str, ServerContext]:
    """The contexts by the listener's logical id. ``files`` maps names of certificates in the
    template to their files.

    Raises CertificateError.
    """
    http2 = routing.load_balancer.http2
    return {
        listener.logical_id: _context(listener, files, http2=http2)
        for listener in routing.listeners
        if listener.certificates
    }


def _context(
    listener: ListenerSettings, files: Mapping[str, CertificateFiles], *, http2: bool
) -> ServerContext:
    for name in listener.certificates:
        if name not in files:
            raise CertificateError(
                f"{listener.logical_id} needs --certificate {name}=CERTIFICATE.pem,KEY.pem"
            )
    lowest, highest = listener.tls_versions
    return server_context(
        {name: files[name] for name in listener.certificates},
        (_VERSIONS[lowest], _VERSIONS[highest]),
        listener.ciphers,
        http2=http2,
    )
