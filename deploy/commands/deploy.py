"""`make deploy-ecs`: from whatever is there to what the templates and images say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from deploy.checks import quotas, rights, smoke
from deploy.checks.account import Account
from deploy.commands.push import must_have
from deploy.errors import CannotDeployError, StackFailedError
from deploy.images.registry import Registry
from deploy.stacks import one_off
from deploy.stacks.project import SERVICES, Project
from deploy.stacks.task_failures import TaskFailure
from topology.deployments import DEPLOYMENTS
from topology.routing import SHARES

_SERVICE: Final = "AWS::ECS::Service"


def deploy(project: Project, account: Account, registry: Registry, revision: str) -> str:
    """Deploy the revision, and return where the board answers. Raises `CannotDeployError` with the
    first reason. What came before the failure stays as it is, and what is served goes on; the same
    command goes on from there."""
    project.must_not_be_paused()
    deployment = _deployment(project)
    wanted = DEPLOYMENTS[deployment]
    nat_mode = project.settings.parameters.get("NatMode", "one")
    if project.find("network") is None:
        rights.check(project.aws, account.caller, project.say)
        quotas.check(project.aws, nat_mode, project.say)
    must_have(registry, project.settings.project, revision, (*wanted, "board"))
    project.say(f"Deploying {revision} as {deployment} into {project.aws.region} ...")

    project.bring("registry", {})
    for layer in ("network", "data", "cluster"):
        project.bring(layer, {"Paused": "false"})
    # Traffic stays where it is until those it is moved to are there.
    shares = {} if project.find("routing") else _shares(deployment) or dict.fromkeys(SHARES, "0")
    project.bring("routing", {"Paused": "false", **shares})
    images = {
        stage: f"{registry.repository(f'{project.settings.project}/{stage}')}:{revision}"
        for stage in (*wanted, "board")
    }
    project.bring("operator", {"Image": images["board"]})
    run_command(project, ("bootstrap", "migrate"))
    bring_services(project, wanted, images)
    routing = project.must_be_there("routing")
    shares = _shares(deployment)
    if any(routing.parameters.get(name) != share for name, share in shares.items()):
        routing = project.bring("routing", shares)
    remove_services(project, [name for name in SERVICES if name not in wanted])
    project.bring("observability", {})
    return look_at(project, routing.outputs["PublicOrigin"])


def look_at(project: Project, origin: str) -> str:
    """Visit the board, say who answered, and return its origin in lower case, as it is compared."""
    look = project.services().must_stay_up(deployed(project))
    served_by = smoke.visit(origin, project.settings.connect_to, project.pace, project.say, look)
    for path, process in sorted(served_by.items()):
        project.say(f"  {path:<40.40} {process}")
    return origin.lower()


def bring_services(project: Project, names: Sequence[str], images: Mapping[str, str]) -> None:
    """Bring the services to these images, or, where there is none, leave them with theirs; one
    after the other, who is asked before who asks. Raises `CannotDeployError`, with the first reason
    why a task does not run; then those before it are new, and it and the rest are as they were."""
    services = project.services()
    for name in names:
        values = {"Name": name, "Paused": "false"}
        if name in images:
            values["Image"] = images[name]
        known = services.failed(name)
        try:
            stack = project.bring(name, values, services.watch(name))
        except StackFailedError as error:
            if error.resource != _SERVICE:
                raise
            raise CannotDeployError(f"{error} {services.why(name, known=known)}") from error
        services.must_run(stack.outputs["ServiceName"], stack.outputs["TaskDefinitionArn"])


def remove_services(project: Project, names: Sequence[str]) -> None:
    """Remove the stacks of services that get no requests any more."""
    for name in reversed(names):
        project.stacks.remove(project.stack_name(name))


def run_command(project: Project, command: Sequence[str]) -> TaskFailure:
    """Run a command of the board as a task. See `one_off.run`."""
    outputs = project.outputs()
    definition = "BootstrapTaskArn" if command[0] == "bootstrap" else "MigrateTaskArn"
    return one_off.run(
        project.aws,
        outputs["Cluster"],
        outputs[definition],
        outputs["CapacityProvider"],
        command,
        project.pace,
        project.say,
    )


def deployed(project: Project) -> list[str]:
    """The services that there are."""
    return [name for name in SERVICES if project.find(name) is not None]


def _deployment(project: Project) -> str:
    if project.settings.deployment is not None:
        return project.settings.deployment
    there = set(deployed(project))
    for name, services in DEPLOYMENTS.items():
        if there == set(services):
            return name
    if there:
        raise CannotDeployError(
            f"There are {', '.join(sorted(there))}, which is none of {', '.join(DEPLOYMENTS)}: an "
            "earlier deploy was interrupted. Say which of them you want, with DEPLOYMENT=..."
        )
    return "microservices"


def _shares(deployment: str) -> dict[str, str]:
    """Who gets the traffic when a deployment begins; with both at once it stays where it is."""
    share = {"microservices": "100", "monolith": "0"}.get(deployment)
    return {} if share is None else dict.fromkeys(SHARES, share)
