"""The settings of a play, and the values that it rejects."""

from pathlib import Path

import pytest

from strangle.errors import CannotPlayError
from strangle.settings import Settings, read


def test_defaults_are_500_requests_a_second_and_less_than_five_minutes() -> None:
    assert read({"RATE": "", "STEP": ""}).rate == 500
    assert read({}).step is False


def test_settings_are_read() -> None:
    chosen = read({"RATE": "50.5", "PAUSE": "2", "STEP": "1", "STREAMS": "3", "REPORT": "/r.html"})
    assert chosen == Settings(
        rate=50.5,
        pause=2.0,
        streams=3,
        step=True,
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
        ("PORT", "65536"),
    ],
)
def test_invalid_setting_of_a_play_is_rejected(name: str, value: str) -> None:
    with pytest.raises(CannotPlayError, match=f"{name}={value}: it must be"):
        read({name: value})
