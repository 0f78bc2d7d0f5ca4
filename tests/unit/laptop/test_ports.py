"""Checking ports, finding free ones, and waiting for a server's response."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import pytest

from laptop import ports, probe
from laptop.errors import CannotRunError


def test_free_port_passes_the_check_and_stays_free() -> None:
    (port,) = ports.free(1, but=0)
    ports.check_free(port)
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1")],  # noqa: S104 - that is the case
)
def test_taken_port_is_reported_with_its_process_and_another_port(
    family: int, address: str
) -> None:
    if family == socket.AF_INET6 and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with socket.create_server((address, 0), family=family) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(CannotRunError) as refused:
            ports.check_free(port)
    message = str(refused.value)
    assert message.startswith(f"port {port} is taken by ")
    assert f"(process {os.getpid()})" in message
    assert f"make run PORT={port + 1}" in message


def test_port_with_connections_in_time_wait_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            # The side that closes first has the connection in TIME_WAIT.
            accepted.close()
    ports.check_free(port)


def test_free_ports_are_distinct_and_exclude_the_given_one() -> None:
    found = ports.free(50, but=0)
    assert len({*found}) == 50
    avoided = found[0]
    assert all(avoided not in ports.free(20, but=avoided) for _ in range(20))


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def saying(text: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        writer.close()
        await writer.wait_closed()

    return answer


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 503),
        (b"220 mail.example.com ESMTP\r\n", None),
        (b"", None),
        (b"x" * 100_000, None),
    ],
)
async def test_status_is_the_servers_status_code(text: bytes, status: int | None) -> None:
    server = await asyncio.start_server(saying(text), "127.0.0.1", 0)
    async with server:
        assert await probe.status(server.sockets[0].getsockname()[1], "/readyz") == status


async def test_no_server_or_no_response_is_no_status() -> None:
    (port,) = ports.free(1, but=0)
    assert await probe.status(port, "/readyz") is None
    with socket.create_server(("127.0.0.1", port)):
        assert await probe.status(port, "/readyz", seconds=0.05) is None


async def test_waiting_ends_with_200_or_the_timeout() -> None:
    answers = iter([b"503", b"404", b"200"])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(b"HTTP/1.1 " + next(answers) + b" x\r\n\r\n")(reader, writer)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await probe.until_ok(port, "/", seconds=10) == 200
    server = await asyncio.start_server(saying(b"HTTP/1.1 503 x\r\n\r\n"), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await probe.until_ok(port, "/", seconds=0.1) == 503
