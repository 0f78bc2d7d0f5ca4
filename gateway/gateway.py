"""A running gateway, in the event loop of its caller."""

import asyncio
import dataclasses
import os
import random as random_module
from collections.abc import Mapping, Sequence
from functools import partial

from gateway.clients.acceptor import Acceptor
from gateway.clients.certificates import server_contexts
from gateway.clients.ports import ListenError, UnknownListenerError, listen, wanted_ports
from gateway.net.clock import Clock, SystemClock
from gateway.net.idle_watch import IdleWatch
from gateway.net.timeouts import Timeouts
from gateway.net.tls import CertificateError, CertificateFiles
from gateway.observe.access_log import AccessLog, NoAccessLog
from gateway.observe.metrics import Metrics
from gateway.observe.recorders import Recorders
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.identities import Identities
from gateway.proxy.listener import Listener
from gateway.routing.reload import RefusedReloadError, check_reload
from gateway.routing.settings import Routing
from gateway.targets.discovery import (
    Discovery,
    InvalidTargetError,
    Resolve,
    parse_endpoint,
    resolve,
)
from gateway.targets.health import HealthChecks
from gateway.targets.registrations import Registrations
from gateway.targets.selection import Selector
from gateway.targets.stickiness import Seal
from gateway.targets.target_group import TargetGroup


class Gateway:
    """What ``start_gateway`` returns. ``groups`` are the target groups by logical id."""

    def __init__(
        self,
        plane: DataPlane,
        acceptors: Sequence[Acceptor],
        discoveries: Mapping[str, Discovery],
        registrations: dict[str, Registrations],
        access_log: AccessLog | NoAccessLog,
        timeouts: Timeouts | None,
    ) -> None:
        self.groups: Mapping[str, TargetGroup] = plane.groups
        self.registrations: Mapping[str, Registrations] = registrations
        self._plane = plane
        self.acceptors = acceptors
        self._discoveries = discoveries
        self._registrations = registrations
        self._access_log = access_log
        self._timeouts = timeouts

    @property
    def plane(self) -> DataPlane:
        """What all connections share."""
        return self._plane

    @property
    def listeners(self) -> list[Listener]:
        """The listeners, in the template's order."""
        return [acceptor.listener for acceptor in self.acceptors]

    @property
    def port(self) -> int:
        """The port of the first listener."""
        return self.listeners[0].port

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each listener, by logical id."""
        return {listener.settings.logical_id: listener.port for listener in self.listeners}

    def _stop_listening(self) -> None:
        for acceptor in self.acceptors:
            acceptor.close()

    @property
    def open_clients(self) -> int:
        """The number of connected clients."""
        return len(self._plane.clients)

    async def first_checks(self) -> None:
        """Returns once every target has had its first health check, whatever the result."""
        for registrations in self._registrations.values():
            await registrations.checks.first_results()

    def apply(self, routing: Routing) -> None:
        """Applies new routing to all future requests; requests in flight finish with the old one.

        Raises RefusedReloadError, and then nothing has changed.
        """
        plane = self._plane
        check_reload([listener.settings for listener in self.listeners], routing)
        lost = sorted(self._discoveries.keys() - routing.target_groups.keys())
        if lost:
            raise RefusedReloadError(
                [f"target group {name} is gone, but there is a --target for it" for name in lost]
            )
        for name, settings in routing.target_groups.items():
            if name in self.groups:
                self.groups[name].apply(settings)
                self._registrations[name].return_to_service()
            else:
                group = TargetGroup(settings, plane.clock.monotonic, plane.random)
                plane.groups[name] = group
                self._registrations[name] = Registrations(group, HealthChecks(group))
        plane.load_balancer = routing.load_balancer
        for acceptor in self.acceptors:
            acceptor.offer(http2=routing.load_balancer.http2)
        if self._timeouts is None:
            plane.timeouts = _timeouts(routing)
        settings_of = {settings.logical_id: settings for settings in routing.listeners}
        for listener in self.listeners:
            listener.settings = settings_of[listener.settings.logical_id]
        for name in self.groups.keys() - routing.target_groups.keys():
            self._registrations[name].retire(partial(self._forget_group, name))

    def _forget_group(self, name: str) -> None:
        del self._plane.groups[name]
        self._plane.spawn(self._registrations.pop(name).close())

    async def drain(self, seconds: float = 30) -> bool:
        """Accepts no more connections and waits at most ``seconds`` for requests in flight. Returns
        whether all have finished. Call ``close`` afterwards."""
        self._stop_listening()
        return await self._plane.drain(seconds)

    async def close(self) -> None:
        """Ends everything at once. May be called again."""
        self._stop_listening()
        for discovery in self._discoveries.values():
            await discovery.close()
        for registrations in self._registrations.values():
            await registrations.close()
        await self._plane.close()
        self._plane.watch.stop()
        self._access_log.flush()


async def start_gateway(
    routing: Routing,
    targets: Mapping[str, Sequence[str]],
    *,
    bind: str = "127.0.0.1",
    port: int | None = None,
    ports: Mapping[str, int] | None = None,
    access_log: AccessLog | NoAccessLog | None = None,
    metrics: Metrics | None = None,
    certificates: Mapping[str, CertificateFiles] | None = None,
    timeouts: Timeouts | None = None,
    clock: Clock | None = None,
    random: random_module.Random | None = None,
    identities: Identities | None = None,
    resolve_name: Resolve = resolve,
) -> Gateway:
    """Starts a gateway and its listeners.

    ``targets`` maps the logical id of a target group to its URLs (``http://host:port``, or
    ``lambda+http://host:port`` for a function's emulator). ``ports`` replaces the template's ports,
    by the listener's logical id; 0 is any free port. ``port`` applies to all other listeners.
    ``timeouts`` replaces the template's.

    ``identities`` are the users that requests come from, for rules that require sign-in.
    ``certificates`` maps the template's names of certificates to their files. Raises
    UnknownTargetGroupError, UnknownListenerError, InvalidTargetError, CertificateError, and
    ListenError if a port cannot be opened."""
    for name in targets:
        if name not in routing.target_groups:
            raise UnknownTargetGroupError(name, routing.target_groups)
    endpoints = {
        name: [
            parse_endpoint(url, function=routing.target_groups[name].function is not None)
            for url in urls
        ]
        for name, urls in targets.items()
    }
    contexts = server_contexts(routing, certificates or {})
    loop = asyncio.get_running_loop()
    given_timeouts = timeouts
    timeouts = timeouts or _timeouts(routing)
    access_log = access_log or NoAccessLog()
    watch = IdleWatch(loop, timeouts.tick)
    clock = clock or SystemClock()
    random = random or random_module.SystemRandom()
    groups = {
        name: TargetGroup(settings, clock.monotonic, random)
        for name, settings in routing.target_groups.items()
    }
    plane = DataPlane(
        loop,
        routing.load_balancer,
        groups,
        timeouts=timeouts,
        clock=clock,
        random=random,
        selector=Selector(groups, Seal(os.urandom(32), clock), random),
        access_log=Recorders(access_log, metrics) if metrics else access_log,
        watch=watch,
        identities=identities,
    )
    wanted = wanted_ports(routing, port, ports or {})
    acceptors = await listen(loop, plane, wanted, bind, contexts)
    watch.watched.add(access_log)
    watch.start()
    registrations = {
        name: Registrations(group, HealthChecks(group)) for name, group in groups.items()
    }
    discoveries = {
        name: Discovery(registrations[name], found, resolve_name, timeouts.look_up)
        for name, found in endpoints.items()
    }
    for discovery in discoveries.values():
        await discovery.start()
    return Gateway(
        plane,
        acceptors,
        discoveries,
        registrations,
        access_log,
        given_timeouts,
    )


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


__all__ = [
    "CertificateError",
    "Gateway",
    "InvalidTargetError",
    "ListenError",
    "UnknownListenerError",
    "UnknownTargetGroupError",
    "start_gateway",
]
