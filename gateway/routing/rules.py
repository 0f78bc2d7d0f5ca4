"""Finds the rule for a request, without I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Final

from gateway.http1.paths import compile_numbered_globs, normalise
from gateway.net.bounded_memo import BoundedMemo
from gateway.routing.conditions import Condition, PathPattern, RuleInput
from gateway.routing.redirect import Redirect
from gateway.routing.sign_in import SignIn
from gateway.routing.transforms import NO_TRANSFORMS, Transforms

_KNOWN_TARGETS: Final = 1024
"""For how many request targets (path and query) the rule is remembered."""
_MAX_KNOWN_TARGET: Final = 256
"""The longest such target, in bytes."""


@dataclass(frozen=True, slots=True)
class WeightedGroup:
    """A target group of a forward action, by its logical id; ``weight`` is 0 to 999."""

    target_group: str
    weight: int


@dataclass(frozen=True, slots=True)
class Forward:
    """Forwards to one of the target groups. A group's share is its weight divided by the sum of all
    weights.

    ``stickiness`` is the number of seconds for which a client keeps its target group; None turns it
    off.
    """

    groups: tuple[WeightedGroup, ...]
    stickiness: int | None = None
    _names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _bounds: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weighted = [group for group in self.groups if group.weight > 0]
        object.__setattr__(self, "_names", tuple(group.target_group for group in weighted))
        object.__setattr__(self, "_bounds", tuple(accumulate(g.weight for g in weighted)))

    @property
    def names(self) -> tuple[str, ...]:
        """The logical ids of the groups whose weight is not 0."""
        return self._names

    def choose(self, random: Random) -> str | None:
        """The logical id of one target group; None if every weight is 0.

        Health does not matter: a group without a healthy target keeps its share.
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


Action = Forward | FixedResponse | Redirect


@dataclass(frozen=True, slots=True)
class Rule:
    """An action, for requests that meet all conditions. The default rule has priority 0.

    ``logical_id`` is the rule's name in the template; empty for the default rule.
    """

    priority: int
    conditions: tuple[Condition, ...]
    action: Action
    transforms: Transforms = NO_TRANSFORMS
    logical_id: str = ""
    sign_in: SignIn | None = None
    """The sign-in before the action, if any."""


class Rules:
    """A listener's rules. The one that applies is the first, in the order of priorities, whose
    conditions all hold; if there is none, the default rule."""

    __slots__ = ("_by_path", "_by_target", "_default", "_only_paths", "_rules", "evaluations")

    def __init__(
        self, rules: Sequence[Rule], default: Action, default_sign_in: SignIn | None = None
    ) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: rule.priority))
        self._default = Rule(0, (), default, sign_in=default_sign_in)
        globs = [_path_globs(rule) for rule in self._rules]
        self._only_paths = all(globs)
        """Whether the rules look at nothing but the path. If so, the rule for a request target can
        be remembered, and ``_by_path`` finds its number with a single regular expression."""
        self._by_path = compile_numbered_globs(globs if self._only_paths else ())
        self._by_target = BoundedMemo(
            self._first_for_target, most=_KNOWN_TARGETS, longest=_MAX_KNOWN_TARGET
        )
        self.evaluations = 0
        """The number of rules evaluated so far, without the default rule."""

    def __iter__(self) -> Iterator[Rule]:
        return iter((*self._rules, self._default))

    def match(self, request: RuleInput) -> Rule:
        """The rule for the request; the default rule if no other one applies."""
        if self._only_paths:
            rule, looked_at = self._by_target[request.target]
        else:
            rule, looked_at = self._first(request)
        self.evaluations += looked_at
        return rule

    def _first(self, request: RuleInput) -> tuple[Rule, int]:
        for position, rule in enumerate(self._rules, 1):
            for condition in rule.conditions:
                if not condition.holds(request):
                    break
            else:
                return rule, position
        return self._default, len(self._rules)

    def _first_for_target(self, target: bytes) -> tuple[Rule, int]:
        """Finds the same rule as ``_first``; only if all conditions are about the path."""
        found = self._by_path(normalise(target))
        position = found.lastindex if found else None
        if position is None:
            return self._default, len(self._rules)
        return self._rules[position - 1], position


def _path_globs(rule: Rule) -> Sequence[str]:
    """The path patterns of a rule whose only condition is about the path. Empty for any other rule,
    and if the patterns are regular expressions."""
    if len(rule.conditions) != 1:
        return ()
    [condition] = rule.conditions
    if not isinstance(condition, PathPattern) or condition.values.regular:
        return ()
    return condition.values.written
