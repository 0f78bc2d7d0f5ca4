"""Sentences for people about values that a client sent, each with what to do.

pydantic's own messages are for programmers. A constraint whose rule a sentence must explain, such
as a pattern, has its own: `kernel.http.fields.Explain`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

NOT_KNOWN: Final = "This field is not known here. Leave it out."

OTHER: Final = "This value does not fit here. Check it against the API's documentation."
"""For what has no sentence of its own."""

Context = Mapping[str, Any]


def sentence(kind: str, context: Context, value: object) -> str:
    """The sentence for an error of pydantic: its type, its context and the value that was sent."""
    if kind in {"too_long", "too_short"} and isinstance(value, str):
        # For a text that a validator has changed, pydantic counts `items`.
        kind = f"string_{kind}"
    found = _SENTENCES.get(kind)
    if found is None:
        return OTHER
    return found if isinstance(found, str) else found(context)


def _at_least(context: Context) -> str:
    least = context["min_length"]
    if least == 1:
        return "Write something here."
    return f"Write at least {least:,} characters."


def _at_most(context: Context) -> str:
    return f"Write at most {_number(context['max_length'], 'character')}."


def _fewest(context: Context) -> str:
    return f"Send at least {_number(context['min_length'], 'value')}."


def _most(context: Context) -> str:
    return f"Send at most {_number(context['max_length'], 'value')}."


def _choice(context: Context) -> str:
    return f"Choose one of these: {context['expected']}."


def _from(context: Context) -> str:
    return f"Send a number of at least {context['ge']:,}."


def _up_to(context: Context) -> str:
    return f"Send a number of at most {context['le']:,}."


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


_WHOLE: Final = "Send a whole number."
_TIME: Final = "Send a date and time that exist, with an offset, like 2026-11-23T08:03:00Z."

_SENTENCES: Final[Mapping[str, str | Callable[[Context], str]]] = {
    "missing": "Fill this in: it is needed here.",
    "extra_forbidden": NOT_KNOWN,
    "string_type": "Send a text.",
    "string_unicode": "Send a text in valid Unicode.",
    "string_too_short": _at_least,
    "string_too_long": _at_most,
    "too_short": _fewest,
    "too_long": _most,
    "literal_error": _choice,
    "enum": _choice,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": "Send a number.",
    "float_parsing": "Send a number.",
    "finite_number": "Send a finite number.",
    "greater_than_equal": _from,
    "less_than_equal": _up_to,
    "bool_type": "Send true or false.",
    "bool_parsing": "Send true or false.",
    "list_type": "Send a list.",
    "dict_type": "Send a JSON object.",
    "model_type": "Send a JSON object.",
    "model_attributes_type": "Send a JSON object.",
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": _TIME,
}
