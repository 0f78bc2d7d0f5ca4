"""The gateway of a run: which servers are its targets, and which share of requests each gets."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from laptop import json_socket
from laptop.errors import RefusedOperationError
from topology.changes import HEALTHY
from topology.deployments import MONOLITH, SERVERS, SERVICES
from topology.routing import target_group

_SECONDS = 10.0
_POLL = 0.05


def _states(described: Mapping[str, Any], server: str) -> dict[int | None, str]:
    """The state of each target of a server, by its port. A target that drains stays listed; it says
    nothing about its successor."""
    states = [
        (target["Target"]["Port"], target["TargetHealth"]["State"])
        for target in described[target_group(server)]["TargetHealthDescriptions"]
    ]
    return {port: state for port, state in states if state != "draining"}


class Traffic:
    """Sends commands to the gateway's admin socket. Every method raises RefusedOperationError if
    the gateway refuses a command or does not answer."""

    def __init__(self, admin_socket: Path) -> None:
        self._socket = admin_socket

    async def shares(self) -> dict[str, int]:
        """The percentage of its requests that each service gets; the monolith gets the rest."""
        shares: dict[str, int] = {}
        for weights in (await self._rules()).values():
            for service in SERVICES:
                own, rest = (weights.get(target_group(s)) for s in (service, MONOLITH))
                if own is not None and rest is not None:
                    shares[service] = round(100 * own / ((own + rest) or 1))
        return shares

    async def set_share(self, service: str, share: int) -> None:
        """Change the weights of every rule of the service; the next request follows them."""
        group = target_group(service)
        for rule, weights in (await self._rules()).items():
            if group in weights:
                changed = {group: share, target_group(MONOLITH): 100 - share}
                await self._send("weights", rule=rule, weights=changed)

    async def health(self) -> dict[str, str]:
        """The state of each server that is a target, as the API of AWS names it. A server with
        several copies is healthy if one of them is."""
        described: Mapping[str, Any] = await self._send("health")
        states: dict[str, str] = {}
        for server in SERVERS:
            for state in _states(described, server).values():
                if states.get(server) != HEALTHY:
                    states[server] = state
        return states

    async def register(self, server: str, url: str, *, seconds: float) -> None:
        """Make a server a target, and wait until it passed its health checks.

        Raises RefusedOperationError if it did not within `seconds`.
        """
        await self._send("register", group=target_group(server), target=url)
        deadline = asyncio.get_running_loop().time() + seconds
        port = urlsplit(url).port
        while (state := _states(await self._send("health"), server).get(port)) != HEALTHY:
            if asyncio.get_running_loop().time() > deadline:
                raise RefusedOperationError(f"{server} is {state} after {seconds:g} s")
            await asyncio.sleep(_POLL)

    async def drain(self, server: str, url: str, *, seconds: float) -> bool:
        """Send the server no more requests, and wait until it has none, for at most `seconds`.

        Returns whether it has none. Open streams are requests that do not end by themselves.
        """
        try:
            await self._send("drain", group=target_group(server), target=url, seconds=seconds)
        except RefusedOperationError:
            # It is deregistered in any case; the server finishes the rest before it stops.
            return False
        return True

    async def _rules(self) -> dict[str, Mapping[str, int]]:
        listeners: list[dict[str, Any]] = await self._send("rules")
        return {
            rule["LogicalId"]: rule["Weights"]
            for listener in listeners
            for rule in listener["Rules"]
            if "Weights" in rule
        }

    async def _send(self, command: str, **arguments: Any) -> Any:
        request = {"command": command, **arguments}
        seconds = _SECONDS + arguments.get("seconds", 0.0)
        try:
            return await asyncio.to_thread(json_socket.send, self._socket, request, seconds=seconds)
        except (OSError, ValueError) as error:
            raise RefusedOperationError(f"The gateway does not answer: {error}") from error
