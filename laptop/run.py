"""One run of the board: starts its processes in order, supervises them, stops them in order."""

import asyncio
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

from laptop import credentials, ports, probe, programs
from laptop.control import CONTROL, GATEWAY_SOCKET, RULES_FILE, RUN_SOCKET
from laptop.data_folder import make_data_folder
from laptop.errors import CannotRunError
from laptop.json_socket import CommandServer
from laptop.log import MergedLog
from laptop.operations import SERVICE_PATIENCE, Copy, Operations, Running
from laptop.postgres import socket_folder
from laptop.postgres.server import PostgresServer
from laptop.postgres.supervised import SupervisedDatabase
from laptop.processes.process import run_once
from laptop.processes.prometheus import Observer
from laptop.processes.supervised import SupervisedProcess
from laptop.programs import Server
from laptop.settings import Settings
from laptop.traffic import Traffic
from topology.contexts import CONTEXT_NAMES, CONTEXTS
from topology.deployments import DEPLOYMENTS, SERVERS

_START_SECONDS = 60.0
_GATEWAY_PATIENCE = programs.GATEWAY_DRAIN_SECONDS + 2.0


async def run(settings: Settings, environment: Mapping[str, str], log: MergedLog) -> int:
    """Run the board until SIGINT, SIGTERM or SIGHUP, and return the exit code.

    It is 0 after such a signal, even during the start, and 1 if the board could not start or a
    process ended six times within a minute. A second signal kills the processes that are stopping.
    """
    board = Board(settings, environment, log)
    asked_to_stop = asyncio.Event()

    def on_signal() -> None:
        if asked_to_stop.is_set():
            board.kill()
        asked_to_stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    # SIGHUP means that the terminal was closed. nohup makes the board ignore it and continue.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, on_signal)

    running = asyncio.create_task(board.run())
    asked = asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait([running, asked], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    failed = running.done()
    running.cancel()
    try:
        await _log_failures(running, log)
    finally:
        await board.stop()
    log.say("board", "stopped")
    return 1 if failed else 0


class Board:
    """The processes of one run."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], log: MergedLog) -> None:
        """`environment` has the environment variables of the run. `run()` starts the processes."""
        self._settings = settings
        self._environment = environment
        self._log = log
        self._database: SupervisedDatabase | None = None
        self._running: Running = {}
        self._gateway: SupervisedProcess | None = None
        self._prometheus: SupervisedProcess | None = None
        self._began = time.monotonic()

    async def run(self) -> None:
        """Start all processes, then supervise them until cancelled. Call `stop()` afterwards.

        Raises:
            ExceptionGroup: with a CannotRunError, if a process does not start or ends too often.
        """
        async with asyncio.TaskGroup() as supervisors:
            await self._start(supervisors)
            self._announce()

    async def stop(self) -> None:
        """Stop the gateway, which finishes its requests, then the services, then PostgreSQL."""
        async with asyncio.TaskGroup() as stopping:
            if self._gateway is not None:
                self._log.say("board", "stopping the gateway")
                draining = stopping.create_task(self._gateway.stop(_GATEWAY_PATIENCE))
                # The gateway waits for open event streams, which end only when the services stop.
                await asyncio.wait([draining], timeout=1.0)
            if self._running:
                self._log.say("board", "stopping the services")
            if self._prometheus is not None:
                stopping.create_task(self._prometheus.stop(SERVICE_PATIENCE))
            for copy in self._copies():
                copy.faults.apply("mend")  # a frozen process would not react to SIGTERM
                stopping.create_task(copy.process.stop(SERVICE_PATIENCE))
        if self._database is not None:
            self._log.say("board", "stopping PostgreSQL")
            await self._database.stop()

    def kill(self) -> None:
        """Kill every process except PostgreSQL, which stops quickly in any case."""
        self._log.say("board", "killing all processes")
        if self._gateway is not None:
            self._gateway.kill()
        for copy in self._copies():
            copy.process.kill()

    async def _start(self, supervisors: asyncio.TaskGroup) -> None:
        settings = self._settings
        ports.check_free(settings.port)
        urls, secrets, admin_url = await self._start_database(supervisors)
        sockets = socket_folder.choose(
            settings.data_folder, None, Path(tempfile.gettempdir()), CONTROL
        )
        unused = iter(ports.free(len(SERVERS) * settings.copies, but=settings.port))
        free = {name: [*islice(unused, settings.copies)] for name in SERVERS}

        rules_file = sockets / RULES_FILE
        observer = self._observer()

        def server(name: str, copy: int) -> Server:
            return programs.server(
                name, settings, urls, secrets, free, rules_file, self._environment, copy
            )

        def gateway(shares: Mapping[str, int]) -> Server:
            targets = {name: free[name] for name in self._running}
            return programs.gateway(
                settings,
                targets,
                shares,
                sockets / GATEWAY_SOCKET,
                rules_file,
                self._environment,
                None if observer is None else observer.gateway_metrics_port,
            )

        # The services load their code while the databases are prepared; both take about a second.
        names = DEPLOYMENTS[settings.deployment]
        number = "" if settings.copies == 1 else f", {settings.copies} copies of each"
        self._log.say("board", f"starting {', '.join(names)}{number}")
        for name in names:
            made = [server(name, copy) for copy in range(1, settings.copies + 1)]
            self._running[name] = [Copy.of(one, self._launch(one, supervisors)) for one in made]
        if admin_url is not None:
            await self._board("bootstrap", urls, admin_url)
        await self._board("migrate", urls)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._board("demo", urls))
            for copy in self._copies():
                # Not before the migrations: until then, a service answers each check that it is not
                # ready, and logs that.
                group.create_task(self._until_ok(copy.server, "/readyz"))
        public = gateway(settings.shares)
        launched = self._gateway = self._launch(public, supervisors)
        async with asyncio.TaskGroup() as group:
            for path in ("/", *(context.open_path for context in CONTEXTS)):
                group.create_task(self._until_ok(public, path))
        for process in (*(copy.process for copy in self._copies()), launched):
            process.establish()

        if observer is not None and self._prometheus is not None:
            observer.follow(self._ports())
            self._prometheus.start()
            supervisors.create_task(self._prometheus.supervise())
            self._prometheus.establish()

        def changed(shares: Mapping[str, int]) -> None:
            launched.program = gateway(shares).program  # used if the gateway restarts
            if observer is not None:
                observer.follow(self._ports())

        operations = Operations(
            self._running,
            server,
            settings.copies,
            Traffic(sockets / GATEWAY_SOCKET),
            supervisors,
            self._log,
            changed,
        )
        control = CommandServer(sockets / RUN_SOCKET, operations.run)
        supervisors.create_task(control.serve())

    def _copies(self) -> Iterator[Copy]:
        return chain.from_iterable(self._running.values())

    def _ports(self) -> Mapping[str, int]:
        return {copy.server.program.name: copy.server.port for copy in self._copies()}

    def _observer(self) -> Observer | None:
        settings = self._settings
        if settings.observe_port is None:
            return None
        ports.check_free(settings.observe_port, "OBSERVE_PORT")
        (metrics,) = ports.free(1, but=settings.port)
        observer = Observer(settings.data_folder / "prometheus", settings.observe_port, metrics)
        program = observer.program(programs.inherited(self._environment))
        self._prometheus = SupervisedProcess(program, self._log)
        return observer

    async def _start_database(
        self, supervisors: asyncio.TaskGroup
    ) -> tuple[Mapping[str, str], credentials.Credentials, str | None]:
        """Start PostgreSQL, unless the settings name another server.

        Returns the databases' URLs, the credentials, and the superuser's URL if it is known.
        """
        settings = self._settings
        if settings.database_urls:
            make_data_folder(settings.data_folder)
            secrets = credentials.load_or_create(settings.data_folder)
            return settings.database_urls, secrets, settings.admin_database_url
        server, secrets = embedded(settings.data_folder)
        self._database = SupervisedDatabase(server, self._log)
        if not server.cluster.exists():
            self._log.say("board", f"creating a PostgreSQL cluster in {server.cluster}")
        with self._step("starting PostgreSQL"):
            await self._database.start()
        supervisors.create_task(self._database.supervise())
        return database_urls(server, secrets), secrets, server.admin_url

    def _launch(self, server: Server, supervisors: asyncio.TaskGroup) -> SupervisedProcess:
        process = SupervisedProcess(server.program, self._log)
        process.start()
        supervisors.create_task(process.supervise())
        return process

    async def _board(
        self, name: str, urls: Mapping[str, str], admin_url: str | None = None
    ) -> None:
        """Run `python -m board NAME`, and wait until it has succeeded."""
        program = programs.board_command(name, urls, self._environment, admin_url=admin_url)
        with self._step(f"board {name}"):
            await run_once(program, self._log)

    async def _until_ok(self, server: Server, path: str) -> None:
        name = server.program.name
        with self._step(f"{name} answers {path}"):
            answer = await probe.until_ok(server.port, path, seconds=_START_SECONDS)
        if answer != 200:
            what = "not at all" if answer is None else f"with {answer}"
            raise CannotRunError(f"{name} answered {path} {what} for {_START_SECONDS:.0f} s")

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._log.say("board", f"{what} ... {time.monotonic() - began:.1f} s")

    def _announce(self) -> None:
        settings = self._settings
        address = f"http://localhost:{settings.port}"
        took = time.monotonic() - self._began
        self._log.show(
            f"""
The board is up after {took:.1f} s ({settings.deployment}): {address}

    curl {address}/api/threads
    curl -i '{address}/api/posts?limit=3'
{self._where_to_look()}
Stop it with Ctrl-C.
"""
        )

    def _where_to_look(self) -> str:
        port = self._settings.observe_port
        if port is None:
            return ""
        return f"""
Prometheus, with its alerts: http://localhost:{port}/alerts
"""


def embedded(data_folder: Path) -> tuple[PostgresServer, credentials.Credentials]:
    """The PostgreSQL server of a data folder, not started, and its passwords.

    Raises:
        CannotRunError: the folder has a cluster, but no longer its passwords.
    """
    make_data_folder(data_folder)
    if (data_folder / "postgres").exists() and not (data_folder / credentials.FILE_NAME).exists():
        raise CannotRunError(
            f"{data_folder / credentials.FILE_NAME} is missing, and with it the passwords of the "
            f"databases in {data_folder}: restore it, or move the folder away to start with an "
            "empty board"
        )
    secrets = credentials.load_or_create(data_folder)
    return PostgresServer(data_folder, admin_password=secrets.admin_password), secrets


def database_urls(server: PostgresServer, secrets: credentials.Credentials) -> Mapping[str, str]:
    """The URL of each context's database on a started server.

    Database and role have the context's name.
    """
    return {name: server.url(name, name, secrets.password(name)) for name in CONTEXT_NAMES}


async def _log_failures(running: asyncio.Task[None], log: MergedLog) -> None:
    """Log each CannotRunError; raise every other exception, which is a defect of this program."""
    try:
        await running
    except asyncio.CancelledError:
        return
    except BaseExceptionGroup as group:
        expected, faults = group.split(CannotRunError)
        for error in _leaves(expected):
            log.say("board", str(error))
        if faults is not None:
            raise faults from None


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [] if error is None else [error]
