"""How much a run measures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`pairs` is the number of runs whose median counts, `seconds` the time of each.

    `peer_url` is the URL of the Node original, if it runs somewhere on this machine."""

    pairs: int = 3
    seconds: int = 2
    peer_url: str | None = None
