"""One project in one account: its stacks, and what the commands need to know of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from deploy.aws import Aws
from deploy.errors import CannotDeployError
from deploy.lock import Lock
from deploy.poller import Pace
from deploy.settings import Settings
from deploy.stacks import templates
from deploy.stacks.services import Services
from deploy.stacks.stacks import Stack, Stacks
from topology.deployments import SERVERS

FOUNDATION: Final = ("registry", "network", "data", "cluster", "routing", "operator")
"""The layers below the services, in the order in which they are made."""

SERVICES: Final = SERVERS
"""All services that there can be, in the order in which they are made."""

ALL: Final = (*FOUNDATION, *SERVICES, "observability")
"""Every stack, by what follows the project's name, in the order in which they are made."""


@dataclass(frozen=True)
class Project:
    """What a command works with."""

    settings: Settings
    aws: Aws
    stacks: Stacks
    lock: Lock
    pace: Pace
    say: Callable[[str], None]

    def stack_name(self, part: str) -> str:
        """The name of the stack for this layer or service."""
        return f"{self.settings.project}-{part}"

    def find(self, part: str) -> Stack | None:
        """The stack for this layer or service, if there is one."""
        return self.stacks.find(self.stack_name(part))

    def there(self) -> dict[str, Stack]:
        """The stacks that there are, by layer or service, in the order in which they are made."""
        found = ((part, self.find(part)) for part in ALL)
        return {part: stack for part, stack in found if stack is not None}

    def must_be_there(self, part: str) -> Stack:
        """The stack. Raises `CannotDeployError` where there is none."""
        stack = self.find(part)
        if stack is None:
            raise CannotDeployError(
                f"There is no {self.stack_name(part)} in {self.aws.region}: nothing called "
                f"{self.settings.project} is deployed there (make deploy-ecs), or it is in another "
                "region (AWS_REGION)"
            )
        return stack

    def outputs(self) -> dict[str, str]:
        """What the layers below the services tell the stacks that come after them."""
        found: dict[str, str] = {}
        for part in FOUNDATION:
            stack = self.find(part)
            found |= stack.outputs if stack is not None else {}
        return found

    def bring(
        self, part: str, values: Mapping[str, str], watch: Callable[[], None] = lambda: None
    ) -> Stack:
        """Bring a stack to what its template says. A parameter takes, in this order: what the user
        said, `values`, what an earlier stack tells by the same name, what it has had so far."""
        layer = "service" if part in SERVICES else part
        template = templates.read(self.settings.templates, layer)
        known = {**self.outputs(), **values, "Project": self.settings.project}
        return self.stacks.bring(
            self.stack_name(part), template, {**known, **self.settings.parameters}, watch
        )

    def services(self) -> Services:
        """The services of its cluster."""
        cluster = self.must_be_there("cluster").outputs["Cluster"]
        return Services(self.aws, cluster, self.pace, self.say)

    def is_paused(self) -> bool:
        """Whether it is paused, or on the way into or out of a pause."""
        layers = (self.find("routing"), self.find("network"))
        return any(layer.parameters.get("Paused") == "true" for layer in layers if layer)

    def must_not_be_paused(self) -> None:
        """Raise `CannotDeployError`, kindly, when it is."""
        if self.is_paused():
            raise CannotDeployError(
                f"{self.settings.project} is paused: nothing of it runs. Wake it first with: "
                "make resume-ecs"
            )
