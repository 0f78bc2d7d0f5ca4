"""Who is registered in a target group, and why: names that resolve, and what an operator says."""

import asyncio
from collections.abc import Callable, Hashable

from gateway.targets.health import HealthChecks
from gateway.targets.target import Address, Target
from gateway.targets.target_group import TargetGroup


class UnknownTargetError(LookupError):
    """No such target is registered."""


class Registrations:
    """One group's. A target that leaves is drained for the deregistration delay and then
    forgotten; what an operator registered or deregistered by hand, no look-up undoes."""

    def __init__(self, group: TargetGroup, checks: HealthChecks) -> None:
        self.group = group
        self.checks = checks
        self._found: dict[Hashable, set[Address]] = {}
        self._by_hand: set[Address] = set()
        self._withheld: set[Address] = set()
        self._forgetting: set[asyncio.TimerHandle] = set()
        self._gone: Callable[[], None] | None = None

    def found(self, source: Hashable, addresses: set[Address]) -> None:
        """All that ``source`` leads to now."""
        self._found[source] = addresses
        self._settle()

    def register(self, address: Address) -> None:
        """Registers a target by hand; nothing happens when it is registered already."""
        self._withheld.discard(address)
        self._by_hand.add(address)
        self._settle()

    def deregister(self, address: Address) -> Target:
        """Drains a target. Raises UnknownTargetError."""
        [*targets] = (t for t in self.group.registered if t.address == address)
        if not targets:
            raise UnknownTargetError(f"{address} is not registered in {self.group.name}")
        self._by_hand.discard(address)
        self._withheld.add(address)
        self._settle()
        return targets[0]

    def retire(self, gone: Callable[[], None]) -> None:
        """Drains everybody; ``gone`` is called once the last of them is forgotten."""
        self._gone = gone
        self._found.clear()
        self._by_hand.clear()
        self._settle()
        self._tell_when_empty()

    def return_to_service(self) -> None:
        """The group is not to go after all; who drains goes on doing so."""
        self._gone = None

    async def close(self) -> None:
        """Checks nobody any more; whoever is registered stays so."""
        await self.checks.close()
        for handle in self._forgetting:
            handle.cancel()

    def _settle(self) -> None:
        wanted = set().union(*self._found.values(), self._by_hand) - self._withheld
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
            self._tell_when_empty()

        delay = group.settings.deregistration_delay
        handle = asyncio.get_running_loop().call_later(delay, forget)
        self._forgetting.add(handle)

    def _tell_when_empty(self) -> None:
        if self._gone is not None and not self.group.registered and not self.group.draining:
            self._gone()
