"""The operations on a running gateway."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from gateway.admin.explain import describe
from gateway.gateway import Gateway
from gateway.routing.reload import RefusedReloadError, RefusedWeightsError, with_weights
from gateway.routing.rules import Action, Forward
from gateway.routing.settings import Routing
from gateway.targets.discovery import Resolve, parse_endpoint, resolve
from gateway.targets.registrations import Registrations
from gateway.targets.target import Address, Target
from gateway.targets.target_group import TargetGroup
from gateway.template.reader import RefusedTemplateError

_log: Final = logging.getLogger(__name__)

Json = Mapping[str, object] | list[object]


class RefusedCommandError(Exception):
    """The command cannot be run; ``lines`` say why, and nothing has changed."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Control:
    """The operations. ``load`` reads the templates again, and raises what ``load_routing`` raises.

    A target is written as in ``--target``. A host name means the addresses that it has now.
    """

    def __init__(
        self,
        gateway: Gateway,
        load: Callable[[], Routing],
        resolve_name: Resolve = resolve,
        publish: Callable[[Json], None] | None = None,
    ) -> None:
        """``publish`` is called with the rules now and after each change of them."""
        self._gateway = gateway
        self._load = load
        self._resolve = resolve_name
        self._publish = publish
        self._reloading = asyncio.Lock()
        self._published()

    def health(self, group: str | None = None) -> Json:
        """The targets' health in the format of ``aws elbv2 describe-target-health``: for one group,
        or for each by its logical id."""
        if group is not None:
            return describe_target_health(self._registrations(group).group)
        return {name: describe_target_health(found) for name, found in self._gateway.groups.items()}

    def rules(self) -> Json:
        """Each listener's rules in the order in which they are tried, with the weights of target
        groups."""
        return [
            {
                "Listener": listener.settings.logical_id,
                "Protocol": listener.settings.protocol,
                "Port": listener.port,
                "Rules": [
                    {
                        "Priority": str(rule.priority) if rule.priority else "default",
                        "LogicalId": rule.logical_id or listener.settings.logical_id,
                        "Conditions": [str(condition) for condition in rule.conditions],
                        "Action": describe(rule.action),
                        **_weights(rule.action),
                    }
                    for rule in listener.settings.rules
                ],
            }
            for listener in self._gateway.listeners
        ]

    def weights(self, rule: str, weights: Mapping[str, int]) -> Json:
        """Changes a rule's weights until the next reload. ``rule`` is its logical id, or that of a
        listener for its default rule. Raises RefusedCommandError."""
        for listener in self._gateway.listeners:
            try:
                settings = with_weights(listener.settings, rule, weights)
            except RefusedWeightsError as error:
                raise RefusedCommandError(str(error)) from error
            if settings is not None:
                listener.settings = settings
                return self._published()
        raise RefusedCommandError(f"there is no rule {rule}")

    async def register(self, group: str, url: str) -> Json:
        """Registers a target, which gets requests once a health check has passed. Raises
        RefusedCommandError."""
        registrations = self._registrations(group)
        for address in await self._addresses(registrations, url):
            registrations.register(address)
        return describe_target_health(registrations.group)

    async def deregister(self, group: str, url: str) -> Json:
        """Begins to drain a target. Raises RefusedCommandError."""
        registrations = self._registrations(group)
        await self._deregister(registrations, url)
        return describe_target_health(registrations.group)

    async def drain(self, group: str, url: str, seconds: float) -> Json:
        """Deregisters a target and waits at most ``seconds`` until it has no more requests.

        Raises RefusedCommandError, also if the time was not enough: the target continues to drain.
        """
        targets = await self._deregister(self._registrations(group), url)
        labels = ", ".join(target.label for target in targets)
        deadline = asyncio.get_running_loop().time() + seconds
        while outstanding := sum(target.outstanding for target in targets):
            if asyncio.get_running_loop().time() >= deadline:
                raise RefusedCommandError(
                    f"{labels} still has {outstanding} requests after {seconds:g} s"
                )
            await asyncio.sleep(_POLL_SECONDS)
        return {"Drained": labels}

    async def reload(self) -> Json:
        """Reads the templates again and applies them. Raises RefusedCommandError, and then the old
        routing stays."""
        async with self._reloading:
            try:
                routing = await asyncio.to_thread(self._load)
                self._gateway.apply(routing)
            except (RefusedTemplateError, RefusedReloadError) as refused:
                raise RefusedCommandError(*refused.lines) from refused
            except (OSError, ValueError) as error:
                raise RefusedCommandError(str(error)) from error
        _log.info("reloaded")
        return self._published()

    def _published(self) -> Json:
        rules = self.rules()
        if self._publish is not None:
            self._publish(rules)
        return rules

    def _registrations(self, group: str) -> Registrations:
        found = self._gateway.registrations.get(group)
        if found is None:
            known = ", ".join(self._gateway.registrations)
            raise RefusedCommandError(f"there is no target group {group!r}, only {known}")
        return found

    async def _deregister(self, registrations: Registrations, url: str) -> list[Target]:
        addresses = await self._addresses(registrations, url)
        registered = {target.address for target in registrations.group.registered}
        found = [address for address in addresses if address in registered]
        if not found:
            raise RefusedCommandError(
                f"{' and '.join(map(str, addresses))} is not registered in "
                f"{registrations.group.name}, only {', '.join(map(str, registered)) or 'nothing'}"
            )
        return [registrations.deregister(address) for address in found]

    async def _addresses(self, registrations: Registrations, url: str) -> list[Address]:
        """The addresses of ``url``, at least one."""
        try:
            endpoint = parse_endpoint(
                url, function=registrations.group.settings.function is not None
            )
            if endpoint.is_address:
                return [Address(endpoint.host, endpoint.port)]
            ipv6 = registrations.group.settings.ipv6
            found = await self._resolve(endpoint.host, endpoint.port, ipv6)
        except ValueError as error:
            raise RefusedCommandError(str(error)) from error
        except OSError as error:
            raise RefusedCommandError(f"cannot look up {url}: {error}") from error
        if not found:
            raise RefusedCommandError(
                f"{url} has no {'IPv6' if ipv6 else 'IPv4'} address that it stands for"
            )
        return sorted(found)


_POLL_SECONDS: Final = 0.02


def _weights(action: Action) -> Mapping[str, object]:
    if not isinstance(action, Forward):
        return {}
    return {"Weights": {group.target_group: group.weight for group in action.groups}}


def describe_target_health(group: TargetGroup) -> Mapping[str, object]:
    """One group's targets in the shape of the API's DescribeTargetHealth."""
    port = group.settings.health_check.port
    descriptions = []
    for target in (*group.registered, *group.draining):
        health = {"State": str(target.state)}
        if target.reason:
            health["Reason"] = str(target.reason)
        if target.description:
            health["Description"] = target.description
        descriptions.append(
            {
                "Target": {"Id": target.address.host, "Port": target.address.port},
                "HealthCheckPort": str(port or target.address.port),
                "TargetHealth": health,
            }
        )
    return {"TargetHealthDescriptions": descriptions}
