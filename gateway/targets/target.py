"""One target: its address, its health and its connections."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.http1.response_reader import ResponseReader
from gateway.routing.settings import FunctionSettings


class TargetState(StrEnum):
    """A target's health, in the words of the Elastic Load Balancing API (TargetHealth)."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


class HealthReason(StrEnum):
    """Why a target is not healthy, in the same words."""

    NONE = ""
    REGISTRATION = "Elb.RegistrationInProgress"
    FIRST_CHECKS = "Elb.InitialHealthChecking"
    CODE_MISMATCH = "Target.ResponseCodeMismatch"
    TIMEOUT = "Target.Timeout"
    FAILED = "Target.FailedHealthChecks"
    DEREGISTRATION = "Target.DeregistrationInProgress"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a target listens: an IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one health check; ``description`` is for people."""

    passed: bool
    reason: HealthReason = HealthReason.NONE
    description: str = ""


class TargetUser(Protocol):
    """What a connection works for: one exchange at a time."""

    def response_progress(self) -> None:
        """The reader's response has more in it, or is complete."""

    def tunnelled(self, data: bytes) -> None:
        """After a 101: bytes that are not HTTP."""

    def target_failed(self) -> None:
        """The connection is gone, or what came over it is no response; it is already closed."""

    def target_refused(self, status: int) -> None:
        """The target cannot take the request, which is answered with ``status``; the connection is
        already closed."""

    def target_paused(self) -> None:
        """The target takes no more of the request for now."""

    def target_resumed(self) -> None:
        """It takes more again."""


class PooledConnection(Protocol):
    """A connection to a target, which serves one request at a time or waits in the pool."""

    reader: ResponseReader
    tunnel: bool
    """The connection has left HTTP."""

    @property
    def usable(self) -> bool:
        """Whether a request may be sent, as far as is known on this side."""

    @property
    def unsent(self) -> int:
        """Bytes that the target has not taken yet."""

    def begin(self, user: TargetUser, *, head_request: bool, upgrade: bool = False) -> None:
        """Starts to work for ``user``. ``head_request`` and ``upgrade``: see
        ``ResponseReader.start``."""

    def write(self, data: bytes) -> None:
        """Sends a piece of the request."""

    def release(self) -> None:
        """Returns to the pool: request and response are complete, and the target agrees."""

    def close(self) -> None:
        """Ends the connection without notifying its user."""

    def abort(self) -> None:
        """Ends the connection and notifies its user that the target failed."""

    def pause_reading(self) -> None:
        """Takes no more of the response for now, so that the target has to wait."""

    def resume_reading(self) -> None:
        """Takes more again."""


@dataclass(slots=True, eq=False)
class Target:
    """One registered address, with its connections: most recently used last in ``idle``."""

    address: Address
    state: TargetState = TargetState.INITIAL
    reason: HealthReason = HealthReason.REGISTRATION
    description: str = ""
    passed_in_a_row: int = 0
    failed_in_a_row: int = 0
    outstanding: int = 0
    """Requests that were sent to it and are not over."""
    slow_since: float | None = None
    """When its slow start began, in the clock's monotonic seconds; None when it is in none."""
    credit: float = 0
    """In slow start: the part of a request that it is owed."""
    idle: list[PooledConnection] = field(default_factory=list)
    connections: set[PooledConnection] = field(default_factory=set)
    function: FunctionSettings | None = None
    """Set when the address is that of a function's emulator."""
    invocations: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the function runs."""
    label: str = field(init=False)
    """The address, for logs."""

    def __post_init__(self) -> None:
        self.label = str(self.address)

    def take(self) -> PooledConnection | None:
        """The idle connection that was used last; None when there is none."""
        while self.idle:
            connection = self.idle.pop()
            if connection.usable:
                return connection
        return None

    def put_back(self, connection: PooledConnection) -> None:
        """Keeps a connection for the next request, unless the target is draining."""
        if self.state is TargetState.DRAINING:
            connection.close()
        else:
            self.idle.append(connection)

    def close_idle(self) -> None:
        """Closes the connections that no request is on."""
        while self.idle:
            self.idle.pop().close()

    def abort(self) -> None:
        """Ends every connection; a request on one of them fails."""
        for connection in tuple(self.connections):
            connection.abort()
