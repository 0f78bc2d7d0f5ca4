"""Ids, times and texts in the API's requests and responses."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from kernel.data.database import LARGEST_ID
from kernel.http.fields import Id, Line, Markdown, Moment, Prose, Timestamp, show_timestamp

ID = TypeAdapter(Id)
LINE = TypeAdapter(Line)
MARKDOWN = TypeAdapter(Markdown)
MOMENT = TypeAdapter(Moment)


@pytest.mark.parametrize("text", ["1", "7", str(LARGEST_ID)])
def test_an_id_is_a_positive_whole_number(text: str) -> None:
    assert ID.validate_python(text) == int(text)


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "007", "+7", " 7", "7 ", "7.0", "1e3", "1_0", "٣", "", "x", str(LARGEST_ID + 1)],
)
def test_an_id_has_one_spelling(text: str) -> None:
    with pytest.raises(ValidationError):
        ID.validate_python(text)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 11, 23, 8, 3, tzinfo=UTC), "2026-11-23T08:03:00.000Z"),
        (datetime(2026, 11, 23, 8, 3, 1, 999_999, tzinfo=UTC), "2026-11-23T08:03:01.999Z"),
        (
            datetime(2026, 11, 23, 8, 3, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            "2026-11-23T02:33:00.000Z",
        ),
    ],
)
def test_a_time_is_shown_in_utc_to_the_millisecond(moment: datetime, shown: str) -> None:
    assert TypeAdapter(Timestamp).dump_python(moment, mode="json") == shown


@pytest.mark.parametrize(
    "sent", ["2030-01-01T00:00:00Z", "2030-01-01T01:00:00+01:00", "2029-12-31t19:00:00.000-05:00"]
)
def test_a_time_may_be_sent_with_any_offset(sent: str) -> None:
    assert MOMENT.validate_python(sent) == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "sent", ["2030-01-01", "2030-01-01T00:00:00", 1893456000, "0001-01-01T00:00:00+10:00", "soon"]
)
def test_rejects_invalid_timestamp(sent: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(sent)


def test_a_line_is_trimmed() -> None:
    assert LINE.validate_python(" \t Night trains\n") == "Night trains"


@pytest.mark.parametrize(
    "text", ["", "  ", "\u200b\u200d", "\u3000", "two\nlines", "bell\a", "nul\0", "para\u2029graph"]
)
def test_line_must_be_one_visible_line(text: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(text)


@pytest.mark.parametrize("text", ["a\nb", "مرحبا", "👩\u200d🚀", "1. one\r\n2. two"])
def test_markdown_is_kept_as_it_was_written(text: str) -> None:
    assert MARKDOWN.validate_python(text) == text


@pytest.mark.parametrize("text", ["\n\n", "\u200b", "a\0b", "\ud800"])
def test_markdown_must_contain_visible_text(text: str) -> None:
    with pytest.raises(ValidationError):
        MARKDOWN.validate_python(text)


def test_prose_may_be_empty() -> None:
    assert TypeAdapter(Prose).validate_python("") == ""


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_a_shown_time_is_iso_8601_in_utc(moment: datetime) -> None:
    cut = moment.isoformat(timespec="milliseconds")
    assert show_timestamp(moment) == cut.replace("+00:00", "Z")
