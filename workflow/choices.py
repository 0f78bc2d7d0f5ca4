"""The rules of a Choice state: one comparison, or `And`, `Or` and `Not` of such rules."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from workflow.paths import Path, PathMissing, parse_path
from workflow.values import Json, StateFailed, is_number, timestamp


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a variable with a constant, or with the value at a path."""

    variable: Path
    name: str
    operand: Json | Path


@dataclass(frozen=True, slots=True)
class Combination:
    """`And`, `Or` or `Not` of the rules; `Not` has one."""

    name: str
    rules: tuple["Rule", ...]


Rule: TypeAlias = Comparison | Combination


def is_met(rule: Rule, document: Json, context: Json) -> bool:
    """Whether the rule is met. A value of another type meets no comparison. Raises `StateFailed`
    with `States.Runtime` for a path without a value, unless the rule is `IsPresent`."""
    if isinstance(rule, Combination):
        results = (is_met(inner, document, context) for inner in rule.rules)
        if rule.name == "And":
            return all(results)
        return any(results) if rule.name == "Or" else not next(results)
    if rule.name == "IsPresent":
        return _is_present(rule.variable, document, context) is rule.operand
    value = _read(rule.variable, document, context)
    if rule.name in _TYPE_TESTS:
        return _TYPE_TESTS[rule.name](value) is rule.operand
    operand = rule.operand
    if isinstance(operand, Path):
        operand = _read(operand, document, context)
    if rule.name == "StringMatches":
        return isinstance(value, str) and _matches(value, operand)
    kind, compare = _COMPARISONS[rule.name.removesuffix("Path")]
    left, right = kind(value), kind(operand)
    return left is not None and right is not None and compare(left, right)


def _is_present(path: Path, document: Json, context: Json) -> bool:
    try:
        path.read(document, context)
    except PathMissing:
        return False
    return True


def _read(path: Path, document: Json, context: Json) -> Json:
    try:
        return path.read(document, context)
    except PathMissing as missing:
        raise StateFailed(
            "States.Runtime", f"The choice's path {missing} was not found in the input."
        ) from missing


def _matches(value: str, pattern: Json) -> bool:
    """`*` is any text, `\\*` a star and `\\\\` a backslash."""
    if not isinstance(pattern, str):
        return False
    pieces = re.findall(r"\\[\\*]|\*|[^*\\]+|\\", pattern)
    expression = "".join(".*" if one == "*" else re.escape(_unescaped(one)) for one in pieces)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _unescaped(piece: str) -> str:
    return piece[1] if piece in {"\\*", "\\\\"} else piece


def parse_rule(found: Json) -> Rule:
    """The rule in a JSON object, without its `Next`. Raises `ValueError`, which names what is not
    supported."""
    if not isinstance(found, dict):
        raise ValueError(f"a choice rule is an object, not {found!r}")  # noqa: TRY004
    fields = {name: value for name, value in found.items() if name != "Comment"}
    for name in ("And", "Or", "Not"):
        if name in fields:
            return _combination(name, fields)
    variable = fields.pop("Variable", None)
    if not isinstance(variable, str) or len(fields) != 1:
        raise ValueError(f"a choice rule has a Variable and one comparison, not {[*found]}")
    ((name, operand),) = fields.items()
    if name not in OPERATORS:
        raise ValueError(f"the comparison {name} is not supported")
    if name.endswith("Path"):
        if not isinstance(operand, str):
            raise ValueError(f"{name} is not a path")
        return Comparison(parse_path(variable), name, parse_path(operand))
    if not _fits(name, operand):
        raise ValueError(f"{name} cannot be compared with {operand!r}")
    return Comparison(parse_path(variable), name, operand)


def _combination(name: str, fields: Mapping[str, Json]) -> Rule:
    if len(fields) != 1:
        raise ValueError(f"a choice rule with {name} has nothing else beside it")
    inner = fields[name]
    rules: Sequence[Json] = [inner] if name == "Not" else inner if isinstance(inner, list) else []
    if not rules:
        raise ValueError(f"{name} has no rules")
    return Combination(name, tuple(parse_rule(one) for one in rules))


def _fits(name: str, operand: Json) -> bool:
    if name in _TYPE_TESTS or name == "IsPresent":
        return isinstance(operand, bool)
    if name == "StringMatches":
        return isinstance(operand, str)
    return _COMPARISONS[name][0](operand) is not None


def _string(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Json) -> float | None:
    return value if isinstance(value, int | float) and is_number(value) else None


def _boolean(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


_Kind: TypeAlias = Callable[[Json], Any]
_Compare: TypeAlias = Callable[[Any, Any], bool]

_ORDERS: Final[Mapping[str, _Compare]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}

_COMPARISONS: Final[Mapping[str, tuple[_Kind, _Compare]]] = {
    "BooleanEquals": (_boolean, operator.eq),
    **{
        f"{kind}{order}": (read, compare)
        for kind, read in (("String", _string), ("Numeric", _number), ("Timestamp", timestamp))
        for order, compare in _ORDERS.items()
    },
}

_TYPE_TESTS: Final[Mapping[str, Callable[[Json], bool]]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: timestamp(value) is not None,
}

OPERATORS: Final = frozenset(
    (
        *_COMPARISONS,
        *(f"{name}Path" for name in _COMPARISONS),
        *_TYPE_TESTS,
        *("IsPresent", "StringMatches"),
    )
)
"""The names of all comparisons."""
