"""`board outside-address`: the address that an address service saw, for each IP version."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from board.outside_address import outside_addresses
from tests.deployments import ROOT


@asynccontextmanager
async def address_service(host: str, body: str | None = None) -> AsyncIterator[str]:
    """An address service on a loopback address; it answers `body` instead, if that is given."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        seen = (body if body is not None else writer.get_extra_info("peername")[0]) + "\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(seen)}\r\nConnection: close\r\n\r\n"
        writer.write((head + seen).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, host, 0)
    async with server:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("host", "lines"),
    [
        ("127.0.0.1", ["IPv4: 127.0.0.1", "IPv6: no way out (ConnectError)"]),
        ("::1", ["IPv4: no way out (ConnectError)", "IPv6: ::1"]),
    ],
)
async def test_each_version_shows_its_address_or_that_there_is_no_way(
    host: str, lines: list[str]
) -> None:
    async with address_service(host) as url:
        assert await outside_addresses(url) == lines


async def test_response_without_an_address_is_reported() -> None:
    async with address_service("127.0.0.1", body="<html>") as url:
        (first, _) = await outside_addresses(url)
    assert first == "IPv4: no address in the response, whose status is 200"


async def test_command_prints_a_line_for_each_version() -> None:
    async with address_service("127.0.0.1") as url:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "board", "outside-address", url],
            cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "IPv4: 127.0.0.1\nIPv6: no way out (ConnectError)\n"
