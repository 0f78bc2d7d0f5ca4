"""What all connections share."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Final, Protocol

from gateway.net.clock import Clock
from gateway.net.idle_watch import IdleWatch
from gateway.net.timeouts import Timeouts
from gateway.proxy.identities import Identities
from gateway.proxy.local_replies import DateHeader
from gateway.proxy.record import ExchangeRecord
from gateway.routing.settings import LoadBalancerSettings
from gateway.targets.connections import TargetConnection
from gateway.targets.function_connection import FunctionConnection
from gateway.targets.selection import Selector
from gateway.targets.target import PooledConnection, Target
from gateway.targets.target_group import TargetGroup

_ABORT_SECONDS: Final = 1.0


class AccessLog(Protocol):
    """Receives the records of finished exchanges."""

    def record(self, record: ExchangeRecord) -> None:
        """Receives one record. Must not block."""


class ConnectedClient(Protocol):
    """A client's connection."""

    @property
    def idle(self) -> bool:
        """Whether it has no request in flight."""

    def close(self) -> None:
        """Ends the connection once everything written is sent."""

    def abort(self) -> None:
        """Ends the connection at once."""


class DataPlane:
    """Target groups, timeouts, and open connections."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        load_balancer: LoadBalancerSettings,
        groups: dict[str, TargetGroup],
        *,
        timeouts: Timeouts,
        clock: Clock,
        random: Random,
        selector: Selector,
        access_log: AccessLog,
        watch: IdleWatch,
        identities: Identities | None = None,
    ) -> None:
        self.load_balancer = load_balancer
        self.groups = groups
        self.timeouts = timeouts
        self.clock = clock
        self.random = random
        self.selector = selector
        self.access_log = access_log
        self.watch = watch
        self.identities = identities
        """None if no rule requires sign-in."""
        self.date = DateHeader(clock)
        self.draining = False
        self.connected = 0
        """The number of connections to targets so far, without those of health checks."""
        self.clients: set[ConnectedClient] = set()
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty: asyncio.Event | None = None

    async def connect(self, target: Target) -> PooledConnection:
        """Opens a new connection. Raises OSError."""
        if target.function is not None:
            return FunctionConnection(target, target.function)

        def protocol() -> TargetConnection:
            return TargetConnection(target, self.watch, self.timeouts.idle)

        _, connection = await self._loop.create_connection(
            protocol, target.address.host, target.address.port
        )
        connection.join()
        self.connected += 1
        return connection

    @property
    def connections(self) -> int:
        """The number of connections with clients and targets."""
        return len(self.clients) + sum(
            len(target.connections)
            for group in self.groups.values()
            for target in (*group.registered, *group.draining)
        )

    def spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Runs ``work`` as a task."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def client_lost(self, client: ConnectedClient) -> None:
        """Called when a client's connection is closed."""
        self.clients.discard(client)
        if self._empty is not None and not self.clients:
            self._empty.set()

    async def drain(self, seconds: float) -> bool:
        """Waits for requests in flight and closes the connections of clients.

        The answers say ``Connection: close``. Returns False if ``seconds`` were not enough.
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
        # An aborted transport is closed within the loop's next rounds; with TLS it may take longer,
        # and the process must not wait for it.
        deadline = self._loop.time() + _ABORT_SECONDS
        while self._loop.time() < deadline and (  # noqa: ASYNC110 - nothing says when
            self.clients or any(target.connections for target in targets)
        ):
            await asyncio.sleep(0)
