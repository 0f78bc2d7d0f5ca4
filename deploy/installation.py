"""One installation of the board in one account and region: its stacks, services and state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from deploy import database, self_pause
from deploy.aws import Aws
from deploy.ecs import capacity, instances
from deploy.ecs.services import Services
from deploy.errors import CannotDeployError
from deploy.lock import Lock
from deploy.poller import Poller
from deploy.settings import Settings
from deploy.stacks import changes, templates
from deploy.stacks.cloudformation import Stack, Stacks
from topology.deployments import SERVERS

FOUNDATION: Final = ("registry", "network", "data", "cluster", "routing", "operator", "workflow")
"""The layers below the services, in the order in which they are created."""

ALL: Final = (*FOUNDATION, *SERVERS, "observability")
"""The names of all stacks, without the project's name, in the order in which they are created."""


_TEMPLATES: Final = {"workflow": "cases", **dict.fromkeys(SERVERS, "service")}
"""Which template a stack has, if not the one of its own name."""


def template_name(part: str) -> str:
    """The name of the template of this layer or service, without `.yml`."""
    return _TEMPLATES.get(part, part)


_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_NONE: Final = "none"
_OF_ONE_STACK: Final = frozenset({"Name", "Image", "Paused"})
"""Parameters with a meaning of their own in each stack: other stacks' values are no defaults."""


@dataclass(frozen=True)
class Installation:
    """An installation, named by `settings.project`, and what a command needs to change it."""

    settings: Settings
    aws: Aws
    stacks: Stacks
    lock: Lock
    poller: Poller
    say: Callable[[str], None]

    def stack_name(self, part: str) -> str:
        """The name of the stack for this layer or service."""
        return f"{self.settings.project}-{part}"

    def find(self, part: str) -> Stack | None:
        """The stack of this layer or service, or None. Raises `CannotDeployError` if the
        stack with that name belongs to somebody else."""
        return self.stacks.find_own(self.stack_name(part))

    def existing_stacks(self) -> dict[str, Stack]:
        """The stacks that exist, by layer or service, in the order in which they are created."""
        found = ((part, self.find(part)) for part in ALL)
        return {part: stack for part, stack in found if stack is not None}

    def require_stack(self, part: str) -> Stack:
        """The stack. Raises `CannotDeployError` if it does not exist."""
        stack = self.find(part)
        if stack is None:
            raise CannotDeployError(
                f"There is no stack {self.stack_name(part)} in {self.aws.region}: nothing called "
                f"{self.settings.project} is deployed there (make deploy-ecs), or it is in another "
                "region (AWS_REGION)"
            )
        return stack

    def outputs(self) -> dict[str, str]:
        """The outputs of the layers below the services, for the stacks after them."""
        found: dict[str, str] = {}
        for part in FOUNDATION:
            stack = self.find(part)
            found |= stack.outputs if stack is not None else {}
        return found

    def chosen_before(self) -> dict[str, str]:
        """Earlier commands' choices: the parameters of all stacks, without those that differ from
        stack to stack."""
        return {
            name: value
            for stack in self.existing_stacks().values()
            for name, value in stack.parameters.items()
            if name not in _OF_ONE_STACK
        }

    def choices(self) -> dict[str, str]:
        """The choices of this command and, for the other parameters, of earlier ones."""
        return {**self.chosen_before(), **self.settings.parameters}

    def keeping_choices(self) -> Installation:
        """The same installation, for a command that updates only some stacks: it changes none of
        the choices, because a choice that reached only some of them would be half a change. Prints
        which of this command's choices have no effect."""
        before = self.chosen_before()
        without_effect = [
            f"{name}={value or _NONE}"
            for name, value in self.settings.parameters.items()
            if before.get(name) != value
        ]
        if without_effect:
            self.say(
                f"Not changed now: {', '.join(without_effect)}; make deploy-ecs and make "
                "resume-ecs change settings"
            )
        return replace(self, settings=replace(self.settings, parameters={}))

    def require_possible_changes(self) -> None:
        """Raise `CannotDeployError` if this command's choices would change the existing stacks in a
        way that is impossible or loses data."""
        changes.require_possible(
            self.chosen_before(), self.settings.parameters, paused=self.is_paused()
        )

    def ensure_stack(
        self, part: str, values: Mapping[str, str], watch: Callable[[], None] = lambda: None
    ) -> Stack:
        """Create the stack, or update it to its template. A parameter's value is the first
        of these: the user's setting, the one in `values`, an earlier stack's output with that name,
        the stack's current value, another stack's current value. Raises `CannotDeployError` for a
        change that would fail or lose data."""
        template = templates.read(self.settings.templates, template_name(part))
        before = self.find(part)
        known = {
            **self.outputs(), **values, "Project": self.settings.project, **self.settings.parameters
        }  # fmt: skip
        has = before.parameters if before is not None else {}
        if template.parameters.keys() - known.keys() - has.keys():
            remembered = self.chosen_before()
            known = {**{k: v for k, v in remembered.items() if k not in has}, **known}
        changes.require_possible(has, known, paused=self.is_paused())
        return self.stacks.ensure_stack(self.stack_name(part), template, known, watch)

    def services(self) -> Services:
        """The services of its cluster."""
        cluster = self.require_stack("cluster").outputs["Cluster"]
        return Services(self.aws, cluster, self.poller, self.say, self.capacity_reporter())

    def capacity_reporter(self) -> Callable[[], None]:
        """A function that prints why no instance starts, while tasks wait for one."""
        cluster = self.find("cluster")
        group = cluster.outputs.get("AutoScalingGroup") if cluster is not None else None
        return capacity.reporter(self.aws, group, self.poller, self.say)

    def database_instance(self) -> str | None:
        """The name of its RDS instance; None if it has an Aurora cluster, or no database."""
        data = self.find("data")
        if data is None or data.parameters.get("DatabaseKind") != "instance":
            return None
        return data.outputs.get("DatabaseName")

    def start_database(self) -> None:
        """Start its RDS instance, if it has one that is stopped, and wait until it is available."""
        name = self.database_instance()
        if name is not None:
            database.start(self.aws, name, self.poller, self.say)

    def terminate_instances(self) -> None:
        """Terminate the instances of its cluster, if there is a cluster, and wait for their end."""
        cluster = self.find("cluster")
        if cluster is not None and "AutoScalingGroup" in cluster.outputs:
            name, group = cluster.outputs["Cluster"], cluster.outputs["AutoScalingGroup"]
            instances.terminate(self.aws, name, group, self.poller, self.say)

    def plan_pause(self, now: datetime) -> None:
        """Replace the planned pause: if PAUSE_AFTER is set, plan one, counted from `now` (UTC), and
        say when."""
        stacks = self.existing_stacks()
        self_pause.cancel(self.aws, stacks["cluster"])
        after = stacks["cluster"].parameters.get("PauseAfter", "")
        if after:
            at = now + timedelta(**{_UNITS[after[-1]]: int(after[:-1])})
            services = tuple(part for part in stacks if part in SERVERS)
            self_pause.plan(self.aws, self_pause.Board(stacks, services), at)
            self.say(f"It pauses itself at {at:%Y-%m-%d %H:%M} UTC; make resume-ecs postpones it")

    def cancel_pause(self) -> None:
        """Cancel the planned pause, if there is one."""
        cluster = self.find("cluster")
        if cluster is not None:
            self_pause.cancel(self.aws, cluster)

    def is_paused(self) -> bool:
        """Whether it is paused, or a pause or resume was interrupted."""
        layers = (self.find("routing"), self.find("network"))
        return any(layer.parameters.get("Paused") == "true" for layer in layers if layer)

    def require_not_paused(self) -> None:
        """Raise `CannotDeployError` if it is paused."""
        if self.is_paused():
            raise CannotDeployError(
                f"{self.settings.project} is paused. Resume it first: make resume-ecs"
            )
