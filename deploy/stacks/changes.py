"""Changes of a live board that AWS refuses half way, or that cost its data: refused before anything
is changed, with what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from deploy.errors import CannotDeployError

Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Refusal:
    """A change of one parameter: whether it is refused (from the value before, the value after, and
    whether the board is paused), and what to do instead."""

    parameter: str
    applies: Callable[[str, str, bool], bool]
    instead: str


def _major(version: str) -> str:
    return version.partition(".")[0]


def _is_older(before: str, after: str) -> bool:
    return [int(part) for part in after.split(".")] < [int(part) for part in before.split(".")]


REFUSALS: Final = (
    Refusal(
        "NatMode",
        lambda _before, _after, paused: not paused,
        "Instances that lose their way out while they run cannot tell ECS that they stop, which "
        "takes up to two days: make pause-ecs, then make resume-ecs NAT_MODE={after}",
    ),
    Refusal(
        "DatabaseKind",
        lambda _before, _after, _paused: True,
        "The other kind is another, empty database: choose another PROJECT for it, or make "
        "destroy-ecs first",
    ),
    Refusal(
        "SnapshotIdentifier",
        lambda _before, _after, _paused: True,
        "It belongs to the database for ever, and another value replaces the database by that "
        "snapshot: restore it into another PROJECT, or make destroy-ecs first",
    ),
    Refusal(
        "EngineVersion",
        lambda before, after, _paused: _major(before) != _major(after) or _is_older(before, after),
        "RDS changes to a newer version of the same major version only; for another, follow "
        "`Upgrading` in its user guide, on a copy first",
    ),
    Refusal(
        "VpcCidr",
        lambda _before, _after, _paused: True,
        "It would replace the network under everything that stands in it: choose another PROJECT "
        "for it, or make destroy-ecs first",
    ),
)


def refused(before: Parameters, after: Parameters, *, paused: bool) -> Iterator[str]:
    """What cannot be changed so, of a stack's parameters before and after."""
    for refusal in REFUSALS:
        old, new = before.get(refusal.parameter), after.get(refusal.parameter)
        if old is None or new is None or old == new or not refusal.applies(old, new, paused):
            continue
        instead = refusal.instead.format(before=old, after=new)
        yield f"{refusal.parameter} cannot go from {old or 'none'} to {new or 'none'}. {instead}"


def require_possible(before: Parameters, after: Parameters, *, paused: bool) -> None:
    """Raise `CannotDeployError` for parameters that cannot become these."""
    found = list(refused(before, after, paused=paused))
    if found:
        raise CannotDeployError("; ".join(found))
