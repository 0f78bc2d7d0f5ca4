"""What all connections share."""

import asyncio
from collections.abc import Coroutine, Mapping
from random import Random
from typing import Final, Protocol

from gateway.answers import DateHeader
from gateway.client_connection import ClientConnection
from gateway.clock import Clock
from gateway.exchange import Exchange
from gateway.forwarding import host_line
from gateway.idle_watch import IdleWatch
from gateway.request_reader import Request
from gateway.rules import Rules
from gateway.target_group import Target, TargetGroup
from gateway.timeouts import Timeouts
from gateway.upstream import TargetConnection

_KNOWN_HOSTS: Final = 256


class AccessLog(Protocol):
    """Where finished exchanges go."""

    def record(self, exchange: Exchange) -> None:
        """Notes one. It does not block."""


class DataPlane:
    """Rules, target groups, timeouts, and the connections that are open."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rules: Rules,
        groups: Mapping[str, TargetGroup],
        *,
        port: int,
        timeouts: Timeouts,
        clock: Clock,
        random: Random,
        access_log: AccessLog,
        watch: IdleWatch,
    ) -> None:
        self.rules = rules
        self.groups = groups
        self.port = port
        self.timeouts = timeouts
        self.clock = clock
        self.random = random
        self.access_log = access_log
        self.watch = watch
        self.date = DateHeader(clock)
        self.draining = False
        self.clients: set[ClientConnection] = set()
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self._hosts: dict[bytes, bytes | None] = {}
        self._empty: asyncio.Event | None = None

    def client(self) -> ClientConnection:
        """The protocol of a new client."""
        return ClientConnection(self)

    async def connect(self, target: Target) -> TargetConnection:
        """A new connection. Raises OSError."""

        def protocol() -> TargetConnection:
            return TargetConnection(target, self.watch, self.timeouts.pool_idle)

        _, connection = await self._loop.create_connection(
            protocol, target.address.host, target.address.port
        )
        return connection

    def spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Runs ``work`` beside everything else."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def host_line(self, request: Request) -> bytes | None:
        """The Host header for the target; None when the request's is none.

        An HTTP/1.0 request may come without: then it is the load balancer's own name.
        """
        host = request.authority if request.authority is not None else request.host
        if host is None:
            host = b"localhost"
        line = self._hosts.get(host)
        if line is None and host not in self._hosts:
            line = host_line(host, self.port)
            if len(self._hosts) >= _KNOWN_HOSTS:
                self._hosts.clear()
            self._hosts[host] = line
        return line

    def client_lost(self, client: ClientConnection) -> None:
        """A client's connection is closed."""
        self.clients.discard(client)
        if self._empty is not None and not self.clients:
            self._empty.set()

    async def drain(self, seconds: float) -> bool:
        """Lets the requests in flight finish and closes the connections of clients.

        The answers say ``Connection: close``. False when ``seconds`` were not enough.
        """
        self.draining = True
        self._empty = asyncio.Event()
        for client in tuple(self.clients):
            if client.idle:
                client.close()
        if not self.clients:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Ends every connection at once."""
        for client in tuple(self.clients):
            client.abort()
        targets = [
            target
            for group in self.groups.values()
            for target in (*group.registered, *group.draining)
        ]
        for target in targets:
            target.abort()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        # An aborted transport is gone in the loop's next rounds.
        while self.clients or any(target.connections for target in targets):  # noqa: ASYNC110
            await asyncio.sleep(0)
