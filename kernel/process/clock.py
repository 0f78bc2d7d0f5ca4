"""The time, as a dependency that is passed as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current moment, in UTC, whole milliseconds: the precision that the API shows."""


def utc_now() -> datetime:
    """The current time of the machine."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(moment: datetime) -> datetime:
    """The moment, cut to whole milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
