"""Refuses changes of a running board that AWS would reject half-way or that would lose its data,
before anything is changed, and says what to do instead."""

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
        "Running instances that can no longer reach ECS cannot deregister, and their replacement "
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
        "It belongs to the database permanently, and another value would replace the database: "
        "restore that snapshot into another PROJECT, or make destroy-ecs first",
    ),
    Refusal(
        "EngineVersion",
        lambda before, after, _paused: _major(before) != _major(after) or _is_older(before, after),
        "RDS changes to a newer version of the same major version only. For another, follow "
        "`Upgrading` in RDS's user guide, on a copy first",
    ),
    Refusal(
        "VpcCidr",
        lambda _before, _after, _paused: True,
        "It would replace the network and everything in it: choose another PROJECT "
        "for it, or make destroy-ecs first",
    ),
)


def refused(before: Parameters, after: Parameters, *, paused: bool) -> Iterator[str]:
    """Why parameters cannot change from these values to those, one sentence for each."""
    for refusal in REFUSALS:
        old, new = before.get(refusal.parameter), after.get(refusal.parameter)
        if old is None or new is None or old == new or not refusal.applies(old, new, paused):
            continue
        instead = refusal.instead.format(before=old, after=new)
        yield f"{refusal.parameter} cannot go from {old or 'none'} to {new or 'none'}. {instead}"


def require_possible(before: Parameters, after: Parameters, *, paused: bool) -> None:
    """Raise `CannotDeployError` if a parameter cannot change to its new value."""
    found = list(refused(before, after, paused=paused))
    if found:
        raise CannotDeployError("; ".join(found))
