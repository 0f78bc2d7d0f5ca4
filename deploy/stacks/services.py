"""Services of ECS: whether what was asked for is what runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from deploy.errors import CannotDeployError, TookTooLongError
from deploy.poller import Pace
from deploy.stacks.task_failures import TaskFailure, failures_of_service

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import DeploymentTypeDef, ServiceTypeDef

    from deploy.aws import Aws

STEADY_WITHIN: Final = 20 * 60.0
"""Seconds that a service may take: an instance to start, the image to come, checks to pass."""

HOPELESS: Final = 3
"""Tasks of a service that may end, as ECS itself counts it for so few, before it is given up."""

GONE_WITHIN: Final = 10 * 60.0


class Services:
    """The services of one cluster."""

    def __init__(self, aws: Aws, cluster: str, pace: Pace, say: Callable[[str], None]) -> None:
        self._aws = aws
        self._cluster = cluster
        self._pace = pace
        self._say = say

    def find(self, name: str) -> ServiceTypeDef | None:
        """The service, unless there is none."""
        found = self._aws.ecs.describe_services(cluster=self._cluster, services=[name])["services"]
        return next((service for service in found if service.get("status") == "ACTIVE"), None)

    def watch(self, name: str) -> Callable[[], None]:
        """What says, each time it is called, which tasks have failed since it was last."""
        known = set(self.failed(name))

        def look() -> None:
            for failed in self._failures(name):
                if failed.task not in known:
                    known.add(failed.task)
                    self._say(f"{name}: {failed}")

        return look

    def must_stay_up(self, names: Sequence[str]) -> Callable[[], None]:
        """What raises `CannotDeployError`, when it is called, once `HOPELESS` tasks of a service
        have failed since it was made."""
        known = {name: self.failed(name) for name in names}

        def look() -> None:
            for name in names:
                failed = [one for one in self._failures(name) if one.task not in known[name]]
                if len(failed) >= HOPELESS:
                    raise CannotDeployError(
                        f"The tasks of {name} end again and again. The first reason: {failed[0]}"
                    )

        return look

    def must_run(self, name: str, definition: str) -> None:
        """Wait until the service runs this task definition and no other, as many tasks as it
        should. Raises `CannotDeployError`, with the reason, when it went back to another one or
        does not get there. A service that is steady may be so on the old definition: ECS has
        rolled it back."""
        look = self.watch(name)

        def steady() -> ServiceTypeDef | None:
            look()
            service = self._must_be(name)
            primary = _primary(service)
            if primary.get("taskDefinition") != definition or primary.get("rolloutState") in (
                "COMPLETED",
                "FAILED",
            ):
                return service
            return None

        try:
            service = self._pace.until(steady, STEADY_WITHIN, f"Waiting for {name} to be steady")
        except TookTooLongError as error:
            raise CannotDeployError(f"{error}. {self.why(name, definition)}") from error
        primary = _primary(service)
        if primary.get("taskDefinition") != definition:
            raise CannotDeployError(
                f"{name} does not run what was deployed ({_short(definition)}): ECS has rolled it "
                f"back to {_short(primary.get('taskDefinition', ''))}, which goes on serving. "
                f"{self.why(name, definition)}"
            )
        if primary.get("rolloutState") == "FAILED":
            raise CannotDeployError(f"{name} does not come up. {self.why(name, definition)}")

    def must_be_gone(self, name: str) -> None:
        """Wait until no task of the service runs."""

        def look() -> bool | None:
            service = self.find(name)
            return True if service is None or service.get("runningCount", 0) == 0 else None

        self._pace.until(look, GONE_WITHIN, f"Waiting for the tasks of {name} to stop")

    def failed(self, name: str) -> frozenset[str]:
        """The tasks of the service that have failed lately, by their ids."""
        return frozenset(failure.task for failure in self._failures(name))

    def why(
        self, name: str, definition: str | None = None, known: frozenset[str] = frozenset()
    ) -> str:
        """The first reason why tasks of the service failed, of those of the definition and not
        `known` before; or else the last that ECS said."""
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

    def _failures(self, name: str) -> list[TaskFailure]:
        if self.find(name) is None:
            return []
        return failures_of_service(self._aws, self._cluster, name)

    def _must_be(self, name: str) -> ServiceTypeDef:
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
