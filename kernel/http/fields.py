"""The types of the API's fields: ids, times, text, and the base classes of bodies."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final

from fastapi import Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_wrap_validator_function

from kernel.characters import is_visible
from kernel.data.database import LARGEST_ID
from kernel.process.clock import to_milliseconds

EXPLAINED: Final = "explained"
"""The type of errors whose message is a sentence for people."""


def explained(sentence: str) -> PydanticCustomError:
    """The error of a validator, with a sentence that says what to do."""
    return PydanticCustomError(EXPLAINED, sentence)


class Explain:
    """An annotation after a pattern: the sentence for a value that does not match it."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The schema of what is annotated, whose failed pattern has the sentence."""
        return no_info_wrap_validator_function(self._validate, handler(source))

    def _validate(self, value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError as error:
            if any(each["type"] == "string_pattern_mismatch" for each in error.errors()):
                raise explained(self._sentence) from error
            raise


_ID = re.compile(r"[1-9][0-9]{0,18}")


def _one_spelling(value: object) -> object:
    # int("٣"), int("+3"), int("1_0") and True are numbers to Python; a resource has one URL.
    if isinstance(value, bool | float) or (isinstance(value, str) and not _ID.fullmatch(value)):
        raise explained("Send a whole number of 1 or more, in digits.")
    return value


Id = Annotated[int, BeforeValidator(_one_spelling), Field(ge=1, le=LARGEST_ID)]
"""A resource's number, in a path, a query or a body."""


def show_timestamp(moment: datetime) -> str:
    """RFC 3339, in UTC, cut to milliseconds."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # A page has a hundred of them, and `isoformat` takes half as long again.
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (  # noqa: UP031 - faster
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond // 1000,
    )  # fmt: skip


Timestamp = Annotated[
    datetime,
    PlainSerializer(show_timestamp, return_type=str),
    Field(examples=["2026-11-23T08:03:00.000Z"]),
]
"""RFC 3339, UTC, milliseconds."""

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _rfc_3339(value: object) -> object:
    # pydantic would also take seconds since 1970, and dates.
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise explained("Send a date and time with an offset, like 2026-11-23T08:03:00Z.")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return to_milliseconds(moment.astimezone(UTC))
    except OverflowError as error:
        raise explained("Choose a time in the years 1 to 9999.") from error


Moment = Annotated[
    datetime,
    BeforeValidator(_rfc_3339),
    AfterValidator(_in_utc),
    Field(examples=["2030-11-23T08:03:00Z"]),
]
"""A time from a client: RFC 3339, with any offset."""


def _storable(text: str) -> str:
    # PostgreSQL can store neither.
    if "\0" in text:
        raise explained("Leave out the invisible character NUL.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise explained("A character is only half there. Write the text again.")
    return text


def _visible(text: str) -> str:
    if not is_visible(text):
        raise explained("Write something that can be seen.")
    return text


def _trimmed(value: object) -> object:
    # Normalise before the length is counted.
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        raise explained("Write one line, without line breaks and control characters.")
    return text


Prose = Annotated[str, AfterValidator(_storable)]
"""Text of any number of lines; may be empty."""

Markdown = Annotated[str, AfterValidator(_storable), AfterValidator(_visible)]
"""Text of any number of lines, with visible characters."""

Line = Annotated[
    str,
    BeforeValidator(_trimmed),
    AfterValidator(_storable),
    AfterValidator(_one_line),
    AfterValidator(_visible),
]
"""One line with visible characters, trimmed and in Unicode's form NFC."""

Reason = Annotated[Line, Field(min_length=1, max_length=500, examples=["Advertising"])]
"""The reason for an act of a moderator, which the affected user may read."""


Words = Annotated[
    str,
    AfterValidator(_storable),
    Query(min_length=1, max_length=200, description="What to search for.", examples=["bread"]),
]
"""A search query."""


UNKNOWN_FIELDS = "unknown_fields"
"""The type of the error for many unknown fields. Its context has some `names` and the `count`."""

_UNKNOWN_NAMED = 20


class RequestBody(BaseModel):
    """A JSON object in camelCase that a client sends. Unknown fields are refused.

    `largest_body` is the most bytes that it may have as JSON: enough for the longest fields with
    every character escaped, which takes up to 12 bytes each.
    """

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)
    largest_body: ClassVar[int] = 16 * 1024

    @model_validator(mode="before")
    @classmethod
    def _bound_unknown_fields(cls, data: object) -> object:
        # pydantic would report each as an error that contains the whole input.
        if not isinstance(data, dict) or len(data) <= _UNKNOWN_NAMED:
            return data
        known = {field.alias for field in cls.model_fields.values()}
        unknown = [name for name in data if name not in known]
        if len(unknown) <= _UNKNOWN_NAMED:
            return data
        raise PydanticCustomError(
            UNKNOWN_FIELDS,
            "has fields that are not known here",
            {"names": unknown[:_UNKNOWN_NAMED], "count": len(unknown)},
        )


class Resource(BaseModel):
    """A JSON object in camelCase that the board returns."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        from_attributes=True,
        populate_by_name=True,
        serialize_by_alias=True,
    )
