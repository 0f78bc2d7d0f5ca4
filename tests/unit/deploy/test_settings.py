"""Invalid settings are refused before any call to AWS."""

from pathlib import Path

import pytest

from deploy import settings
from deploy.errors import CannotDeployError


def test_settings_have_defaults() -> None:
    assert settings.read({}) == settings.Settings()
    assert settings.read({"DEPLOYMENT": "", "COUNT": ""}) == settings.Settings()


def test_frequent_settings_are_template_parameters() -> None:
    found = settings.read(
        {"NAT_MODE": "none", "COUNT": "2", "PARAMETERS": "MaxCapacity=8 DatabaseTls=a=b"}
    )
    assert found.parameters == {
        "NatMode": "none",
        "DesiredCount": "2",
        "MaxCapacity": "8",
        "DatabaseTls": "a=b",
    }
    assert found.templates == Path("infra")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROJECT", "Board"),
        ("PROJECT", "1st"),
        ("PROJECT", "b"),
        ("PROJECT", "board-"),
        ("PROJECT", "b" * 22),
        ("DEPLOYMENT", "services"),
        ("REVISION", "latest"),
        ("REVISION", "0123456789ab_"),
        ("PARAMETERS", "MaxCapacity"),
        ("PARAMETERS", "Max-Capacity=1"),
    ],
)
def test_rejects_an_invalid_setting_by_name(name: str, value: str) -> None:
    with pytest.raises(CannotDeployError, match=name):
        settings.read({name: value})


@pytest.mark.parametrize("revision", ["0123456789ab", "0123456789ab-dirty00ff00ff", "a" * 40])
def test_accepts_commits_with_an_optional_suffix(revision: str) -> None:
    assert settings.read({"REVISION": revision}).revision == revision
