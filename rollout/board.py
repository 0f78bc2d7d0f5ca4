"""What every running board can do, and what it reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from topology.deployments import MONOLITH, SERVICES

_NOT_RUNNING = "not running"


@dataclass(frozen=True)
class State:
    """The state of a board: `shares` by service, in percent; `health` by server, as a load balancer
    names it. Servers that are not targets are not in `health`."""

    shares: Mapping[str, int]
    health: Mapping[str, str]


class Board(Protocol):
    """A running board. Every method raises CannotRollOutError, and returns the state afterwards."""

    @property
    def place(self) -> str:
        """Where it runs, in words."""

    def state(self) -> State:
        """The shares, and what runs."""

    def shift(self, service: str, share: int, *, force: bool) -> State:
        """Send a service this percentage of its requests, and the monolith the rest."""

    def start(self, server: str) -> State:
        """Start a server, and the services that it calls."""

    def stop(self, server: str) -> State:
        """Stop a server that gets no requests."""


def table(state: State) -> str:
    """Who gets which share of whose requests, and whether it can answer them."""
    rows = [("context", "service", "monolith", "its service is")]
    for name in SERVICES:
        share = state.shares[name]
        rows.append((name, f"{share} %", f"{100 - share} %", state.health.get(name, _NOT_RUNNING)))
    first, second, third = (max(len(row[column]) for row in rows) for column in range(3))
    lines = [f"{a:<{first}}  {b:>{second}}  {c:>{third}}  {d}" for a, b, c, d in rows]
    return "\n".join([*lines, f"the monolith is {state.health.get(MONOLITH, _NOT_RUNNING)}"])
