"""The alerts of Prometheus and AWS, and what docs/operations.md says about them."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatch
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


OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def alarms_on_aws() -> list[str]:
    """The names of CloudWatch's alarms, without the project."""
    template = (ROOT / "infra" / "observability.yml").read_text()
    return re.findall(r"AlarmName: !Sub '\$\{Project\}-([a-z-]+)'", template)


def sections(heading: str) -> list[str]:
    """The alarms with a section below a heading of docs/operations.md."""
    part = OPERATIONS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    titles: list[str] = re.findall(r"^### (.*)$", part, re.MULTILINE)
    return [name for title in titles for name in re.findall(r"`([^`]+)`", title)]


def test_every_alert_of_prometheus_has_a_section_and_every_section_an_alert() -> None:
    assert sections("Prometheus") == [rule["alert"] for rule in rules()]


def test_every_alarm_on_aws_has_a_section_and_every_section_an_alarm() -> None:
    assert len(alarms_on_aws()) > 10
    found = sections("AWS")
    for alarm in alarms_on_aws():
        assert len([name for name in found if fnmatch(alarm, name)]) == 1, alarm
    for name in found:
        assert any(fnmatch(alarm, name) for alarm in alarms_on_aws()), name


def test_every_command_of_the_page_exists_with_its_settings() -> None:
    makefile = (ROOT / "Makefile").read_text()
    documented = dict(re.findall(r"^([a-z-]+):.*## (.*)$", makefile, re.MULTILINE))
    blocks = re.findall(r"^```sh\n(.*?)^```", OPERATIONS, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`(make [^`]+)`", OPERATIONS)
    commands = [line for block in blocks for line in block.splitlines()] + inline
    assert len(commands) > 20
    for command in commands:
        made = re.search(r"\bmake ([a-z-]+)((?: [A-Z_]+=\S+)*)", command)
        assert made is not None, command
        target, settings = made.groups()
        assert target in documented, command
        for name, value in re.findall(r"([A-Z_]+)=(\S+)", settings):
            if name == "PARAMETERS":
                [parameter] = re.findall(r"^\"(\w+)=", value)
                templates = (ROOT / "infra").glob("*.yml")
                assert any(f"\n  {parameter}:\n" in each.read_text() for each in templates), command
            else:
                assert name in documented[target], command
