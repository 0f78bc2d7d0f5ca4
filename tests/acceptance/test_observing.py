"""Prometheus beside a running board: `make run OBSERVE=1`."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.deployments import Run
from tests.eventually import eventually
from topology.deployments import DEPLOYMENTS

OBSERVE = Path(__file__).parents[2] / "observe"

_NOT_METRICS = frozenset(
    {"changes", "for", "histogram_quantile", "min_over_time", "rate", "sum", "topk"}
)


def expressions() -> Iterator[str]:
    """Every query of the alerts and of the dashboard."""
    for group in yaml.safe_load((OBSERVE / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    for panel in json.loads((OBSERVE / "dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def metrics_in(expression: str) -> set[str]:
    """The names of the metrics in a query."""
    without_labels = re.sub(r'"[^"]*"', "", expression)
    for left_out in (r"\{[^}]*\}", r"\[[^]]*\]", r"\bby \([^)]*\)"):
        without_labels = re.sub(left_out, "", without_labels)
    return set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", without_labels)) - _NOT_METRICS


def test_names_of_metrics_are_found_in_a_query() -> None:
    assert metrics_in('sum by (a, le) (rate(b_total{c=~".*/d|/{e}"}[5m])) > 2') == {"b_total"}


async def ask(port: int, path: str) -> Any:
    """What Prometheus answers; None until it is ready."""
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"http://127.0.0.1:{port}/api/v1/{path}")
    except httpx.TransportError:
        return None
    return answer.json()["data"] if answer.status_code == 200 else None


@pytest.fixture
def prometheus(services_run: Run, prometheus_port: int) -> int:
    """The port of the Prometheus beside a run."""
    assert services_run.board.url
    assert shutil.which("prometheus"), "Prometheus is missing: apt install prometheus"
    return prometheus_port


async def test_every_process_is_read_and_every_alert_is_loaded(prometheus: int) -> None:
    async def read() -> set[str]:
        found = await ask(prometheus, "targets?state=active")
        up = [t for t in found["activeTargets"] if t["health"] == "up"] if found else []
        names = {target["labels"]["instance"] for target in up}
        return names if len(names) > len(DEPLOYMENTS["microservices"]) else set()

    assert await eventually(read, 30) == {*DEPLOYMENTS["microservices"], "gateway"}
    rules = (await ask(prometheus, "rules"))["groups"][0]["rules"]
    defined = yaml.safe_load((OBSERVE / "alerts.yml").read_text())["groups"][0]["rules"]
    assert [rule["name"] for rule in rules] == [rule["alert"] for rule in defined]
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


async def test_every_metric_of_the_alerts_and_the_dashboard_exists(prometheus: int) -> None:
    wanted = set().union(*map(metrics_in, expressions()))
    assert len(wanted) > 15

    async def missing_none() -> bool:
        names = await ask(prometheus, "label/__name__/values")
        missing.clear()
        # A counter of the gateway exists once something was counted.
        missing.update(wanted - {*(names or ()), "HTTPCode_ELB_5XX_Count"})
        return not missing

    missing: set[str] = set()
    await eventually(missing_none, 30, f"these metrics: {missing}")
    source = (OBSERVE.parent / "gateway" / "observe" / "metrics.py").read_text()
    assert 'f"HTTPCode_ELB_{status // 100}XX_Count"' in source
