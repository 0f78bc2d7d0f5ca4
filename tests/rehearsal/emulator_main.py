"""The emulator, with an ECS that waits for the load balancer. The emulator's own Python runs it.

ministack calls a task healthy when it has run for a second, and then stops the old tasks of a
rollout, even if the new ones do not listen. AWS's ECS waits until the targets are healthy in their
groups, also when it creates a service, which ministack calls deployed before any task runs. So does
this one: it reads the results of the local gateways from the files in its arguments."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from ministack import app
from ministack.services import ecs, rds

_WITHIN = 60.0
_files = [Path(name) for name in sys.argv[1:]]
_record_healthy = ecs._record_service_task_healthy
_make_deployment = ecs._make_deployment


def _healthy_in(file: Path, address: str) -> bool:
    try:
        return address in json.loads(file.read_text())
    except (OSError, ValueError):
        return False


def _record_when_healthy(service: str, task: dict[str, Any]) -> None:
    """Wait for one load balancer for each of the service's target groups, the public one first."""
    groups = ecs._services.get(service, {}).get("loadBalancers") or []
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline and task.get("lastStatus") == "RUNNING":
        address = ecs._task_ip(task)
        asked = list(zip(groups, _files, strict=False))
        if all(_healthy_in(file, f"{address}:{g.get('containerPort')}") for g, file in asked):
            _record_healthy(service, task)
            return
        time.sleep(0.1)


def _deployment_in_progress(*arguments: Any, **named: Any) -> dict[str, Any]:
    deployment: dict[str, Any] = _make_deployment(*arguments, **named)
    if deployment["desiredCount"]:
        deployment.update(rolloutState="IN_PROGRESS", rolloutStateReason="")
    return deployment


def _orderable(request: dict[str, Any]) -> Any:
    """Offer the versions and classes that AWS offers: ministack has only a few of each."""
    engine, kind = rds._p(request, "Engine"), rds._p(request, "DBInstanceClass")
    options = "".join(
        f"<OrderableDBInstanceOption><Engine>{engine}</Engine><EngineVersion>{version}"
        f"</EngineVersion><DBInstanceClass>{kind}</DBInstanceClass></OrderableDBInstanceOption>"
        for version in ("17.7", "18.3")
    )
    name = "DescribeOrderableDBInstanceOptions"
    body = f"<OrderableDBInstanceOptions>{options}</OrderableDBInstanceOptions>"
    return rds._xml(200, f"{name}Response", f"<{name}Result>{body}</{name}Result>")


ecs._record_service_task_healthy = _record_when_healthy
ecs._make_deployment = _deployment_in_progress
rds._ACTION_MAP["DescribeOrderableDBInstanceOptions"] = _orderable
del sys.argv[1:]
app.main()
