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
    """A target's IP address and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one health check, with a readable ``description``."""

    passed: bool
    reason: HealthReason = HealthReason.NONE
    description: str = ""


class TargetUser(Protocol):
    """The exchange that a connection serves."""

    def response_progress(self) -> None:
        """Called when more of the response was read, or its end."""

    def tunnelled(self, data: bytes) -> None:
        """Called with bytes of another protocol after a 101."""

    def target_failed(self) -> None:
        """Called when the connection was lost or the response was invalid; it is already closed."""

    def target_refused(self, status: int, reason: str) -> None:
        """Called when the target cannot serve the request, which is answered with ``status``; the
        connection is already closed. ``reason`` is the access log's error_reason."""

    def target_paused(self) -> None:
        """Called when the target's buffers are full."""

    def target_resumed(self) -> None:
        """Called when the target's buffers have space again."""


class PooledConnection(Protocol):
    """A connection to a target, which serves one request at a time or waits in the pool."""

    reader: ResponseReader
    tunnel: bool
    """Whether the connection has switched to another protocol."""

    @property
    def usable(self) -> bool:
        """Whether a request may be sent, as far as this side knows."""

    @property
    def unsent(self) -> int:
        """The number of bytes that the target has not taken yet."""

    def begin(self, user: TargetUser, *, head_request: bool, upgrade: bool = False) -> None:
        """Begins a request for ``user``, which receives the response. ``head_request``: it is HEAD,
        whose response has no body. ``upgrade``: the response may be 101."""

    def write(self, data: bytes) -> None:
        """Sends a piece of the request."""

    def release(self) -> None:
        """Returns to the pool. Request and response are complete, and the target allows reuse."""

    def close(self) -> None:
        """Closes the connection without notifying its user."""

    def abort(self) -> None:
        """Closes the connection and notifies its user that the target failed."""

    def pause_reading(self) -> None:
        """Stops reading the response, so that the target has to wait."""

    def resume_reading(self) -> None:
        """Continues to read the response."""


@dataclass(slots=True, eq=False)
class Target:
    """A registered address with its connections; the most recently used one is last in ``idle``."""

    address: Address
    state: TargetState = TargetState.INITIAL
    reason: HealthReason = HealthReason.REGISTRATION
    description: str = ""
    passed_in_a_row: int = 0
    failed_in_a_row: int = 0
    outstanding: int = 0
    """The number of requests in flight."""
    slow_since: float | None = None
    """When its slow start began, by the monotonic clock; None outside slow start."""
    credit: float = 0
    """In slow start: its accumulated share, as a fraction of a request."""
    idle: list[PooledConnection] = field(default_factory=list)
    connections: set[PooledConnection] = field(default_factory=set)
    function: FunctionSettings | None = None
    """Set if the address is that of a function's emulator."""
    invocations: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Locked while the function runs."""
    label: str = field(init=False)
    """The address, for logs."""

    def __post_init__(self) -> None:
        self.label = str(self.address)

    def take(self) -> PooledConnection | None:
        """Removes and returns the most recently used idle connection; None if there is none."""
        while self.idle:
            connection = self.idle.pop()
            if connection.usable:
                return connection
        return None

    def put_back(self, connection: PooledConnection) -> None:
        """Adds a connection to the idle ones, or closes it if the target is draining."""
        if self.state is TargetState.DRAINING:
            connection.close()
        else:
            self.idle.append(connection)

    def close_idle(self) -> None:
        """Closes the idle connections."""
        while self.idle:
            self.idle.pop().close()

    def abort(self) -> None:
        """Closes every connection; requests on them fail."""
        for connection in tuple(self.connections):
            connection.abort()
