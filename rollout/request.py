"""The arguments of a command, from the environment that `make NAME=value` sets."""

from collections.abc import Mapping
from dataclasses import dataclass

from rollout.errors import CannotRollOutError
from topology.deployments import SERVERS, SERVICES


@dataclass(frozen=True)
class Shift:
    """Send `service` a percentage of its requests. With `force`, also if nothing would answer."""

    service: str
    share: int
    force: bool


def read_shift(environment: Mapping[str, str]) -> Shift:
    """CONTEXT, SHARE and FORCE. Raises CannotRollOutError."""
    context, share = environment.get("CONTEXT", ""), environment.get("SHARE", "")
    if not context or not share:
        raise CannotRollOutError("name a context and a share: make shift CONTEXT=posts SHARE=10")
    if context not in SERVICES:
        raise CannotRollOutError(f"CONTEXT={context}: it must be one of {', '.join(SERVICES)}")
    if not (share.isascii() and share.isdigit() and len(share) <= 3 and int(share) <= 100):
        raise CannotRollOutError(f"SHARE={share}: it must be a whole number from 0 to 100")
    force = environment.get("FORCE", "")
    if force not in ("", "0", "1"):
        raise CannotRollOutError(f"FORCE={force}: it must be 1, or not set")
    return Shift(context, int(share), force == "1")


def read_server(environment: Mapping[str, str]) -> str:
    """CONTEXT, which may also be the monolith. Raises CannotRollOutError."""
    context = environment.get("CONTEXT", "")
    if context not in SERVERS:
        raise CannotRollOutError(
            f"CONTEXT={context}: it must be one of {', '.join(SERVERS)}"
            if context
            else "name what to start or stop: make start CONTEXT=posts"
        )
    return context
