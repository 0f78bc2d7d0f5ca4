"""``python -m gateway`` as a process: refusals, and stopping."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.admin.commands import COMMANDS
from tests.unit.gateway.support import OK, TEMPLATE, Bench, Client, Visit, until

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=ROOT,
    )
    return done.returncode, done.stderr


@pytest.fixture
def template(tmp_path: Path) -> Path:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / "routing.yml"
    path.write_text(TEMPLATE.replace("Port: 8080", f"Port: {port}"))
    return path


def port_of(template: Path) -> int:
    [line] = [line for line in template.read_text().splitlines() if "Port:" in line]
    return int(line.split(":")[1])


def test_a_template_that_cannot_be_run_is_refused_with_every_reason(template: Path) -> None:
    template.write_text(TEMPLATE.replace("8080", "x").replace("path-pattern", "grpc-method"))
    code, said = run("--template", str(template))
    assert code == 2
    assert said.splitlines() == [
        f"{template}:16: Front: Port is a number from 1 to 65535, not 'x'",
        f"{template}:25: FixedRule: condition field 'grpc-method' is not implemented",
    ]


async def test_start_prints_the_option_for_each_group_without_targets(template: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "run", "--template", str(template)),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(20):
        first = await process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert first.decode() == (
        "Web has no target: its requests are answered with 503: "
        "--target Web=http://127.0.0.1:PORT\n"
    )


def test_help_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "--help"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        cwd=ROOT,
    )
    for command, does in COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(does)}$", done.stdout, re.MULTILINE)


def test_missing_load_balancer_is_refused(template: Path) -> None:
    code, said = run("--template", str(template), "--load-balancer", "Nobody")
    assert code == 2
    assert said.splitlines() == [
        f"{template}:1: there is no AWS::ElasticLoadBalancingV2::LoadBalancer 'Nobody', "
        "only Balancer"
    ]


def test_missing_template_file_is_refused(tmp_path: Path) -> None:
    code, said = run("--template", str(tmp_path / "none.yml"))
    assert code == 2
    assert "No such file" in said
    assert len(said.splitlines()) == 1


def test_taken_port_is_reported_in_one_line(template: Path) -> None:
    with socket.create_server(("127.0.0.1", port_of(template))):
        code, said = run("--template", str(template))
    assert code == 2
    assert said == f"gateway: port {port_of(template)} on 127.0.0.1 is taken by another process\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--target", "Wub=http://a"), "there is no target group 'Wub', only Web"),
        (("--target", "Web=ftp://a"), "'ftp://a' is not http://HOST:PORT"),
        (("--target", f"Web=http://{'a' * 64}:80"), "is not a host name"),
        (("--target", "Web"), "'Web' is not NAME=VALUE"),
        (("--parameter", "Nonsense=1"), "there is no such parameter"),
        (("--identity", "/no/such/file"), "No such file"),
        (("--drain-seconds", "-1"), "not a number of seconds"),
        (("--access-log", "/no/such/folder/log"), "No such file"),
    ],
)
def test_invalid_arguments_are_refused(
    template: Path, arguments: tuple[str, str], line: str
) -> None:
    code, said = run("--template", str(template), *arguments)
    assert code == 2
    assert line in said


@dataclass
class Running:
    process: asyncio.subprocess.Process
    port: int
    log: Path
    clients: list[Client] = field(default_factory=list)

    async def client(self) -> Client:
        self.clients.append(Client(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.clients[-1]

    async def exit_code(self) -> int:
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def running(template: Path, url: str, *more: str) -> AsyncIterator[Running]:
    log = template.with_name("access.log")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "--template", str(template)),
        *("--target", f"Web={url}", "--access-log", str(log), "--access-log-format", "short"),
        *more,
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(20):
            while b" healthy" not in await process.stderr.readline():
                assert process.returncode is None
        started = Running(process, port_of(template), log)
        yield started
        for client in started.clients:
            client.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_requests_finish_and_closes_idle_connections(
    bench: Bench, template: Path, number: signal.Signals
) -> None:
    release = asyncio.Event()

    async def waits(visit: Visit) -> None:
        if b"/slow" in visit.request_line:
            await release.wait()
        visit.send(OK)

    target = await bench.target(waits)
    async with running(template, target.url) as gateway:
        idle, busy = await gateway.client(), await gateway.client()
        assert (await idle.get()).body == b"ok"
        busy.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: len(target.visits) == 2)
        gateway.process.send_signal(number)
        assert await idle.closed() == b""
        with pytest.raises(ConnectionRefusedError):
            await gateway.client()
        assert gateway.process.returncode is None
        release.set()
        answer = await busy.answer()
        assert (answer.body, answer.header(b"Connection")) == (b"ok", b"close")
        assert await gateway.exit_code() == 0
        assert [line.split()[:3] for line in gateway.log.read_text().splitlines()] == [
            ["GET", "/", "200"],
            ["GET", "/slow", "200"],
        ]


async def never(visit: Visit) -> None:
    await visit.reader.read()


async def test_draining_ends_after_the_drain_seconds(bench: Bench, template: Path) -> None:
    target = await bench.target(never)
    async with running(template, target.url, "--drain-seconds", "0.2") as gateway:
        client = await gateway.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: target.visits)
        gateway.process.terminate()
        assert await gateway.exit_code() == 0
        assert await client.closed() == b""


async def test_a_second_signal_stops_at_once(bench: Bench, template: Path) -> None:
    target = await bench.target(never)
    async with running(template, target.url) as gateway:
        client = await gateway.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: target.visits)
        gateway.process.terminate()
        await asyncio.sleep(0.1)
        assert gateway.process.returncode is None
        os.kill(gateway.process.pid, signal.SIGINT)
        assert await gateway.exit_code() == 0
