"""Certificates that the tests make for themselves."""

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
    """A certificate that signs itself, for ``localhost`` if not for another name."""

    files: CertificateFiles

    def client(
        self,
        *protocols: str,
        least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> ssl.SSLContext:
        """What a client that trusts it speaks."""
        context = ssl.create_default_context(cafile=str(self.files.certificate))
        context.minimum_version, context.maximum_version = least, most
        if protocols:
            context.set_alpn_protocols(protocols)
        return context


def make(folder: Path, name: str = NAME, *, key: str = EC_KEY) -> SelfSigned:
    """Makes one for that name with the openssl command. ``key`` says of what kind its key is."""
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
