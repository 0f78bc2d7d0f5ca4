"""Intrinsic functions: `States.Format('Case {}', $.Case)`, nested to any depth.

`States.UUID` and `States.MathRandom` are refused: a transition must depend only on its arguments,
so that it can be repeated after a crash.

"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from workflow.paths import Path, parse_path
from workflow.values import Json, StateFailed


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant argument."""

    value: Json


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple["Expression", ...]


Expression: TypeAlias = Literal | Path | Call


def evaluate(expression: Expression, document: Json, context: Json) -> Json:
    """The expression's value. Raises `PathMissing`, and `StateFailed` with
    `States.IntrinsicFailure` for arguments that the function does not take."""
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, Path):
        return expression.read(document, context)
    arguments = [evaluate(one, document, context) for one in expression.arguments]
    try:
        return _FUNCTIONS[expression.name].function(arguments)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise StateFailed(
            "States.IntrinsicFailure", f"{expression.name} failed: {error}"
        ) from error


def parse_expression(text: str) -> Expression:
    """A path or a call. Raises `ValueError`, naming a function that is not supported."""
    if not text.startswith("States."):
        return parse_path(text)
    expression, end = _parse(text, 0)
    if text[end:].strip():
        raise ValueError(f"{text!r} goes on after its end with {text[end:]!r}")
    return expression


_TOKEN: Final = re.compile(
    r"""
    \s*(?:
        (?P<call>States\.\w+)\s*\(
        | '(?P<text>(?:[^'\\]|\\.)*)'
        | (?P<path>\$(?:\[[^\]]*\]|[^\s,)\[])*)
        | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
        | (?P<word>true|false|null)
    )\s*
    """,
    re.VERBOSE,
)
_WORDS: Final[Mapping[str, Json]] = {"true": True, "false": False, "null": None}


def _parse(text: str, position: int) -> tuple[Expression, int]:
    match = _TOKEN.match(text, position)
    if match is None:
        raise ValueError(f"{text!r} is not understood from {text[position:]!r} on")
    if match["call"] is not None:
        return _parse_call(text, match["call"], match.end())
    if match["path"] is not None:
        return parse_path(match["path"]), match.end()
    if match["number"] is not None:
        return Literal(json.loads(match["number"])), match.end()
    if match["word"] is not None:
        return Literal(_WORDS[match["word"]]), match.end()
    return Literal(match["text"]), match.end()


def _parse_call(text: str, name: str, position: int) -> tuple[Expression, int]:
    arguments: list[Expression] = []
    closing = re.compile(r"\s*\)\s*")
    end = closing.match(text, position)
    while end is None:
        argument, position = _parse(text, position)
        arguments.append(argument)
        end = closing.match(text, position)
        if end is None:
            if text[position : position + 1] != ",":
                raise ValueError(f"{text!r} lacks a comma or a bracket at {text[position:]!r}")
            position += 1
    function = _FUNCTIONS.get(name)
    if function is None:
        raise ValueError(f"the function {name} is not supported")
    if not function.least <= len(arguments) <= function.most:
        raise ValueError(f"{name} does not take {len(arguments)} arguments")
    return Call(name, tuple(_without_escapes(name, arguments))), end.end()


def _without_escapes(name: str, arguments: Sequence[Expression]) -> Sequence[Expression]:
    """Plain strings; but the escapes of a format stay, where `\\{` is not a placeholder."""
    templates = 1 if name == "States.Format" else 0
    return [
        Literal(re.sub(r"\\(.)", r"\1", one.value))
        if isinstance(one, Literal) and isinstance(one.value, str) and number >= templates
        else one
        for number, one in enumerate(arguments)
    ]


@dataclass(frozen=True, slots=True)
class _Function:
    function: Callable[[Sequence[Json]], Json]
    least: int
    most: int


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("an argument is not a string")
    return value


def _short_text(value: Json) -> str:
    if len(_text(value)) > 10_000:
        raise ValueError("a string is longer than 10,000 characters")
    return _text(value)


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("an argument is not an array")
    return value


def _whole(value: Json) -> int:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("an argument is not a number")
    return round(value)


def to_json_text(value: Json) -> str:
    """JSON as Step Functions writes it: without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _format(arguments: Sequence[Json]) -> Json:
    template, *values = arguments
    pieces = re.split(r"(\\.|\{\})", _text(template))
    if pieces.count("{}") != len(values):
        raise ValueError("there are not as many values as {}")
    remaining = iter(values)
    return "".join(
        _formatted(next(remaining)) if piece == "{}" else re.sub(r"^\\(.)$", r"\1", piece)
        for piece in pieces
    )


def _formatted(value: Json) -> str:
    if isinstance(value, dict | list):
        raise TypeError("a value is an array or an object")
    return value if isinstance(value, str) else to_json_text(value)


def _partition(arguments: Sequence[Json]) -> Json:
    items, size = _list(arguments[0]), _whole(arguments[1])
    if size < 1:
        raise ValueError("the size is not positive")
    return [items[start : start + size] for start in range(0, len(items), size)]


def _range(arguments: Sequence[Json]) -> Json:
    first, last, step = (_whole(one) for one in arguments)
    found = range(first, last + (1 if step > 0 else -1), step)
    if len(found) > 1_000:
        raise ValueError("the array has more than 1,000 items")
    return list(found)


def _item(arguments: Sequence[Json]) -> Json:
    items, index = _list(arguments[0]), _whole(arguments[1])
    if index < 0:
        raise IndexError("the index is negative")
    return items[index]


def _unique(arguments: Sequence[Json]) -> Json:
    found: dict[str, Json] = {}
    for item in _list(arguments[0]):
        found.setdefault(to_json_text(item), item)
    return list(found.values())


def _contains(arguments: Sequence[Json]) -> Json:
    wanted = to_json_text(arguments[1])
    return any(to_json_text(item) == wanted for item in _list(arguments[0]))


def _decode(arguments: Sequence[Json]) -> Json:
    try:
        return base64.b64decode(_short_text(arguments[0]), validate=True).decode()
    except binascii.Error as error:
        raise ValueError("the string is not Base64") from error


_HASHES: Final[Mapping[Json, str]] = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


def _hash(arguments: Sequence[Json]) -> Json:
    # What is hashed here is data of a workflow; the algorithms are those of the language.
    digest = hashlib.new(_HASHES[_text(arguments[1])], usedforsecurity=False)
    digest.update(_short_text(arguments[0]).encode())
    return digest.hexdigest()


def _merge(arguments: Sequence[Json]) -> Json:
    first, second, deep = arguments
    if not isinstance(first, dict) or not isinstance(second, dict):
        raise TypeError("an argument is not an object")
    if deep is not False:
        raise ValueError("Step Functions only merges shallowly: the third argument is false")
    return {**first, **second}


def _add(arguments: Sequence[Json]) -> Json:
    first, second = (_whole(one) for one in arguments)
    return first + second


def _split(arguments: Sequence[Json]) -> Json:
    text, separators = _text(arguments[0]), _text(arguments[1])
    return [piece for piece in re.split(f"[{re.escape(separators)}]", text) if piece]


_ANY: Final = 1_000

_FUNCTIONS: Final[Mapping[str, _Function]] = {
    "States.Array": _Function(list, 0, _ANY),
    "States.ArrayContains": _Function(_contains, 2, 2),
    "States.ArrayGetItem": _Function(_item, 2, 2),
    "States.ArrayLength": _Function(lambda given: len(_list(given[0])), 1, 1),
    "States.ArrayPartition": _Function(_partition, 2, 2),
    "States.ArrayRange": _Function(_range, 3, 3),
    "States.ArrayUnique": _Function(_unique, 1, 1),
    "States.Base64Decode": _Function(_decode, 1, 1),
    "States.Base64Encode": _Function(
        lambda given: base64.b64encode(_short_text(given[0]).encode()).decode(), 1, 1
    ),
    "States.Format": _Function(_format, 1, _ANY),
    "States.Hash": _Function(_hash, 2, 2),
    "States.JsonMerge": _Function(_merge, 3, 3),
    "States.JsonToString": _Function(lambda given: to_json_text(given[0]), 1, 1),
    "States.MathAdd": _Function(_add, 2, 2),
    "States.StringSplit": _Function(_split, 2, 2),
    "States.StringToJson": _Function(lambda given: _parsed(given[0]), 1, 1),
}


def _parsed(value: Json) -> Json:
    found: Json = json.loads(_text(value))
    return found
