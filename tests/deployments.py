"""Starts the board in each deployment, behind the gateway: in one event loop, over loopback
sockets, or as the processes that `make run` starts."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from starlette.types import ASGIApp

import monolith.main
import services.cases.main
import services.posts.main
import services.threads.main
import services.users.main
import web.main
from gateway.gateway import start_gateway
from gateway.template.reader import load_routing
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import listening
from kernel.process.settings import ProcessSettings
from laptop import credentials, ports
from services.users.passwords import Cost
from tests import data_folders
from tests.conventions import DOCUMENTS, Conventions
from tests.eventually import eventually_blocking
from tests.known_secrets import KnownSecrets
from tests.logs import LogOfThisProcess, Logs, of_commands, of_file
from topology.contexts import CONTEXT_NAMES
from topology.deployments import SERVICES
from topology.routing import LOCAL_PARAMETERS, share_parameter, target_group

ROOT = Path(__file__).resolve().parent.parent
ORIGIN = "http://board.example"
USERS_TOKEN = "the users service's token"
THREADS_TOKEN = "the threads service's token"
POSTS_TOKEN = "the posts service's token"

CHEAP = Cost(memory=8, passes=1)
"""The least that Argon2 accepts: most tests sign in, and none of them guesses."""

_ANY_NUMBER = 10_000_000  # all tests come from one address

Settings = TypeVar("Settings", bound=ProcessSettings)
Application = Callable[[Settings, Lifecycle], AbstractAsyncContextManager[ASGIApp]]


@dataclass(frozen=True)
class Limits:
    """The board's limits; by default none applies. Intervals are in seconds; `address_limit` is the
    number of requests that an address may send in a minute, `preview_limit` the number of previews
    of a user in a minute, `edit_limit` the number of edits of a user in a day, in each context,
    `reading_limit` how often a user may record what they have read in a minute, and
    `registration_limit` the number of registrations from an address in an hour, `report_limit` the
    number of reports of a user in a day; 0 means no limit. `call_timeout` is the number of seconds
    for a call between services, or for a connection to the database: more than the default, because
    a board shares its processors with tests."""

    thread_interval: int = 0
    post_interval: int = 0
    preview_limit: int = 0
    edit_limit: int = 0
    reading_limit: int = 0
    registration_limit: int = 0
    report_limit: int = 0
    address_limit: int = _ANY_NUMBER
    call_timeout: float = 10


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Board:
    """A running board. `origins` has the URLs of the processes behind the gateway by name, where
    known; `conventions` are the rules for its responses; `databases` has each context's URL;
    `secrets` are those that its tests know, and `logs` are those of its processes, where known."""

    url: str
    public_origin: str
    conventions: Conventions
    databases: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)
    secrets: KnownSecrets = field(default_factory=KnownSecrets)
    logs: Logs | None = None


@asynccontextmanager
async def serving(application: Application[Settings], settings: Settings) -> AsyncIterator[str]:
    """Serve a process's application in this event loop. Yields its URL."""
    listener = socket.create_server((settings.host, 0), backlog=2048)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    lifecycle = Lifecycle()
    async with application(settings, lifecycle) as app, listening(app, listener):
        try:
            yield url
        finally:
            lifecycle.drain()


@asynccontextmanager
async def monolith_in_loop(
    databases: Mapping[str, str], limits: Limits = NO_LIMITS
) -> AsyncIterator[Mapping[str, str]]:
    """Serve the monolith. Yields the URLs of its processes by name."""
    settings = monolith_settings(databases, limits)
    async with serving(partial(monolith.main.application, hashing=CHEAP), settings) as url:
        yield {"monolith": url}


def monolith_settings(
    databases: Mapping[str, str], limits: Limits = NO_LIMITS
) -> monolith.main.Settings:
    """The settings of a monolith on these databases."""
    return monolith.main.Settings(
        **_of_a_process("monolith-1", limits),
        acquire_timeout=limits.call_timeout,
        users_database_url=databases["users"],
        threads_database_url=databases["threads"],
        posts_database_url=databases["posts"],
        cases_database_url=databases["cases"],
        thread_interval=limits.thread_interval,
        post_interval=limits.post_interval,
        preview_limit=limits.preview_limit,
        reading_limit=limits.reading_limit,
        edit_limit=limits.edit_limit,
        sign_in_address_failures=_ANY_NUMBER,
        registration_limit=limits.registration_limit,
        report_limit=limits.report_limit,
    )


@asynccontextmanager
async def services_in_loop(
    databases: Mapping[str, str], limits: Limits = NO_LIMITS
) -> AsyncIterator[Mapping[str, str]]:
    """Serve the page and the services, which call each other over HTTP. Yields the URLs of
    the processes by name."""
    async with AsyncExitStack() as stack:
        opened = stack.enter_async_context
        users = await opened(users_service(databases["users"], limits=limits))
        threads = await opened(threads_service(databases["threads"], users, limits))
        posts = await opened(posts_service(databases["posts"], users, threads, limits))
        cases = await opened(cases_service(databases["cases"], users, threads, posts, limits))
        page = await opened(web_service(users, threads, posts))
        yield {"users": users, "threads": threads, "posts": posts, "cases": cases, "web": page}


def users_service(
    database: str, sign_in_address_failures: int = _ANY_NUMBER, limits: Limits = NO_LIMITS
) -> AbstractAsyncContextManager[str]:
    """Serve the users service. Yields its URL."""
    settings = services.users.main.Settings(
        **_of_a_process("users-1", limits),
        acquire_timeout=limits.call_timeout,
        users_database_url=database,
        users_service_token=USERS_TOKEN,
        sign_in_address_failures=sign_in_address_failures,
        registration_limit=limits.registration_limit,
        edit_limit=limits.edit_limit,
    )
    return serving(partial(services.users.main.application, hashing=CHEAP), settings)


def threads_service(
    database: str, users: str, limits: Limits = NO_LIMITS
) -> AbstractAsyncContextManager[str]:
    """Serve the threads service, which calls users at the given URL. Yields its URL."""
    settings = services.threads.main.Settings(
        **_of_a_process("threads-1", limits),
        call_timeout=limits.call_timeout,
        acquire_timeout=limits.call_timeout,
        threads_database_url=database,
        threads_service_token=THREADS_TOKEN,
        users_url=users,
        users_service_token=USERS_TOKEN,
        thread_interval=limits.thread_interval,
        edit_limit=limits.edit_limit,
    )
    return serving(services.threads.main.application, settings)


def posts_service(
    database: str,
    users: str,
    threads: str,
    limits: Limits = NO_LIMITS,
    *,
    users_token: str = USERS_TOKEN,
) -> AbstractAsyncContextManager[str]:
    """Serve the posts service, which calls the others at the given URLs. Yields its URL."""
    settings = services.posts.main.Settings(
        **_of_a_process("posts-1", limits),
        call_timeout=limits.call_timeout,
        acquire_timeout=limits.call_timeout,
        posts_database_url=database,
        posts_service_token=POSTS_TOKEN,
        users_url=users,
        users_service_token=users_token,
        threads_url=threads,
        threads_service_token=THREADS_TOKEN,
        post_interval=limits.post_interval,
        preview_limit=limits.preview_limit,
        reading_limit=limits.reading_limit,
        edit_limit=limits.edit_limit,
    )
    return serving(services.posts.main.application, settings)


def cases_service(
    database: str, users: str, threads: str, posts: str, limits: Limits = NO_LIMITS
) -> AbstractAsyncContextManager[str]:
    """Serve the cases service, which calls the others at the given URLs. Yields its URL."""
    settings = services.cases.main.Settings(
        **_of_a_process("cases-1", limits),
        call_timeout=limits.call_timeout,
        acquire_timeout=limits.call_timeout,
        cases_database_url=database,
        users_url=users,
        users_service_token=USERS_TOKEN,
        threads_url=threads,
        threads_service_token=THREADS_TOKEN,
        posts_url=posts,
        posts_service_token=POSTS_TOKEN,
        report_limit=limits.report_limit,
    )
    return serving(services.cases.main.application, settings)


def web_service(users: str, threads: str, posts: str) -> AbstractAsyncContextManager[str]:
    """Serve the page, which reads from the services at the given URLs. Yields its URL."""
    settings = web.main.Settings(
        **_of_a_process("web-1"),
        call_timeout=NO_LIMITS.call_timeout,
        users_url=users,
        users_service_token=USERS_TOKEN,
        threads_url=threads,
        threads_service_token=THREADS_TOKEN,
        posts_url=posts,
        posts_service_token=POSTS_TOKEN,
    )
    return serving(web.main.application, settings)


@asynccontextmanager
async def behind_gateway(
    origins: Mapping[str, str],
    databases: Mapping[str, str],
    conventions: Conventions | None = None,
    log: LogOfThisProcess | None = None,
) -> AsyncIterator[Board]:
    """Serve the gateway, with the deployed template, in front of these processes, which log to
    `log`. Unless `conventions` are given, they are read from the processes' API documents."""
    share = "0" if "monolith" in origins else "100"
    parameters = {
        **LOCAL_PARAMETERS,
        **{share_parameter(service): share for service in SERVICES},
    }
    routing = load_routing(ROOT / "infra" / "routing.yml", parameters)
    targets = {target_group(name): [url] for name, url in origins.items()}
    access_log = None if log is None else log.access_log()
    gateway = await start_gateway(routing, targets, port=0, access_log=access_log)
    try:
        await gateway.first_checks()
        url = f"http://127.0.0.1:{gateway.port}"
        conventions = conventions or await _conventions(url)
        secrets = KnownSecrets([USERS_TOKEN, THREADS_TOKEN, POSTS_TOKEN, *_passwords(databases)])
        logs = None if log is None else log.logs
        yield Board(url, ORIGIN, conventions, databases, origins, secrets, logs)
    finally:
        await gateway.drain(1)
        await gateway.close()


def _of_a_process(instance: str, limits: Limits = NO_LIMITS) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": 0,
        "instance": instance,
        "show_instance": True,
        "drain_seconds": 0,
        "address_limit": limits.address_limit,
        "public_origin": ORIGIN,
    }


@dataclass
class Run:
    """The board as processes, started the way `make run` starts it."""

    board: Board
    process: subprocess.Popen[str]
    log: Path

    def stop(self) -> int:
        """Send what Ctrl-C sends, and return the exit status."""
        return _stop(self.process)


@contextmanager
def processes(deployment: str, variables: Mapping[str, str] | None = None) -> Iterator[Run]:
    """`make run` on a free port with a data folder of its own, and with these variables in its
    environment; yields when the board is up."""
    with tempfile.TemporaryDirectory(prefix="board-run-", dir=data_folders.parent()) as name:
        folder = Path(name)
        folder.chmod(0o711)  # for the user that PostgreSQL runs as
        log = folder / "log"
        (port,) = ports.free(1)
        environment = {
            **os.environ,
            "PORT": str(port),
            "DATA_DIR": str(folder / "data"),
            "DEPLOYMENT": deployment,
            "THREAD_INTERVAL": "0",
            "POST_INTERVAL": "0",
            "PREVIEW_LIMIT": "0",
            "READING_LIMIT": "0",
            "EDIT_LIMIT": "0",
            "REGISTRATION_LIMIT": "0",
            "REPORT_LIMIT": "0",
            "SIGN_IN_ADDRESS_FAILURES": str(_ANY_NUMBER),
            **(variables or {}),
        }
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "laptop"],
                cwd=ROOT, env=environment, stdout=output, stderr=output, text=True,
            )  # fmt: skip
            origin = f"http://localhost:{port}"
            try:
                _wait_for(f": {origin}", log, process)
                url = f"http://127.0.0.1:{port}"
                configured = credentials.load_or_create(folder / "data")
                board = Board(
                    url,
                    origin,
                    _conventions_of_a_run(url),
                    databases_of_a_run(folder / "data"),
                    secrets=KnownSecrets(configured.by_name.values()),
                    logs=of_file(log),
                )
                yield Run(board, process, log)
            finally:
                _stop(process)


def running(description: Mapping[str, Any]) -> Board:
    """A board that another program has started: its `url`, its `public_origin`, its `databases`,
    its `secrets`, and the arguments of `tests.logs.of_commands` in `logs`."""
    return Board(
        description["url"],
        description["public_origin"],
        _conventions_of_a_run(description["url"]),
        description["databases"],
        secrets=KnownSecrets(description["secrets"]),
        logs=of_commands(**description["logs"]),
    )


def _stop(process: subprocess.Popen[str]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    return process.wait(timeout=30)


async def _conventions(url: str) -> Conventions:
    async with httpx.AsyncClient(base_url=url, timeout=15, trust_env=False) as http:
        return Conventions([(await http.get(path)).json() for path in DOCUMENTS])


def _conventions_of_a_run(url: str) -> Conventions:
    with httpx.Client(base_url=url, timeout=15, trust_env=False) as http:
        return Conventions([http.get(path).json() for path in DOCUMENTS])


def _passwords(databases: Mapping[str, str]) -> list[str]:
    return [urlsplit(url).password or "" for url in databases.values()]


def databases_of_a_run(data_folder: Path) -> Mapping[str, str]:
    configured = credentials.load_or_create(data_folder)
    socket_folder = (data_folder / "postgres" / "postmaster.pid").read_text().splitlines()[4]
    passwords = {context: configured.password(context) for context in CONTEXT_NAMES}
    return {
        context: f"postgresql://{context}:{password}@/{context}?host={quote(socket_folder)}"
        for context, password in passwords.items()
    }


def _wait_for(line: str, log: Path, process: subprocess.Popen[str]) -> None:
    def logged() -> bool:
        text = log.read_text()
        assert process.poll() is None, f"the board did not come up:\n{text}"
        return line in text

    eventually_blocking(logged, within=60, what=f"{line!r} in {log}")
