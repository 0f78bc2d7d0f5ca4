"""Which processes a run consists of, and what each is told: the whole wiring, as plain values."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laptop.credentials import Credentials
from laptop.processes import Program
from laptop.settings import CONTEXTS, SERVICES, Context, Settings

ROOT: Final = Path(__file__).resolve().parent.parent
"""The folder with the packages, in which every process works."""

GATEWAY_DRAIN_SECONDS: Final = 10

_CALLS: Final[Mapping[Context, tuple[Context, ...]]] = {
    "users": (),
    "threads": ("users",),
    "posts": ("users", "threads"),
}

_DATABASE_URLS: Final = {context: f"{context.upper()}_DATABASE_URL" for context in CONTEXTS}

# What a process must not inherit: it is told its own, or has none.
_OURS: Final = frozenset(
    {
        *_DATABASE_URLS.values(),
        *(f"{context.upper()}_DATABASE_PASSWORD" for context in CONTEXTS),
        "ADMIN_DATABASE_PASSWORD",
        "ADMIN_DATABASE_URL",
        *(f"{context.upper()}_URL" for context in CONTEXTS),
        *(f"{context.upper()}_SERVICE_TOKEN" for context in CONTEXTS),
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


def names(settings: Settings) -> list[str]:
    """The names of all processes of a run, in the order in which the log shows their colours."""
    return ["board", *server_names(settings), "gateway", "bootstrap", "migrate", "demo"]


def servers(
    settings: Settings,
    database_urls: Mapping[Context, str],
    credentials: Credentials,
    ports: Mapping[str, int],
    environment: Mapping[str, str],
) -> list[Server]:
    """The processes behind the gateway. `ports` has one for each of `server_names(settings)`.

    Each is told the databases it owns and the neighbours it calls, and nothing of the others.
    """
    tokens = {
        "users": credentials.users_service_token,
        "threads": credentials.threads_service_token,
    }
    found: list[Server] = []
    for name in server_names(settings):
        told = {
            "LOG_FORMAT": "text",
            "SHOW_INSTANCE": "1",
            "DRAIN_SECONDS": "0",
            # Everybody on this machine has the same address.
            "ADDRESS_LIMIT": "1000000",
            "PUBLIC_ORIGIN": f"http://localhost:{settings.port}",
        }
        told |= inherited(environment)
        told |= {"HOST": "127.0.0.1", "PORT": str(ports[name]), "INSTANCE": f"{name}-1"}
        for context in CONTEXTS:
            if name in (context, "monolith"):
                told[_DATABASE_URLS[context]] = database_urls[context]
            if name != context:
                continue
            if context in tokens:
                told[f"{context.upper()}_SERVICE_TOKEN"] = tokens[context]
            for neighbour in _CALLS[context]:
                told[f"{neighbour.upper()}_URL"] = f"http://127.0.0.1:{ports[neighbour]}"
                told[f"{neighbour.upper()}_SERVICE_TOKEN"] = tokens[neighbour]
        module = f"services.{name}.main" if name in CONTEXTS else f"{name}.main"
        found.append(Server(_python(name, (module,), told), ports[name]))
    return found


def server_names(settings: Settings) -> list[str]:
    """The names of the processes behind the gateway, each of which needs a port."""
    found: list[str] = []
    if settings.deployment != "monolith":
        found += SERVICES
    if settings.deployment != "microservices":
        found.append("monolith")
    return found


def board_command(
    name: str,
    database_urls: Mapping[Context, str],
    environment: Mapping[str, str],
    *,
    admin_url: str | None = None,
) -> Program:
    """`python -m board NAME`, which knows all databases; `admin_url` where it makes them."""
    told = inherited(environment)
    told |= {_DATABASE_URLS[context]: database_urls[context] for context in CONTEXTS}
    if admin_url is not None:
        told["ADMIN_DATABASE_URL"] = admin_url
    return _python(name, ("board", name), told)


def gateway(settings: Settings, ports: Mapping[str, int], environment: Mapping[str, str]) -> Server:
    """The gateway, on the port that people use, in front of the processes on `ports`."""
    parameters = {
        # What the template needs on AWS, and a gateway on this machine has no use for.
        "VpcId": "vpc-00000000000000000",
        "PublicSubnets": "subnet-00000000000000000,subnet-11111111111111111",
        "AlbSecurityGroup": "sg-00000000000000000",
        "PrivateSubnets": "subnet-22222222222222222,subnet-33333333333333333",
        "InternalAlbSecurityGroup": "sg-11111111111111111",
        "ListenerPort": str(settings.port),
    }
    parameters |= {f"{s.capitalize()}Share": str(settings.shares[s]) for s in SERVICES}
    targets = {f"{name.capitalize()}Targets": port for name, port in ports.items()}
    arguments = ["gateway", "--template", "infra/routing.yml"]
    for parameter, value in parameters.items():
        arguments += ["--parameter", f"{parameter}={value}"]
    for group, port in targets.items():
        arguments += ["--target", f"{group}=http://127.0.0.1:{port}"]
    arguments += ["--drain-seconds", str(GATEWAY_DRAIN_SECONDS)]
    arguments += ["--access-log", "-", "--access-log-format", "short"]
    return Server(_python("gateway", tuple(arguments), inherited(environment)), settings.port)


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What the board's processes take over from the environment of the run.

    Nothing that names databases, addresses or secrets, and none of the PG* variables, which would
    change what a database URL means.
    """
    told = {
        name: value
        for name, value in environment.items()
        if name not in _OURS and not name.startswith("PG")
    }
    # Otherwise Python keeps lines back when it writes to a pipe.
    told["PYTHONUNBUFFERED"] = "1"
    return told


def _python(name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    command = (sys.executable, "-m", *arguments)
    return Program(name=name, command=command, environment=environment, folder=ROOT)
