"""The command line and the environment of each process of a run."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laptop.credentials import Credentials
from laptop.processes import prometheus
from laptop.processes.process import Program
from laptop.settings import Settings
from topology.contexts import BY_NAME, CONTEXTS
from topology.deployments import (
    GATEWAY,
    MONOLITH,
    OPERATOR,
    OPERATOR_COMMANDS,
    PAGE,
    SERVERS,
    SERVICES,
    calls_of,
    databases_of,
    module,
    tokens_known_by,
)
from topology.routing import LOCAL_PARAMETERS, share_parameter, target_group

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository, which is the working directory of every process."""

GATEWAY_DRAIN_SECONDS: Final = 10

CLOCKS: Final = "CLOCKS_FOLDER"
"""The variable with a folder that has a file for each server, with the seconds by which its clock
is wrong, such as `+3600`. libfaketime reads it."""
CLOCK_LIBRARY: Final = "CLOCK_LIBRARY"
"""The variable with the path of libfaketime's library, if there are such files."""

# Settings that differ between processes: a process gets its own value, or none.
_PER_PROCESS: Final = frozenset(
    {
        *(context.database_url.upper() for context in CONTEXTS),
        *(context.database_password.upper() for context in CONTEXTS),
        *(context.service_url.upper() for context in CONTEXTS),
        *(context.service_token.upper() for context in CONTEXTS),
        *(f"{context.name.upper()}_CALL_PORT" for context in CONTEXTS),
        "ADMIN_DATABASE_PASSWORD",
        "ADMIN_DATABASE_URL",
        "HOST",
        "PORT",
        "INSTANCE",
    }
)


@dataclass(frozen=True)
class Server:
    """A process that answers HTTP on `port` of 127.0.0.1."""

    program: Program
    port: int


def names(copies: int) -> tuple[str, ...]:
    """The names of all processes of a run with that many copies of each server, in the order in
    which the log assigns colours. Servers that a deployment does not start may be started later."""
    servers = [copy_name(name, copy) for copy in range(1, copies + 1) for name in SERVERS]
    return (OPERATOR, *servers, GATEWAY, *OPERATOR_COMMANDS, prometheus.NAME)


def copy_name(server: str, copy: int) -> str:
    """The name of a process; copies of a server are numbered from 1."""
    return server if copy == 1 else f"{server}-{copy}"


def server(
    name: str,
    settings: Settings,
    database_urls: Mapping[str, str],
    credentials: Credentials,
    ports: Mapping[str, Sequence[int]],
    rules_file: Path,
    environment: Mapping[str, str],
    copy: int = 1,
) -> Server:
    """The process of a server behind the gateway: its copy with this number. `ports` has a port for
    each copy of each of SERVERS.

    It gets the URLs of the databases that it owns and of the services that it calls, and no others.
    A server of the page shows the shares in `rules_file`. `environment` is the environment of the
    run.
    """
    variables = {
        "LOG_FORMAT": "text",
        "SHOW_INSTANCE": "1",
        "DRAIN_SECONDS": "0",
        # All clients are on this machine and share one address.
        "ADDRESS_LIMIT": "1000000",
        "PUBLIC_ORIGIN": f"http://localhost:{settings.port}",
    }
    variables |= inherited(environment)
    port = ports[name][copy - 1]
    variables |= {"HOST": "127.0.0.1", "PORT": str(port), "INSTANCE": f"{name}-{copy}"}
    variables |= _database_variables(databases_of(name), database_urls)
    for known in tokens_known_by(name):
        variables[BY_NAME[known].service_token.upper()] = credentials.service_token(known)
    for called in calls_of(name):
        # A program between callers and called, which injects faults, has a port of its own.
        between = environment.get(call_port(called))
        reached = [int(between)] if between else ports[called]
        variables[BY_NAME[called].service_url.upper()] = ",".join(map(target_url, reached))
    if folder := environment.get(CLOCKS):
        variables |= _clock(Path(folder) / name, environment)
    if name in (PAGE, MONOLITH):
        variables["RULES_FILE"] = str(rules_file)
    return Server(_python(copy_name(name, copy), (module(name),), variables), port)


def call_port(context: str) -> str:
    """The variable with the port at which other services call this one, if it is not its own."""
    return f"{context.upper()}_CALL_PORT"


def _clock(file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    return {
        "LD_PRELOAD": environment[CLOCK_LIBRARY],
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        # A step of the clock leaves the monotonic one alone (clock_settime(2)).
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def board_command(
    name: str,
    database_urls: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    admin_url: str | None = None,
) -> Program:
    """`python -m board NAME`, with the URLs of all databases.

    `admin_url` is the superuser's URL, for the command that creates the databases.
    """
    variables = inherited(environment) | _database_variables(database_urls, database_urls)
    if admin_url is not None:
        variables["ADMIN_DATABASE_URL"] = admin_url
    return _python(name, (OPERATOR, name), variables)


def gateway(
    settings: Settings,
    ports: Mapping[str, Sequence[int]],
    shares: Mapping[str, int],
    admin_socket: Path,
    rules_file: Path,
    environment: Mapping[str, str],
    metrics_port: int | None = None,
) -> Server:
    """The gateway on the public port, in front of the servers on `ports`.

    `shares` has the percentage of its requests that each service gets. The gateway takes commands
    at `admin_socket`, and keeps its current rules in `rules_file`. It serves metrics on
    `metrics_port`, if there is one.
    """
    parameters = {**LOCAL_PARAMETERS, "ListenerPort": str(settings.port)}
    parameters |= {share_parameter(name): str(shares[name]) for name in SERVICES}
    arguments = [GATEWAY, "--template", "infra/routing.yml"]
    for parameter, value in parameters.items():
        arguments += ["--parameter", f"{parameter}={value}"]
    for name, copies in ports.items():
        for port in copies:
            arguments += ["--target", f"{target_group(name)}={target_url(port)}"]
    arguments += ["--admin-socket", str(admin_socket), "--rules-file", str(rules_file)]
    if metrics_port is not None:
        arguments += ["--metrics-port", str(metrics_port)]
    arguments += ["--drain-seconds", str(GATEWAY_DRAIN_SECONDS)]
    arguments += ["--access-log", "-", "--access-log-format", "short"]
    return Server(_python(GATEWAY, tuple(arguments), inherited(environment)), settings.port)


def target_url(port: int) -> str:
    """The URL at which the gateway and other services reach the server on that port."""
    return f"http://127.0.0.1:{port}"


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that every process inherits from the environment of the run.

    Left out are the settings with databases, addresses and secrets, and the PG* variables, which
    would change the meaning of a database URL.
    """
    variables = {
        name: value
        for name, value in environment.items()
        if name not in _PER_PROCESS and not name.startswith("PG")
    }
    # Otherwise Python buffers what it writes to a pipe.
    variables["PYTHONUNBUFFERED"] = "1"
    return variables


def _database_variables(contexts: Iterable[str], urls: Mapping[str, str]) -> dict[str, str]:
    return {BY_NAME[context].database_url.upper(): urls[context] for context in contexts}


def _python(name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    command = (sys.executable, "-m", *arguments)
    return Program(name=name, command=command, environment=environment, folder=ROOT)
