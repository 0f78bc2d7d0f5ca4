"""The settings of `make chaos`."""

import pytest

from chaos.settings import Settings, read
from strangle.errors import CannotPlayError


def test_defaults_run_every_fault_and_check_times() -> None:
    settings = read({"RATE": "", "SHORT": "", "TIMES": ""})
    assert (settings.rate, settings.short, settings.only) == (Settings.rate, False, "")
    assert not settings.report_times
    assert not settings.in_compose
    assert settings.report.is_absolute()


def test_reads_every_setting() -> None:
    settings = read({"RATE": "40", "SHORT": "1", "ONLY": "kill", "TIMES": "report"})
    assert (settings.rate, settings.short, settings.only) == (40.0, True, "kill")
    assert settings.report_times


def test_times_of_containers_are_reported_in_a_file_of_their_own() -> None:
    settings = read({"ON": "compose"})
    assert (settings.in_compose, settings.report_times) == (True, True)
    assert settings.report != read({}).report
    assert not read({"ON": "compose", "TIMES": "check"}).report_times


@pytest.mark.parametrize(
    ("name", "value"),
    [("ON", "aws"), ("RATE", "9"), ("RATE", "many"), ("SHORT", "yes"), ("TIMES", "never")],
)
def test_rejects_invalid_values(name: str, value: str) -> None:
    with pytest.raises(CannotPlayError, match=f"{name}={value}: it must be"):
        read({name: value})
