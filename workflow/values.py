"""JSON values, and the failures of evaluating them."""

from datetime import datetime
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class StateFailed(Exception):
    """A state failed. `error` is a name as in `ErrorEquals`, for example `States.Timeout`."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def is_number(value: Json) -> bool:
    """Whether the value is a number in JSON. In Python, booleans are numbers, too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def timestamp(text: Json) -> datetime | None:
    """The time of an RFC 3339 timestamp, or None if the text is not one."""
    if not isinstance(text, str) or "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
