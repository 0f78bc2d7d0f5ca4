"""Reads the shares of traffic from the file with the load balancer's current rules."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

_SUFFIX: Final = "Targets"
_WHOLE: Final = "Monolith" + _SUFFIX
"""The target group with the rest of each context's requests (infra/routing.yml)."""


class _Rule(BaseModel):
    weights: dict[str, Annotated[int, Field(ge=0, le=999, strict=True)]] = Field(
        default_factory=dict, alias="Weights"
    )


class _Listener(BaseModel):
    rules: list[_Rule] = Field(alias="Rules")


_LISTENERS: Final = TypeAdapter(list[_Listener])


def read_shares(rules_file: Path | None) -> Mapping[str, int]:
    """The percentage of its requests that each service gets, by the service's name.

    `rules_file` is what the gateway's `--rules-file` writes. Empty if there is no file, or none
    that can be understood: the page then shows no shares.
    """
    if rules_file is None:
        return {}
    try:
        listeners = _LISTENERS.validate_json(rules_file.read_bytes())
    except (OSError, ValidationError):
        return {}
    return dict(share for listener in listeners for rule in listener.rules for share in _of(rule))


def _of(rule: _Rule) -> Iterator[tuple[str, int]]:
    rest = rule.weights.get(_WHOLE)
    if rest is None:
        return
    for group, weight in rule.weights.items():
        if group != _WHOLE:
            yield group.removesuffix(_SUFFIX).lower(), round(100 * weight / (weight + rest or 1))
