"""Checks whether the server on a local port answers yet."""

import asyncio
import time


async def status(port: int, path: str, *, seconds: float = 2.0) -> int | None:
    """The status code of `GET path` on 127.0.0.1; None without an HTTP response in `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                request = (
                    f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
                )
                writer.write(request.encode("ascii"))
                line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return None
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    return int(code) if version.startswith(b"HTTP/1.") and code.isdigit() else None


async def until_ok(port: int, path: str, *, seconds: float) -> int | None:
    """Repeat `GET path` until the status is 200, for at most `seconds`. Returns the last status."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await status(port, path)
        if answer == 200 or time.monotonic() > deadline:
            return answer
        await asyncio.sleep(0.04)
