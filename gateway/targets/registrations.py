"""The registered targets of a group: those that names resolve to, and those that an operator has
registered."""

import asyncio
from collections.abc import Callable, Hashable

from gateway.targets.health import HealthChecks
from gateway.targets.target import Address, Target
from gateway.targets.target_group import TargetGroup


class UnknownTargetError(LookupError):
    """The target is not registered."""


class Registrations:
    """The registrations of one group. A deregistered target is drained for the deregistration delay
    and then removed. What an operator registers or deregisters has priority over discovery."""

    def __init__(self, group: TargetGroup, checks: HealthChecks) -> None:
        self.group = group
        self.checks = checks
        self._found: dict[Hashable, set[Address]] = {}
        self._manual: set[Address] = set()
        self._withheld: set[Address] = set()
        self._forgetting: set[asyncio.TimerHandle] = set()
        self._on_empty: Callable[[], None] | None = None

    def found(self, source: Hashable, addresses: set[Address]) -> None:
        """Sets the addresses that ``source`` now resolves to."""
        self._found[source] = addresses
        self._reconcile()

    def register(self, address: Address) -> None:
        """Registers a target on an operator's behalf, unless it is already registered."""
        self._withheld.discard(address)
        self._manual.add(address)
        self._reconcile()

    def deregister(self, address: Address) -> Target:
        """Deregisters and drains a target. Raises UnknownTargetError."""
        [*targets] = (t for t in self.group.registered if t.address == address)
        if not targets:
            raise UnknownTargetError(f"{address} is not registered in {self.group.name}")
        self._manual.discard(address)
        self._withheld.add(address)
        self._reconcile()
        return targets[0]

    def retire(self, on_empty: Callable[[], None]) -> None:
        """Drains every target. Calls ``on_empty`` once the last one is removed."""
        self._on_empty = on_empty
        self._found.clear()
        self._manual.clear()
        self._reconcile()
        self._notify_when_empty()

    def return_to_service(self) -> None:
        """Undoes ``retire``; draining targets continue to drain."""
        self._on_empty = None

    async def close(self) -> None:
        """Stops the checks; registered targets stay registered."""
        await self.checks.close()
        for handle in self._forgetting:
            handle.cancel()

    def _reconcile(self) -> None:
        wanted = set().union(*self._found.values(), self._manual) - self._withheld
        present = {target.address for target in self.group.registered}
        for address in sorted(wanted - present):
            self.checks.start(self.group.register(address))
        for address in sorted(present - wanted):
            self._drain(address)

    def _drain(self, address: Address) -> None:
        group = self.group
        target = group.deregister(address)
        self.checks.stop(target)

        def forget() -> None:
            self._forgetting.discard(handle)
            group.forget(target)
            self._notify_when_empty()

        delay = group.settings.deregistration_delay
        handle = asyncio.get_running_loop().call_later(delay, forget)
        self._forgetting.add(handle)

    def _notify_when_empty(self) -> None:
        if self._on_empty is not None and not self.group.registered and not self.group.draining:
            self._on_empty()
