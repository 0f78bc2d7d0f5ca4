"""The settings of `make soak`."""

import pytest

from chaos.soak import Settings, read
from strangle.errors import CannotPlayError


def test_default_is_a_quarter_of_an_hour_at_half_of_the_highest_rate() -> None:
    assert read({"MINUTES": "", "RATE": ""}).minutes == Settings.minutes == 15
    assert read({}).rate is None


def test_reads_every_setting() -> None:
    settings = read({"MINUTES": "3", "RATE": "100", "REPORT": "/tmp/soak"})  # noqa: S108 - not written
    assert (settings.minutes, settings.rate, str(settings.report)) == (3, 100, "/tmp/soak")  # noqa: S108


@pytest.mark.parametrize(("name", "value"), [("RATE", "9"), ("MINUTES", "0"), ("MINUTES", "long")])
def test_rejects_invalid_values(name: str, value: str) -> None:
    with pytest.raises(CannotPlayError, match=f"{name}={value}: it must be"):
        read({name: value})
