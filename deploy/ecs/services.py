"""ECS services: whether they run what was deployed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from deploy.aws import Aws
from deploy.ecs.task_failures import TaskFailure, failures_of_service
from deploy.errors import CannotDeployError, TookTooLongError
from deploy.poller import Poller

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        DeploymentTypeDef,
        ServiceEventTypeDef,
        ServiceTypeDef,
    )

STEADY_TIMEOUT: Final = 20 * 60.0
"""Seconds: an instance starts, the image is pulled, and checks pass before a service is steady."""

MAX_FAILED_TASKS: Final = 3
"""The number of failed tasks that ends the wait for a service; ECS's circuit breaker has the
same."""

STOP_TIMEOUT: Final = 10 * 60.0

_TROUBLE: Final = re.compile(r"unable to|unhealthy|failed|error", re.IGNORECASE)


class Services:
    """The services of one cluster."""

    def __init__(
        self,
        aws: Aws,
        cluster: str,
        poller: Poller,
        say: Callable[[str], None],
        report: Callable[[], None] = lambda: None,
    ) -> None:
        """`report` is called while waiting for a service, to print why no instance starts."""
        self._report = report
        self._aws = aws
        self._cluster = cluster
        self._poller = poller
        self._say = say

    def find(self, name: str) -> ServiceTypeDef | None:
        """The service, unless there is none."""
        found = self._aws.ecs.describe_services(cluster=self._cluster, services=[name])["services"]
        return next((service for service in found if service.get("status") == "ACTIVE"), None)

    def failure_reporter(self, name: str) -> Callable[[], None]:
        """A function that reports, at each call, what has failed since the last one: failed tasks,
        ECS's warnings, and why no instance starts."""
        known = set(self.failed(name))
        heard = {event.get("id") for event in self._events(name)}

        def probe() -> None:
            self._report()
            for event in reversed(self._events(name)):
                if event.get("id") not in heard:
                    heard.add(event.get("id"))
                    if _TROUBLE.search(event.get("message", "")):
                        self._say(f"{name}: {event.get('message', '')}")
            for failed in self._failures(name):
                if failed.task not in known:
                    known.add(failed.task)
                    self._say(f"{name}: {failed}")

        return probe

    def crash_loop_check(self, names: Sequence[str]) -> Callable[[], None]:
        """A check that raises `CannotDeployError` once `MAX_FAILED_TASKS` tasks of one of these
        services have failed since this call."""
        known = {name: self.failed(name) for name in names}

        def probe() -> None:
            for name in names:
                failed = [one for one in self._failures(name) if one.task not in known[name]]
                if len(failed) >= MAX_FAILED_TASKS:
                    raise CannotDeployError(
                        f"The tasks of {name} keep failing. The first reason: {failed[0]}"
                    )

        return probe

    def wait_until_deployed(self, name: str, definition: str) -> None:
        """Wait until the service runs as many tasks as it should, all of this task definition.
        Raises `CannotDeployError` with the reason if ECS rolled it back or it does not become
        steady in time. A steady service may run the old definition, after a rollback."""
        probe = self.failure_reporter(name)

        def steady() -> ServiceTypeDef | None:
            probe()
            service = self._require(name)
            primary = _primary(service)
            if primary.get("taskDefinition") != definition or primary.get("rolloutState") in (
                "COMPLETED",
                "FAILED",
            ):
                return service
            return None

        try:
            service = self._poller.until(steady, STEADY_TIMEOUT, f"Waiting for {name} to be steady")
        except TookTooLongError as error:
            raise CannotDeployError(f"{error}. {self.why(name, definition)}") from error
        primary = _primary(service)
        if primary.get("taskDefinition") != definition:
            raise CannotDeployError(
                f"{name} does not run what was deployed ({_short(definition)}): ECS has rolled it "
                f"back to {_short(primary.get('taskDefinition', ''))}, which is still serving. "
                f"{self.why(name, definition)}"
            )
        if primary.get("rolloutState") == "FAILED":
            raise CannotDeployError(f"{name} does not start. {self.why(name, definition)}")

    def wait_until_stopped(self, name: str) -> None:
        """Wait until the service has no running task."""

        def probe() -> bool | None:
            service = self.find(name)
            return True if service is None or service.get("runningCount", 0) == 0 else None

        self._poller.until(probe, STOP_TIMEOUT, f"Waiting for the tasks of {name} to stop")

    def failed(self, name: str) -> frozenset[str]:
        """The ids of the service's tasks that have failed recently."""
        return frozenset(failure.task for failure in self._failures(name))

    def why(
        self, name: str, definition: str | None = None, known: frozenset[str] = frozenset()
    ) -> str:
        """The first reason why a task of the service failed; only tasks of `definition` count, if
        it is given, and none in `known`. Without such a task, the last event that ECS reports."""
        failed = [
            failure
            for failure in self._failures(name)
            if definition in (None, failure.definition) and failure.task not in known
        ]
        if failed:
            return f"The first reason: {failed[0]}"
        service = self.find(name)
        for deployment in (service or {}).get("deployments", []):
            if deployment.get("rolloutState") == "FAILED" and "rolloutStateReason" in deployment:
                return f"ECS says: {deployment['rolloutStateReason']}"
        events = (service or {}).get("events", [])
        said = events[0].get("message", "nothing") if events else "nothing"
        return f"ECS says: {said}"

    def _events(self, name: str) -> Sequence[ServiceEventTypeDef]:
        service = self.find(name)
        return service.get("events", []) if service is not None else []

    def _failures(self, name: str) -> list[TaskFailure]:
        if self.find(name) is None:
            return []
        return failures_of_service(self._aws, self._cluster, name)

    def _require(self, name: str) -> ServiceTypeDef:
        service = self.find(name)
        if service is None:
            raise CannotDeployError(f"There is no service {name} in the cluster {self._cluster}")
        return service


def _primary(service: ServiceTypeDef) -> DeploymentTypeDef:
    for deployment in service.get("deployments", []):
        if deployment.get("status") == "PRIMARY":
            return deployment
    raise CannotDeployError(f"{service.get('serviceName')} has no primary deployment")


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
