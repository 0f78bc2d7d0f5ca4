"""Streams 256 MiB each way through a gateway that has a process of its own.

Prints by how many KiB the gateway's peak memory grew compared with a few requests.
Readers have small socket buffers, and pause for two milliseconds after each 512 KiB.
"""

import asyncio
import multiprocessing
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import uvloop

from gateway.gateway import start_gateway
from tests.unit.gateway.support import routing

_TOTAL = 256 * 1024 * 1024
_PIECE = b"x" * 65_536
_BREATH = 512 * 1024
_PAUSE = 0.002


def serve(pipe: Connection) -> None:
    """The gateway's process: reads a target's port, and prints its own."""

    async def run() -> None:
        gateway = await start_gateway(
            routing(interval=5), {"Web": [f"http://127.0.0.1:{pipe.recv()}"]}, port=0
        )
        await gateway.first_checks()
        pipe.send(gateway.port)
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        await gateway.close()

    uvloop.run(run())


def peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    [line] = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1])


class Target(asyncio.Protocol):
    """Serves /download, and reads the body of /upload as slowly as the client reads."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._left = 0
        self._breath = _BREATH
        self._uploading = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._can_write = asyncio.Event()
        self._can_write.set()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def data_received(self, data: bytes) -> None:
        if self._uploading:
            self._take(len(data))
            return
        self._received += data
        head, end, rest = bytes(self._received).partition(b"\r\n\r\n")
        if not end:
            return
        self._received.clear()
        if head.startswith(b"POST /upload"):
            self._uploading = True
            self._left = _TOTAL
            self._take(len(rest))
        elif head.startswith(b"GET /download"):
            self._sending = asyncio.create_task(self._send())
        else:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left <= 0:
            self._uploading = False
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        self._breath -= size
        if self._breath <= 0:
            self._breath = _BREATH
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(_PAUSE, self._transport.resume_reading)

    async def _send(self) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _TOTAL)
        for _ in range(_TOTAL // len(_PIECE)):
            await self._can_write.wait()
            self._transport.write(_PIECE)


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=connection, limit=65_536)


async def download(port: int) -> None:
    reader, writer = await connect(port)
    writer.write(b"GET /download HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    for _ in range(_TOTAL // _BREATH):
        await reader.readexactly(_BREATH)
        await asyncio.sleep(_PAUSE)
    writer.close()


async def upload(port: int) -> None:
    reader, writer = await connect(port)
    writer.write(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % _TOTAL)
    for _ in range(_TOTAL // len(_PIECE)):
        writer.write(_PIECE)
        await writer.drain()
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def warm_up(port: int) -> None:
    for _ in range(20):
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.close()


async def measure(pipe: Connection, pid: int) -> None:
    server = await asyncio.get_running_loop().create_server(Target, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    port = await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await warm_up(port)
    before = peak_kib(pid)
    for name, stream in (("download", download), ("upload", upload)):
        async with asyncio.timeout(40):
            await stream(port)
        sys.stdout.write(f"{name} {peak_kib(pid) - before}\n")
    pipe.send(None)


def main(run: Callable[[Connection, int], None]) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,))
    process.start()
    try:
        assert process.pid is not None
        run(ours, process.pid)
        process.join(10)
    finally:
        process.kill()


if __name__ == "__main__":
    main(lambda pipe, pid: asyncio.run(measure(pipe, pid)))
