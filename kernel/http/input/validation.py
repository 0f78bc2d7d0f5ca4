"""Converts the validation errors of FastAPI and pydantic to a failure of the board, with a bounded
size and without the values that were sent."""

from collections.abc import Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from kernel.errors import Failure, FieldError, Invalid, MalformedRequest, NotFound
from kernel.http.fields import UNKNOWN_FIELDS

_UNKNOWN = "This field is not known here."
_LONGEST_NAME = 60
_LONGEST_SENTENCE = 200


def to_failure(error: RequestValidationError) -> Failure:
    """The failure to answer with."""
    wrong = error.errors()
    if any(entry["type"] == "json_invalid" for entry in wrong):
        return MalformedRequest("The body is not JSON.")
    if any(entry["loc"][0] == "path" for entry in wrong):
        return NotFound("No resource has such an id.")
    errors: list[FieldError] = []
    more = 0
    for entry in wrong:
        location = entry["loc"]
        if entry["type"] == UNKNOWN_FIELDS:
            names = entry["ctx"]["names"]
            errors += [FieldError(_pointer([*location, name]), _UNKNOWN) for name in names]
            more += entry["ctx"]["count"] - len(names)
        else:
            errors.append(FieldError(_pointer(location), _sentence(entry)))
    return Invalid(*errors, more=more)


def _pointer(location: Sequence[str | int]) -> str:
    where, *rest = [cut_name(str(part)) for part in location]
    if where == "header":
        return rest[0]
    if where != "body":
        return "?" + ".".join(rest[:1])
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in rest)


def _sentence(entry: dict[str, Any]) -> str:
    if entry["type"] == "extra_forbidden":
        return _UNKNOWN
    if entry["type"] in {"too_long", "too_short"} and isinstance(entry["input"], str):
        # For a text that a validator has changed, pydantic's message says `items`.
        limit = entry["ctx"].get("max_length") or entry["ctx"].get("min_length")
        bound = "most" if entry["type"] == "too_long" else "least"
        return f"String should have at {bound} {limit} character{'' if limit == 1 else 's'}."
    message = _cut(str(entry["msg"]).removeprefix("Value error, "), _LONGEST_SENTENCE)
    return f"{message[:1].upper()}{message[1:]}."


def cut_name(name: str) -> str:
    """The name of a field or a parameter as errors have it: its first 60 characters."""
    return _cut(name, _LONGEST_NAME)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
