"""A gateway as a process, with a template of another project, and its commands."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from laptop import ports
from tests.unit.gateway.support import OK, TEMPLATE, Bench, Client, FakeTarget, says, until

ROOT = Path(__file__).parents[3]
SHOP = Path(__file__).parent / "templates" / "shop.json"
START_SECONDS = 15


@dataclass
class Shop:
    """The running gateway, its ports, and its output."""

    process: asyncio.subprocess.Process
    public: int
    internal: int
    metrics: int
    admin: Path
    template: Path
    said: list[str]

    async def client(self, bench: Bench, port: int) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        bench.keep_client(client)
        return client

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a command about it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *arguments, "--admin-socket", str(self.admin)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()


@asynccontextmanager
async def shop(folder: Path, pages: FakeTarget, orders: FakeTarget) -> AsyncIterator[Shop]:
    public, internal, metrics = ports.free(3)
    template, admin = folder / "shop.json", folder / "admin.sock"
    template.write_text(SHOP.read_text())
    parameters = {"Vpc": "vpc-1", "Subnets": "a,b", "Port": public, "AdminPort": internal}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "--template", str(template)),
        *(
            part
            for name, value in parameters.items()
            for part in ("--parameter", f"{name}={value}")
        ),
        *("--target", f"Pages={pages.url}", "--target", f"Orders={orders.url}"),
        *("--metrics-port", str(metrics), "--admin-socket", str(admin)),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said: list[str] = []

    async def listen(stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            said.append(line.decode())

    listening = asyncio.create_task(listen(process.stderr))
    try:
        await until(
            lambda: process.returncode is not None or sum(" healthy" in line for line in said) >= 2,
            within=START_SECONDS,
        )
        assert process.returncode is None, said
        yield Shop(process, public, internal, metrics, admin, template, said)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening


ORDERS = says(OK.replace(b"ok", b"or"))


async def test_template_of_another_project_runs(bench: Bench, tmp_path: Path) -> None:
    pages, orders = await bench.target(), await bench.target(ORDERS)
    async with shop(tmp_path, pages, orders) as running:
        client = await running.client(bench, running.public)
        page = await client.get("/")
        assert (page.body, page.header(b"X-Frame-Options")) == (b"ok", b"DENY")
        assert [name for name, _ in page.headers].count(b"Set-Cookie") == 2
        port = str(client.writer.get_extra_info("sockname")[1]).encode()
        assert pages.visits[0].header(b"X-Forwarded-For") == b"127.0.0.1:" + port
        client.send(b"GET /v2/orders/7 HTTP/1.1\r\nHost: eu.shop.example\r\n\r\n")
        assert (await client.answer()).body == b"or"
        assert orders.visits[0].request_line == b"GET /orders/7 HTTP/1.1"
        assert (await client.get("/?debug=1")).body == b"test"
        internal = await running.client(bench, running.internal)
        answer = await internal.get("/a?b=c")
        assert answer.header(b"Location") == b"https://shop.example:443/a?b=c"


async def test_commands_query_the_running_gateway(bench: Bench, tmp_path: Path) -> None:
    pages, orders, more = [await bench.target() for _ in range(3)]
    async with shop(tmp_path, pages, orders) as running:
        code, output = await running.command("health", "Orders")
        [described] = json.loads(output)["TargetHealthDescriptions"]
        assert (code, described["TargetHealth"]) == (0, {"State": "healthy"})
        code, output = await running.command("rules")
        assert [listener["Listener"] for listener in json.loads(output)] == ["Public", "Internal"]
        assert (await running.command("register", "Orders", more.url))[0] == 0
        await until(lambda: any(f"{more.port} healthy" in line for line in running.said))
        code, output = await running.command("drain", "Orders", orders.url, "--seconds", "2")
        assert (code, json.loads(output)) == (0, {"Drained": f"127.0.0.1:{orders.port}"})
        code, output = await running.command("weights", "OrdersRule", "Pages=3")
        assert (code, output) == (1, "OrdersRule does not forward to Pages, only to Orders\n")
        answer = await _scrape(running.metrics)
        assert re.search(r'^HealthyHostCount\{.*TargetGroup="Orders"\} 1$', answer, re.MULTILINE)
    assert (await running.command("health"))[0] == 2


async def test_a_hangup_reloads_the_template_and_a_broken_one_is_logged(
    bench: Bench, tmp_path: Path
) -> None:
    async with shop(tmp_path, await bench.target(), await bench.target(ORDERS)) as running:
        client = await running.client(bench, running.public)
        text = running.template.read_text()
        running.template.write_text(text.replace('{"Ref": "Stage"}}}', '"reloaded"}}'))
        running.process.send_signal(signal.SIGHUP)
        await until(lambda: "reloaded\n" in running.said)
        assert (await client.get("/?debug=1")).body == b"reloaded"
        running.template.write_text(text.replace("query-string", "cookie"))
        running.process.send_signal(signal.SIGHUP)
        await until(lambda: any("not reloaded: " in line for line in running.said))
        assert "condition field 'cookie' is not implemented" in running.said[-1]
        assert (await client.get("/?debug=1")).body == b"reloaded"
        running.process.terminate()
        assert await running.process.wait() == 0
        assert not running.admin.exists()


async def test_hangup_before_listening_reloads_afterwards(tmp_path: Path) -> None:
    # Reading a pipe waits for a writer, which shows how far the gateway is.
    template = tmp_path / "t.yml"
    os.mkfifo(template)
    [port] = ports.free(1)
    text = TEMPLATE.replace("Port: 8080", f"Port: {port}").encode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "--template", str(template)),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    stderr = process.stderr
    assert stderr is not None

    async def tells(line: bytes) -> None:
        while (said := await stderr.readline()) != line:
            assert said

    try:
        async with asyncio.timeout(START_SECONDS):
            reading = await asyncio.to_thread(os.open, template, os.O_WRONLY)
            process.send_signal(signal.SIGHUP)
            os.write(reading, text)
            os.close(reading)
            await tells(b"listening on 127.0.0.1 port %d: Front (HTTP)\n" % port)
            await asyncio.to_thread(template.write_bytes, text)
            await tells(b"reloaded\n")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _scrape(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.decode()
