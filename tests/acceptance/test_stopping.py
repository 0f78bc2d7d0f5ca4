"""A process that receives SIGTERM finishes the requests that it has begun."""

import asyncio
import os
import signal
import sys

import httpx

from laptop import ports
from tests.databases import Databases
from tests.deployments import ORIGIN, ROOT, USERS_TOKEN
from tests.eventually import eventually


async def test_a_request_in_flight_is_answered_while_the_process_is_no_longer_ready(
    databases: Databases,
) -> None:
    (port,) = ports.free(1)
    environment = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_ORIGIN": ORIGIN,
        "DRAIN_SECONDS": "1",
        "USERS_DATABASE_URL": databases.urls["users"],
        "USERS_SERVICE_TOKEN": USERS_TOKEN,
        "SIGN_IN_ADDRESS_FAILURES": "1000000",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.users.main", cwd=ROOT, env=environment,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

            async def status() -> int:
                try:
                    return (await http.get("/readyz")).status_code
                except httpx.ConnectError:
                    return 0

            async def ready() -> bool:
                return await status() == 200

            await eventually(ready, within=20)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            body = b'{"username": "nobody-here", "password": "seven quiet herons"}'
            writer.write(
                b"POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body) + body[:10]
            )
            await writer.drain()

            process.send_signal(signal.SIGTERM)

            async def not_ready() -> bool:
                return await status() == 503

            await eventually(not_ready)
            listed = await http.get("/api/users?limit=1")
            assert listed.status_code == 200
            assert listed.headers["connection"] == "close"
            writer.write(body[10:])
            async with asyncio.timeout(20):
                answer = await reader.read()
            writer.close()
            assert answer.startswith(b"HTTP/1.1 401 ")
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
