"""The settings of a play, and the values that it rejects."""

from pathlib import Path

import pytest

from strangle.errors import CannotPlayError
from strangle.settings import Settings, read
from strangle.steps import migration


def test_a_play_has_at_least_50_000_requests_and_takes_less_than_five_minutes() -> None:
    """With the defaults. Starting, draining and auditing take less than a minute."""
    settings = read({"RATE": "", "STEP": ""})
    pauses = len(migration()) * settings.pause
    assert settings.rate == 500
    assert settings.rate * pauses >= 50_000
    assert pauses + 60 <= 300


def test_steps_follow_each_other_and_times_are_checked_unless_asked_otherwise() -> None:
    assert (read({}).step, read({"TIMES": ""}).report_times) == (False, False)


def test_settings_are_read() -> None:
    texts = {"RATE": "50.5", "PAUSE": "2", "STEP": "1", "STREAMS": "3", "TIMES": "report"}
    chosen = read({**texts, "REPORT": "/r.html"})
    assert chosen == Settings(
        rate=50.5,
        pause=2.0,
        streams=3,
        step=True,
        report_times=True,
        data_folder=Path(".data/strangle").absolute(),
        report=Path("/r.html"),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE", "0"),
        ("RATE", "ten"),
        ("RATE", "nan"),
        ("RATE", "1e9"),
        ("PAUSE", "-1"),
        ("STREAMS", "1001"),
        ("STEP", "yes"),
        ("TIMES", "never"),
        ("PORT", "65536"),
    ],
)
def test_invalid_setting_of_a_play_is_rejected(name: str, value: str) -> None:
    with pytest.raises(CannotPlayError, match=f"{name}={value}: it must be"):
        read({name: value})
