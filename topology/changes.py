"""When traffic may move between the servers of a running board, and when a server may stop.

`health` has the state of each server that is a target of the load balancer, by its name, as the
load balancer's API names it. `shares` has the percentage of its requests that each service gets.
"""

from collections.abc import Mapping
from typing import Final

from topology.deployments import MONOLITH, SERVERS, calls_of

HEALTHY: Final = "healthy"


def with_called(server: str) -> list[str]:
    """A server and the services that it calls, each after those that it calls itself."""
    called = {one for direct in calls_of(server) for one in with_called(direct)}
    return [one for one in SERVERS if one in called or one == server]


def why_not_shift(
    health: Mapping[str, str], service: str, share: int, remedy: str = "make start CONTEXT={server}"
) -> str | None:
    """Why a service must not get this percentage of its requests: a sentence, or None if it may.

    A server that gets requests must be healthy: the service itself, or the monolith for the rest.
    The sentence ends with `remedy`, the command that helps.
    """
    for name, part in ((service, share), (MONOLITH, 100 - share)):
        if part and health.get(name) != HEALTHY:
            condition = f"is {health[name]}" if name in health else "does not run"
            return (
                f"{name} {condition}, and would get {part} % of the requests about {service}: "
                f"{remedy.format(server=name)}, or add FORCE=1 to see what happens"
            )
    return None


def why_not_stop(health: Mapping[str, str], shares: Mapping[str, int], server: str) -> str | None:
    """Why a server must not stop: a sentence, or None if it may.

    It may if it gets no requests and if no service that runs calls it.
    """
    if server not in health:
        return f"{server} is not running"
    for service, share in shares.items():
        part = share if service == server else 100 - share if server == MONOLITH else 0
        if part:
            other = 100 if server == MONOLITH else 0
            return (
                f"{server} still gets {part} % of the requests about {service}: "
                f"make shift CONTEXT={service} SHARE={other}"
            )
    callers = [name for name in health if server in calls_of(name)]
    if callers:
        return f"{callers[-1]} runs and calls {server}: make stop CONTEXT={callers[-1]} first"
    return None
