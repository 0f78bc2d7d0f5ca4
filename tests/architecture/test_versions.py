"""The version is in pyproject.toml, and what repeats it cannot differ from it."""

import re
import tomllib

from board.version import VERSION
from tests.cloudformation import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_images_label_is_the_version() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    labels = re.findall(r'org\.opencontainers\.image\.version="([^"]*)"', dockerfile)
    assert labels == [PROJECT["version"]]


def test_backups_name_the_version() -> None:
    assert PROJECT["version"] == VERSION


def test_the_changelog_begins_with_the_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == PROJECT["version"]
    assert headings == sorted(headings, key=_numbers, reverse=True)


def test_security_fixes_go_into_this_minor_version() -> None:
    minor = ".".join(PROJECT["version"].split(".")[:2])
    assert f"| {minor}.x | yes |" in (ROOT / "SECURITY.md").read_text()


def test_images_in_compose_carry_no_version() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"image: board/\w+:(\S+)", compose)) == {"local"}


def test_the_licence_is_apache_2() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    [name] = PROJECT["license-files"]
    text = (ROOT / name).read_text()
    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
