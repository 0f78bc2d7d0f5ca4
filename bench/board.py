"""Starts a whole board as `make run` does, and asks its servers which errors they counted."""

import asyncio
import json
import os
import re
import secrets
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from bench.programs import cpu_seconds, process, wait_for
from board.bootstrap import bootstrap
from board.migrate import migrate
from laptop import ports, programs
from laptop.credentials import load_or_create
from laptop.postgres.server import PostgresServer
from laptop.settings import Settings
from topology.contexts import CONTEXT_NAMES, CONTEXTS
from topology.deployments import DEPLOYMENTS, GATEWAY, MONOLITH, SERVERS, SERVICES

_FAILED: Final = 500
_ERROR_LINE: Final = re.compile(rb'^\{[^\n]*"level": "(?:error|critical)".*$', re.MULTILINE)
_UNLIMITED: Final = "1000000000"

Sample = tuple[str, Mapping[str, str], float]
"""A sample of a metric: name, labels and value."""


@dataclass(frozen=True)
class Server:
    """A process that answers HTTP on `port`, its metrics on `metrics_port`, and its log."""

    name: str
    pid: int
    port: int
    metrics_port: int
    log: Path | None

    def url(self, path: str = "") -> str:
        """The URL of a path on this server."""
        return f"http://127.0.0.1:{self.port}{path}"

    def samples(self) -> list[Sample]:
        """Its metrics now."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as response:
            text = response.read().decode()
        return [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]


@dataclass(frozen=True)
class Board:
    """A running board. Its clients send requests to `port`: the gateway's, or a server's."""

    servers: Mapping[str, Server]
    gateway: Server | None
    port: int

    @property
    def processes(self) -> Sequence[Server]:
        """All processes, with the gateway."""
        return [*self.servers.values(), *([self.gateway] if self.gateway else [])]

    def cpu_seconds(self) -> float:
        """The CPU time of all processes so far, with the children that render posts."""
        return sum(tree_cpu_seconds(each.pid) for each in self.processes)

    def error_counts(self) -> Counter[str]:
        """How many errors of each kind the servers have counted or logged so far."""
        found: Counter[str] = Counter()
        for each in self.processes:
            for error, count in counted_errors(each.samples()).items():
                found[f"{each.name}: {error}"] += count
            if each.log is not None:
                for error, count in logged_errors(each.log).items():
                    found[f"{each.name}: {error}"] += count
        return found

    def errors(self, before: Counter[str] | None = None) -> list[str]:
        """A sentence for each kind of error that the servers have counted or logged, so far or
        since `error_counts()` was `before`."""
        return [
            f"{error}, {count} times"
            for error, count in (self.error_counts() - (before or Counter())).items()
        ]


def counted_errors(samples: Sequence[Sample]) -> Counter[str]:
    """What the metrics of a server or of the gateway say about failed requests."""
    found: Counter[str] = Counter()
    for name, labels, value in samples:
        if name == "board_requests_total" and int(labels["status"]) >= _FAILED:
            found[f"{labels['method']} {labels['operation']} with {labels['status']}"] += int(value)
        elif re.fullmatch(r"HTTPCode_(ELB|Target)_5XX_Count(_total)?", name):
            found[name.removesuffix("_total")] += int(value)
    return +found


def logged_errors(log: Path) -> Counter[str]:
    """The errors in a log in JSON, by their messages."""
    lines = _ERROR_LINE.findall(log.read_bytes())
    return Counter(f"logged {json.loads(line).get('message', '')[:300]!r}" for line in lines)


def tree_cpu_seconds(pid: int) -> float:
    """The CPU time of a process and of its children that run, in seconds."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return cpu_seconds(pid) + sum(tree_cpu_seconds(int(child)) for child in children)


def create_databases(server: PostgresServer, prefix: str = "") -> dict[str, str]:
    """Create and migrate the databases of one board. Returns their URLs by context."""
    names = {context: f"{prefix}{context}" for context in CONTEXT_NAMES}
    urls = {context: server.url(name, name, secrets.token_hex()) for context, name in names.items()}
    asyncio.run(bootstrap(server.admin_url, urls))
    asyncio.run(migrate(urls))
    return urls


@dataclass(frozen=True)
class Plan:
    """The processes of a deployment, before they start; their files are in `folder`.

    Metrics and the log are on, tracing is off. All requests come from one address, so its limit is
    counted and never reached. `settings` are those of the servers that differ.
    """

    deployment: str
    urls: Mapping[str, str]
    folder: Path
    settings: Mapping[str, str]
    ports: Mapping[str, int]
    public_port: int
    metrics_port: int

    @classmethod
    def make(
        cls, deployment: str, urls: Mapping[str, str], folder: Path, settings: Mapping[str, str]
    ) -> "Plan":
        """A plan with free ports."""
        *found, public, metrics = ports.free(len(SERVERS) + 2)
        named = dict(zip(SERVERS, found, strict=True))
        return cls(deployment, urls, folder, settings, named, public, metrics)

    @property
    def names(self) -> Sequence[str]:
        """The servers of the deployment."""
        return DEPLOYMENTS[self.deployment]

    def server(self, name: str) -> programs.Server:
        """The process of a server."""
        return programs.server(
            name, self._run(), self.urls, load_or_create(self.folder),
            {server: [port] for server, port in self.ports.items()},
            self.folder / "rules.json", self._environment(),
        )  # fmt: skip

    def gateway(self) -> programs.Server:
        """The process of the gateway in front of the servers."""
        run = self._run()
        return programs.gateway(
            run,
            {name: [self.ports[name]] for name in self.names},
            run.shares,
            self.folder / "socket",
            self.folder / "rules.json",
            self._environment(),
            self.metrics_port,
        )

    def _run(self) -> Settings:
        shares = dict.fromkeys(SERVICES, 0 if MONOLITH in self.names else 100)
        return Settings(
            self.deployment, self.public_port, self.folder, shares, 1, None, self.urls, None
        )

    def _environment(self) -> Mapping[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("OTEL_")
        }
        return {
            **inherited,
            "LOG_FORMAT": "json",
            "SHOW_INSTANCE": "0",
            "ADDRESS_LIMIT": _UNLIMITED,
            **self.settings,
        }


@contextmanager
def running(
    deployment: str,
    urls: Mapping[str, str],
    *,
    with_gateway: bool = False,
    with_logs: bool = True,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Board]:
    """A deployment's servers on these databases, until the block ends.

    Without `with_logs`, log lines are written to /dev/null: a minute of cached responses makes a
    gigabyte of them.
    """
    with tempfile.TemporaryDirectory(prefix="board-") as name, ExitStack() as stack:
        folder = Path(name)
        plan = Plan.make(deployment, urls, folder, settings or {})
        started = {}
        for each in plan.names:
            log = folder / f"{each}.log" if with_logs else None
            planned = plan.server(each)
            pid = _start(stack, planned, log, "/readyz")
            started[each] = Server(each, pid, planned.port, planned.port, log)
        gateway = None
        if with_gateway:
            planned = plan.gateway()
            pid = _start(stack, planned, None, *(context.open_path for context in CONTEXTS))
            gateway = Server(GATEWAY, pid, planned.port, plan.metrics_port, None)
        port = gateway.port if gateway else plan.ports[plan.names[0]]
        yield Board(started, gateway, port)


def _start(stack: ExitStack, planned: programs.Server, log: Path | None, *paths: str) -> int:
    program = planned.program
    started = stack.enter_context(process(program.command, program.environment, log))
    for path in paths:
        wait_for(planned.port, started, path)
    return started.pid
