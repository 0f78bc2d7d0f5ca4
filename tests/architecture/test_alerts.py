"""The alerts of Prometheus and AWS, and what docs/operations.md says about them."""

import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import yaml

from tests.cloudformation import ROOT

OBSERVE = ROOT / "observe"
"""The folder with the alerts, their tests and the dashboard."""


def promtool(*arguments: str) -> str:
    """What promtool prints, if it succeeds."""
    command = shutil.which("promtool")
    assert command is not None, "promtool is missing: apt install prometheus"
    result = subprocess.run([command, *arguments], cwd=OBSERVE, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def rules() -> list[Mapping[str, Any]]:
    """The alerts of Prometheus."""
    [group] = yaml.safe_load((OBSERVE / "alerts.yml").read_text())["groups"]
    found: list[Mapping[str, Any]] = group["rules"]
    return found


def test_rules_are_valid_and_each_fires_as_its_test_says() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tested: dict[str, set[bool]] = {}
    for test in yaml.safe_load((OBSERVE / "alerts_test.yml").read_text())["tests"]:
        for each in test["alert_rule_test"]:
            tested.setdefault(each["alertname"], set()).add(bool(each["exp_alerts"]))
    assert tested == {rule["alert"]: {True, False} for rule in rules()}
