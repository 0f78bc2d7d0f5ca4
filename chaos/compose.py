"""The board in containers, by Docker Compose, in a project of its own.

Docker starts a container again that has crashed, but not one that it was told to end. So this board
starts what it has ended.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from chaos.board import POSTGRESQL
from chaos.clocks import Clocks
from chaos.database import Database
from chaos.faults import Fault
from chaos.proxy import Proxy
from containers.engine import Docker, docker_command
from containers.errors import CannotStartError
from laptop import ports
from strangle.errors import CannotPlayError
from topology.limits import NO_LIMITS

PROJECT: Final = "board-chaos"
_COMPOSE: Final = ("compose", "--project-name", PROJECT, "--profile", "*")
_LABEL: Final = f"label=com.docker.compose.project={PROJECT}"
_SERVICE: Final = '{{.ID}} {{.Label "com.docker.compose.service"}}'
_DATABASE: Final = "postgres"
_OPERATOR: Final = "migrate"
_STOP_SECONDS: Final = "30"
_LAST_LINES: Final = 15


class _Containers:
    """Runs `docker` for the containers of the project."""

    def __init__(self, docker: Docker) -> None:
        self._docker = docker
        self._ids: Mapping[str, str] = {}

    async def run(self, *arguments: str) -> str:
        """The output of a command, which ends also if this is cancelled: what cleans up comes
        after it. Raises CannotPlayError if it fails."""
        work = asyncio.create_task(asyncio.to_thread(self._docker, arguments))
        try:
            done = await asyncio.shield(work)
        except CannotStartError as error:
            raise CannotPlayError(str(error)) from error
        finally:
            await asyncio.wait([work])
        if done.status != 0:
            last = "\n".join((done.error or done.output).strip().splitlines()[-_LAST_LINES:])
            raise CannotPlayError(f"docker {' '.join(arguments)}: {last}")
        return done.output

    async def find(self) -> None:
        """Find the containers, which stay the same from then on."""
        listed = await self.run("ps", "--filter", _LABEL, "--format", _SERVICE)
        lines = [line.split() for line in listed.splitlines()]
        self._ids = {service: container for container, service in lines}

    async def act(self, verb: str, services: Iterable[str], *options: str) -> None:
        """`docker VERB` for the containers of these services."""
        await self.run(verb, *options, *(self._ids[name] for name in services))


class _ContainerServer:
    """The PostgreSQL of the project."""

    def __init__(self, containers: _Containers) -> None:
        self._containers = containers

    async def restart(self) -> None:
        """End it by its container's signal, SIGINT, and start it again."""
        await self._containers.act("restart", [_DATABASE], "--time", _STOP_SECONDS)

    async def pause(self) -> None:
        """Freeze all processes of the container."""
        await self._containers.act("pause", [_DATABASE])

    async def go_on(self) -> None:
        """Let them continue."""
        await self._containers.act("unpause", [_DATABASE])

    async def execute(self, database: str, statements: str) -> None:
        """Carry out statements by psql in the container."""
        psql = ("psql", "--host=/var/run/postgresql", "--username=postgres", "--quiet")
        options = ("--set=ON_ERROR_STOP=1", f"--dbname={database}", f"--command={statements}")
        await self._containers.run(*_COMPOSE, "exec", "-T", _DATABASE, *psql, *options)


class ComposeBoard:
    """A board in containers: one of each service, the gateway, and PostgreSQL."""

    patience = 90.0

    def __init__(self, docker: Docker, port: int) -> None:
        self._containers = _Containers(docker)
        self.port = port
        self.database = Database(_ContainerServer(self._containers))
        self.proxies: Mapping[str, Proxy] = {}
        self.clocks: Clocks | None = None

    async def up(self) -> None:
        """Build the images, and start an empty project. Raises CannotPlayError."""
        await self.down()
        await self._containers.run(
            "compose", "--project-name", PROJECT, "up", "--build", "--detach", "--wait"
        )
        await self._containers.find()

    async def down(self) -> None:
        """Remove the project with its data. Raises CannotPlayError."""
        await self._containers.run(*_COMPOSE, "down", "--volumes", "--timeout", "0")

    async def grant_admin(self, name: str) -> None:
        """Make a user an admin by the operator's command. Raises CannotPlayError."""
        run = ("run", "--rm", "--no-deps", "-T", _OPERATOR, "grant-admin", name)
        await self._containers.run(*_COMPOSE, *run)

    async def restart(self, server: str) -> None:
        """Raises CannotPlayError: there is one container of each service."""
        raise CannotPlayError(f"{server} has no copies")

    async def find(self, names: Iterable[str]) -> None:
        """All are known."""

    async def kill(self, names: Sequence[str]) -> None:
        """Kill containers, and start them again. Raises CannotPlayError."""
        services = [_DATABASE if name == POSTGRESQL else name for name in names]
        await self._containers.act("kill", services)
        await self._containers.act("start", services)

    async def terminate(self, name: str) -> None:
        """Stop a container, which drains first, and start it again. Raises CannotPlayError."""
        await self._containers.act("stop", [name], "--time", _STOP_SECONDS)
        await self._containers.act("start", [name])


def is_possible(fault: Fault) -> bool:
    """Whether this board can have a fault: it has one container of each service, no proxies between
    them, and the clock of the machine."""
    return fault.proxy is None and not fault.clocks and fault.copies == 1


@asynccontextmanager
async def compose_board(environment: Mapping[str, str]) -> AsyncIterator[ComposeBoard]:
    """A board that runs in containers until the block ends, and is then removed. Raises
    CannotPlayError if it does not start."""
    [port] = ports.free(1)
    variables = {**environment, **NO_LIMITS}
    variables |= {"COMPOSE_PROFILES": "microservices", "PORT": str(port)}
    board = ComposeBoard(docker_command(variables), port)
    try:
        await board.up()
        yield board
    finally:
        await board.down()
