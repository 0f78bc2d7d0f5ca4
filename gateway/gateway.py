"""A running gateway, in the event loop of whoever starts it."""

import asyncio
import dataclasses
import random as random_module
from collections.abc import Mapping, Sequence

from gateway.access_log import AccessLog, NoAccessLog
from gateway.clock import Clock, SystemClock
from gateway.data_plane import DataPlane
from gateway.discovery import Discovery, InvalidTargetError, Resolve, parse_endpoint, resolve
from gateway.health import HealthChecks
from gateway.idle_watch import IdleWatch
from gateway.settings import Routing
from gateway.target_group import TargetGroup
from gateway.timeouts import Timeouts


class Gateway:
    """What ``start_gateway`` gives. ``groups`` are the target groups by logical id."""

    def __init__(
        self,
        plane: DataPlane,
        server: asyncio.Server,
        discoveries: Sequence[Discovery],
        checks: Sequence[HealthChecks],
        access_log: AccessLog | NoAccessLog,
    ) -> None:
        self.groups: Mapping[str, TargetGroup] = plane.groups
        self._plane = plane
        self._server = server
        self._discoveries = discoveries
        self._checks = checks
        self._access_log = access_log

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._plane.port

    async def first_checks(self) -> None:
        """Returns once every target has had its first health check, whatever the result."""
        for checks in self._checks:
            await checks.first_results()

    async def drain(self, seconds: float = 30) -> bool:
        """Accepts no more connections and lets the requests in flight finish, for at most
        ``seconds``. Whether they all did. ``close`` has still to be called."""
        self._server.close()
        return await self._plane.drain(seconds)

    async def close(self) -> None:
        """Ends everything at once. May be called again."""
        self._server.close()
        for discovery in self._discoveries:
            await discovery.close()
        for checks in self._checks:
            await checks.close()
        await self._plane.close()
        self._plane.watch.stop()
        self._access_log.flush()


async def start_gateway(
    routing: Routing,
    targets: Mapping[str, Sequence[str]],
    *,
    bind: str = "127.0.0.1",
    port: int | None = None,
    access_log: AccessLog | NoAccessLog | None = None,
    timeouts: Timeouts | None = None,
    clock: Clock | None = None,
    random: random_module.Random | None = None,
    resolve_name: Resolve = resolve,
) -> Gateway:
    """Starts to listen.

    ``targets`` are URLs (``http://host:port``) by the logical id of their target group. ``port``
    overrides the template's; 0 takes a free one. ``timeouts`` override the template's too.

    Raises UnknownTargetGroupError, InvalidTargetError, and OSError when the port cannot be had.
    """
    for name in targets:
        if name not in routing.target_groups:
            raise UnknownTargetGroupError(name, routing.target_groups)
    endpoints = {name: [parse_endpoint(url) for url in urls] for name, urls in targets.items()}
    loop = asyncio.get_running_loop()
    timeouts = timeouts or _timeouts(routing)
    access_log = access_log or NoAccessLog()
    watch = IdleWatch(loop, timeouts.tick)
    groups = {name: TargetGroup(settings) for name, settings in routing.target_groups.items()}
    plane = DataPlane(
        loop,
        routing.rules,
        groups,
        port=routing.listener_port if port is None else port,
        timeouts=timeouts,
        clock=clock or SystemClock(),
        random=random or random_module.SystemRandom(),
        access_log=access_log,
        watch=watch,
    )
    server = await loop.create_server(plane.client, bind, plane.port, backlog=1024)
    plane.port = server.sockets[0].getsockname()[1]
    watch.watched.add(access_log)
    watch.start()
    checks = {name: HealthChecks(group) for name, group in groups.items()}
    discoveries = [
        Discovery(groups[name], found, checks[name], resolve_name, timeouts.look_up)
        for name, found in endpoints.items()
    ]
    for discovery in discoveries:
        await discovery.start()
    return Gateway(plane, server, discoveries, tuple(checks.values()), access_log)


class UnknownTargetGroupError(ValueError):
    """``targets`` names a target group that the template does not have."""

    def __init__(self, name: str, known: Mapping[str, object]) -> None:
        super().__init__(
            f"there is no target group {name!r} in the template, only {', '.join(known) or 'none'}"
        )


def _timeouts(routing: Routing) -> Timeouts:
    return dataclasses.replace(
        Timeouts(),
        idle=routing.load_balancer.idle_timeout,
        client_keep_alive=routing.load_balancer.client_keep_alive,
    )


__all__ = ["Gateway", "InvalidTargetError", "UnknownTargetGroupError", "start_gateway"]
