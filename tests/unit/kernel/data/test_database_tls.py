"""A client sends nothing, not even its user name, before the database has proved its identity."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kernel.data.database import Database
from kernel.errors import Unavailable
from tests.cloudformation import ROOT, template
from tests.unit.gateway import certificates

_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
"""A client's first message to request TLS (PostgreSQL: "Message Formats", SSLRequest)."""


class Server:
    """Speaks PostgreSQL's protocol up to the password, and then closes the connection."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self.asked_for_tls = 0
        self.introductions: list[bytes] = []
        self.port = 0

    async def serve(self) -> AsyncIterator["Server"]:
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readexactly(8) == _SSL_REQUEST
            self.asked_for_tls += 1
            writer.write(b"S" if self._context else b"N")
            await writer.drain()
            if self._context:
                await writer.start_tls(self._context)
            length = int.from_bytes(await reader.readexactly(4), "big")
            self.introductions.append(await reader.readexactly(length - 4))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> certificates.SelfSigned:
    """The certificate of a server called localhost."""
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def server(certificate: certificates.SelfSigned) -> AsyncIterator[Server]:
    """A server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.files.certificate, certificate.files.key)
    async for serving in Server(context).serve():
        yield serving


@pytest.fixture
async def plain_server() -> AsyncIterator[Server]:
    """A server without TLS."""
    async for serving in Server(None).serve():
        yield serving


def _url(host: str, port: int, roots: Path) -> str:
    """A URL as the template builds it, with these root certificates."""
    tls = template("data")["Outputs"]["DatabaseTls"]["Value"]
    assert isinstance(tls, str)
    tls = tls.replace("/board/containers/rds-ca.pem", str(roots))
    return f"postgresql://users:secret@{host}:{port}/users?{tls}"


async def _ask(url: str) -> None:
    async with Database.open(url) as database:
        with pytest.raises(Unavailable):
            await database.rows("SELECT 1")


async def test_database_with_a_certificate_of_the_authority_is_accepted(
    server: Server, certificate: certificates.SelfSigned
) -> None:
    await _ask(_url("localhost", server.port, certificate.files.certificate))
    assert server.introductions
    assert b"user\0users\0" in server.introductions[0]


async def test_database_with_a_certificate_of_another_authority_is_rejected(server: Server) -> None:
    await _ask(_url("localhost", server.port, ROOT / "containers" / "rds-ca.pem"))
    assert server.asked_for_tls
    assert not server.introductions


async def test_database_with_another_host_name_is_rejected(
    server: Server, certificate: certificates.SelfSigned
) -> None:
    await _ask(_url("127.0.0.1", server.port, certificate.files.certificate))
    assert server.asked_for_tls
    assert not server.introductions


async def test_database_without_tls_is_rejected(
    plain_server: Server, certificate: certificates.SelfSigned
) -> None:
    await _ask(_url("localhost", plain_server.port, certificate.files.certificate))
    assert plain_server.asked_for_tls
    assert not plain_server.introductions
