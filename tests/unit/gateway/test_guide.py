"""docs/gateway.md: each situation runs as the page says, with a target for each group."""

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
from gateway.template.names import full_name
from tests.unit.gateway.emulator import Emulator
from tests.unit.gateway.support import Bench, says

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
    emulators: list[Emulator] = field(default_factory=list)

    async def run(self, arguments: Sequence[str]) -> None:
        options = read_options(arguments, "alb")
        routing = load_templates(options).routing
        targets: dict[str, list[str]] = {}
        for name, url in options.target:
            group = full_name(name, routing.target_groups, "target group")
            targets[group] = [await self.target(group, url)]
        self.gateway = await start_gateway(routing, targets, port=0)
        self.bench.keep(self.gateway)
        await self.gateway.first_checks()
        if options.admin_socket is not None:
            control = Control(self.gateway, lambda: load_templates(options).routing)
            self.admin = AdminServer(control, options.admin_socket)
            await self.admin.start()

    async def target(self, group: str, url: str) -> str:
        """Stands in for the process at ``url``."""
        if url.startswith("lambda+"):
            emulator = Emulator(lambda _: {"statusCode": 200, "body": group})
            self.emulators.append(emulator)
            return await emulator.start()
        body = group.encode()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        return (await self.bench.target(says(answer))).url

    async def curl(self, arguments: Sequence[str]) -> str:
        assert self.gateway is not None
        *options, url = arguments
        headers = "".join(f"{value}\r\n" for value in options if value != "-H")
        path = "/" + url.split("/", 3)[3]
        client = await self.bench.client(self.gateway)
        client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        return (await client.answer()).body.decode()

    async def close(self) -> None:
        for emulator in self.emulators:
            emulator.close()
        if self.admin is not None:
            await self.admin.close()


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
    assert len(SITUATIONS) == 4


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
            if program == "curl":
                assert [await situation.curl(arguments)] == printed
            elif arguments[0] == "run":
                await situation.run(arguments[1:])
            else:
                assert await asyncio.to_thread(run_command, arguments) == 0
                said = capsys.readouterr().out.splitlines()
                assert not printed or said == printed
    finally:
        await situation.close()
