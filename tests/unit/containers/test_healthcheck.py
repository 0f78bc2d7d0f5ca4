"""The health check of containers."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[3] / "containers" / "healthcheck.py"


@asynccontextmanager
async def _answering(answer: bytes | None) -> AsyncIterator[int]:
    """A server that sends these bytes, or with None never answers. Yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        assert asked.startswith(b"GET /readyz HTTP/1.1\r\n")
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _check(port: int) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-IS", str(CHECK), "/readyz"),
        env={**os.environ, "PORT": str(port)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_status_200_is_healthy() -> None:
    async with _answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        assert await _check(port) == (0, "")


@pytest.mark.parametrize("status", [204, 302, 404, 500, 503])
async def test_other_status_is_unhealthy(status: int) -> None:
    async with _answering(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()) as port:
        assert await _check(port) == (1, f"GET /readyz: {status}\n")


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", None], ids=["none", "garbage", "late"])
async def test_invalid_or_missing_response_is_unhealthy(answer: bytes | None) -> None:
    async with _answering(answer) as port:
        status, said = await _check(port)
        assert status == 1
        assert said.startswith("GET /readyz: ")
        assert "Traceback" not in said


async def test_closed_port_is_unhealthy() -> None:
    async with _answering(b"") as port:
        pass
    status, said = await _check(port)
    assert status == 1
    assert "refused" in said
