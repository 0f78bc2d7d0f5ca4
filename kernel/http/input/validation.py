"""Converts the validation errors of FastAPI and pydantic to a failure of the board, with a bounded
size and without the values that were sent."""

from collections.abc import Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from kernel.errors import Failure, FieldError, Invalid, MalformedRequest, NotFound
from kernel.http.fields import EXPLAINED, UNKNOWN_FIELDS
from kernel.http.input.sentences import NOT_KNOWN, sentence

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
            errors += [FieldError(_pointer([*location, name]), NOT_KNOWN) for name in names]
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
    if entry["type"] == EXPLAINED:
        return _cut(str(entry["msg"]), _LONGEST_SENTENCE)
    return sentence(entry["type"], entry.get("ctx", {}), entry.get("input"))


def cut_name(name: str) -> str:
    """The name of a field or a parameter as errors have it: its first 60 characters."""
    return _cut(name, _LONGEST_NAME)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
