"""Which action a request gets: pure, a request in, an action out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Protocol

from gateway.paths import compile_globs


class RuleInput(Protocol):
    """What a rule may ask of a request."""

    @property
    def path(self) -> bytes:
        """The normalised path (``gateway.paths.normalise``), without the query."""


class Condition(Protocol):
    """One condition of a rule; its values are alternatives."""

    def holds(self, request: RuleInput) -> bool:
        """Whether one of the condition's values matches."""


class PathPattern:
    """``path-pattern``: one of the globs matches the whole path, case-sensitively.

    ``*`` is any run of characters, slashes too, and ``?`` exactly one; nothing else is special.
    """

    __slots__ = ("_matches", "patterns")

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self._matches = compile_globs(patterns)

    def holds(self, request: RuleInput) -> bool:
        """See Condition."""
        return self._matches(request.path) is not None


@dataclass(frozen=True, slots=True)
class WeightedGroup:
    """A target group of a forward action, by its logical id; ``weight`` is 0 to 999."""

    target_group: str
    weight: int


@dataclass(frozen=True, slots=True)
class Forward:
    """Sends the request to one of its target groups; each one's share is its weight of the sum."""

    groups: tuple[WeightedGroup, ...]
    _names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _bounds: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weighted = [group for group in self.groups if group.weight > 0]
        object.__setattr__(self, "_names", tuple(group.target_group for group in weighted))
        object.__setattr__(self, "_bounds", tuple(accumulate(g.weight for g in weighted)))

    def choose(self, random: Random) -> str | None:
        """The logical id of one target group; None when every weight is 0.

        The weights do not look at health: a group without a healthy target keeps its share.
        """
        names = self._names
        if len(names) == 1:
            return names[0]
        if not names:
            return None
        drawn = random.random() * self._bounds[-1]
        for name, bound in zip(names, self._bounds, strict=True):
            if drawn < bound:
                return name
        return names[-1]


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """Answers without a target. ``content_type`` is sent with ``; charset=utf-8`` appended."""

    status: int
    content_type: str
    body: bytes


Action = Forward | FixedResponse


@dataclass(frozen=True, slots=True)
class Rule:
    """An action for requests that every condition holds for. The default rule has priority 0."""

    priority: int
    conditions: tuple[Condition, ...]
    action: Action


class Rules:
    """A listener's rules: the first one by priority whose conditions all hold, else the default."""

    __slots__ = ("_default", "_rules")

    def __init__(self, rules: Sequence[Rule], default: Action) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: rule.priority))
        self._default = Rule(0, (), default)

    def __iter__(self) -> Iterator[Rule]:
        return iter((*self._rules, self._default))

    def match(self, request: RuleInput) -> Rule:
        """The rule for the request; the default rule when no other one applies."""
        for rule in self._rules:
            for condition in rule.conditions:
                if not condition.holds(request):
                    break
            else:
                return rule
        return self._default
