"""What can be broken: a board that runs, its database, and the calls between its services."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from chaos.clocks import Clocks
from chaos.database import Database
from chaos.proxy import Proxy
from topology.deployments import GATEWAY, SERVICES

POSTGRESQL: Final = "PostgreSQL"
PROCESSES: Final = (*SERVICES, GATEWAY)
"""What can be killed besides the database."""


class BrokenBoard(Protocol):
    """A board in services, with faults."""

    @property
    def port(self) -> int:
        """That of its gateway on this machine."""

    @property
    def patience(self) -> float:
        """Seconds after which a board that does not serve everything again has not recovered."""

    @property
    def database(self) -> Database:
        """Its PostgreSQL."""

    @property
    def proxies(self) -> Mapping[str, Proxy]:
        """For each context that others call, the proxy that they call instead; may be empty."""

    @property
    def clocks(self) -> Clocks | None:
        """The clocks of its services, if they can be changed."""

    async def grant_admin(self, name: str) -> None:
        """Make a user an admin. Raises CannotPlayError."""

    async def restart(self, server: str) -> None:
        """Replace the processes of a server that has copies, one after another. Raises
        CannotPlayError."""

    async def find(self, names: Iterable[str]) -> None:
        """Find the processes with these names, so that they can be ended without delay."""

    async def kill(self, names: Sequence[str]) -> None:
        """End these of PROCESSES and POSTGRESQL at once, by SIGKILL; they start again. Raises
        CannotPlayError."""

    async def terminate(self, name: str) -> None:
        """Ask a process to end, by SIGTERM; it starts again. Raises CannotPlayError."""
