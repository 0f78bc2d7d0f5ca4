"""Self-signed certificates for tests."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gateway.net.tls import CertificateFiles

NAME = "localhost"
EC_KEY = "ec -pkeyopt ec_paramgen_curve:prime256v1"
RSA_KEY = "rsa:2048"


@dataclass(frozen=True)
class SelfSigned:
    """A self-signed certificate, by default for ``localhost``."""

    files: CertificateFiles

    def client(
        self,
        *protocols: str,
        least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> ssl.SSLContext:
        """The TLS context of a client that trusts it."""
        context = ssl.create_default_context(cafile=str(self.files.certificate))
        context.minimum_version, context.maximum_version = least, most
        if protocols:
            context.set_alpn_protocols(protocols)
        return context


def make(folder: Path, name: str = NAME, *, key: str = EC_KEY) -> SelfSigned:
    """Creates one for that name with the openssl command. ``key`` is the type of its key."""
    files = CertificateFiles(folder / "certificate.pem", folder / "key.pem")
    command = f"openssl req -x509 -newkey {key} -nodes -days 2"
    subprocess.run(
        [
            *command.split(),
            *("-keyout", files.key, "-out", files.certificate, "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{name}"),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    return SelfSigned(files)
