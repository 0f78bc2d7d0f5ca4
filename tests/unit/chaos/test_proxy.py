"""What the proxy does to a request in each of its modes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from chaos.proxy import Mode, Proxy
from tests.eventually import eventually

REQUEST = b"GET / HTTP/1.1\r\n\r\n"


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy before a server that answers each request with itself."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with Proxy().running() as made:
        made.upstream = server.sockets[0].getsockname()[1]
        yield made
    server.close()


async def ask(proxy: Proxy, before: Callable[[], Awaitable[None]] | None = None) -> bytes:
    """Send a request on a new connection, and return the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(REQUEST)
        if before is not None:
            await before()
        async with asyncio.timeout(20):
            return await reader.read(100)
    finally:
        writer.close()


@pytest.mark.parametrize(("mode", "harmed"), [(Mode.NONE, 0), (Mode.SLOW, 1)])
async def test_passes_requests_on(proxy: Proxy, mode: Mode, harmed: int) -> None:
    proxy.set(mode)
    assert await ask(proxy) == REQUEST
    assert proxy.harmed == harmed


async def test_answers_with_garbage(proxy: Proxy) -> None:
    proxy.set(Mode.GARBAGE)
    answer = await ask(proxy)
    assert answer
    assert not answer.startswith(b"HTTP/")
    assert proxy.harmed == 1


async def test_resets(proxy: Proxy) -> None:
    proxy.set(Mode.RESET)
    with pytest.raises(ConnectionResetError):
        await ask(proxy)
    assert proxy.harmed == 1


async def test_does_not_answer_until_it_is_mended(proxy: Proxy) -> None:
    proxy.set(Mode.HANG)

    async def harmed() -> bool:
        return proxy.harmed == 1

    async def mend() -> None:
        await eventually(harmed, what="the request meets the fault")
        proxy.set(Mode.NONE)

    assert await ask(proxy, mend) == b""
    assert await ask(proxy) == REQUEST


async def test_mode_applies_to_open_connections(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(REQUEST)
    assert await reader.readexactly(len(REQUEST)) == REQUEST
    proxy.set(Mode.GARBAGE)
    writer.write(REQUEST)
    assert await reader.read(100) != REQUEST
    writer.close()
