"""docs/gateway.md: each example runs as described, with a target for each group."""

import argparse
import asyncio
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.admin.commands import run_command
from gateway.admin.control import Control
from gateway.admin.options import read_options
from gateway.admin.server import AdminServer
from gateway.admin.template_options import load_templates
from gateway.gateway import Gateway, start_gateway
from gateway.proxy.identities import read_identities
from gateway.targets.function_process import FunctionProcesses, parse_folder
from gateway.template.names import full_name
from tests.unit.gateway.certificates import NAME, SelfSigned, make
from tests.unit.gateway.functions import LAMBDA_PYTHON
from tests.unit.gateway.support import Bench, Client, Visit

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "gateway.md").read_text()
SITUATIONS = re.findall(
    r"^## ([^\n]+)\n(?:(?!^## ).)*?`(docs/examples/\w+)`(?:(?!^## ).)*?```console\n(.*?)```",
    PAGE,
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Situation:
    """What a block has started so far."""

    bench: Bench
    gateway: Gateway | None = None
    admin: AdminServer | None = None
    certificate: SelfSigned | None = None
    functions: FunctionProcesses = field(
        default_factory=lambda: FunctionProcesses(str(LAMBDA_PYTHON))
    )

    async def run(self, arguments: Sequence[str]) -> None:
        options = read_options(arguments, "alb")
        routing = load_templates(options).routing
        targets: dict[str, list[str]] = {}
        for name, url in options.target:
            group = full_name(name, routing.target_groups, "target group")
            targets[group] = [url if parse_folder(url) else await self.target(group)]
        certificates = {}
        if self.certificate is not None:
            certificates = {name: self.certificate.files for name, _ in options.certificate}
        identities = None
        if options.identity is not None:
            identities = read_identities(options.identity, routing.load_balancer.logical_id)
        self.gateway = await start_gateway(
            routing,
            await self.functions.start(targets),
            port=0,
            certificates=certificates,
            identities=identities,
        )
        self.bench.keep(self.gateway)
        await self.gateway.first_checks()
        if options.admin_socket is not None:
            control = Control(self.gateway, lambda: load_templates(options).routing)
            self.admin = AdminServer(control, options.admin_socket)
            await self.admin.start()

    async def target(self, group: str) -> str:
        """A fake process that answers with the name of its group, and with the user of the
        request."""

        async def script(visit: Visit) -> None:
            await visit.body()
            identity = visit.header(b"x-amzn-oidc-identity")
            body = group.encode() + (b" " + identity if identity else b"")
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

        return (await self.bench.target(script)).url

    async def curl(self, arguments: Sequence[str]) -> str:
        """The body, or the status if the page shows that."""
        assert self.gateway is not None
        options = _CURL.parse_args(arguments)
        headers = "".join(f"{header}\r\n" for header in options.header)
        path = "/" + options.url.split("/", 3)[3]
        trusted = None
        if options.url.startswith("https:"):
            assert self.certificate is not None
            trusted = self.certificate.client()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.gateway.port, ssl=trusted, server_hostname=trusted and NAME
        )
        client = Client(reader, writer)
        self.bench.keep_client(client)
        client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        answer = await client.answer()
        return str(answer.status) if options.write_out else answer.body.decode()

    async def close(self) -> None:
        await self.functions.close()
        if self.admin is not None:
            await self.admin.close()


_CURL = argparse.ArgumentParser()
_CURL.add_argument("-H", dest="header", action="append", default=[])
_CURL.add_argument("-k", action="store_true")
_CURL.add_argument("-o")
_CURL.add_argument("-w", dest="write_out")
_CURL.add_argument("url")


def commands(block: str) -> list[tuple[list[str], list[str]]]:
    """Each command of the block, and the lines that it prints."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((shlex.split(line[2:]), []))
        else:
            found[-1][1].append(line)
    return found


def test_guide_has_all_examples() -> None:
    assert len(SITUATIONS) == 5


@pytest.mark.parametrize(
    ("folder", "block"), [situation[1:] for situation in SITUATIONS], ids=lambda text: text[:24]
)
async def test_example_of_the_guide_runs_as_described(
    bench: Bench,
    folder: str,
    block: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT / folder)
    situation = Situation(bench)
    try:
        for [program, *arguments], printed in commands(block):
            arguments = [word.replace("alb.sock", str(tmp_path / "s")) for word in arguments]
            if program == "openssl":
                situation.certificate = make(tmp_path)
            elif program == "curl":
                assert [await situation.curl(arguments)] == printed
            elif arguments[0] == "run":
                await situation.run(arguments[1:])
            else:
                assert await asyncio.to_thread(run_command, arguments) == 0
                said = capsys.readouterr().out.splitlines()
                assert not printed or said == printed
    finally:
        await situation.close()
