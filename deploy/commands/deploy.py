"""`make deploy-ecs`: creates or updates everything to match the templates and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from deploy.checks import account_plan, choices, dns, preflight
from deploy.checks.account import Account
from deploy.checks.smoke import SmokeTest
from deploy.commands import buckets
from deploy.commands.push import require_images
from deploy.ecs import one_off_task
from deploy.ecs.task_failures import TaskFailure
from deploy.errors import CannotDeployError, StackFailedError
from deploy.images.registry import Registry
from deploy.installation import Installation
from deploy.stacks.cloudformation import Stack
from topology.deployments import DEPLOYMENTS, SERVERS
from topology.routing import SHARES

RULES_APPLY_WITHIN: Final = 10.0
"""Seconds after which every node of a load balancer applies a changed rule. AWS names no number; a
node that applies the old one would send requests to services without targets, and return 503."""

_SERVICE: Final = "AWS::ECS::Service"


def deploy(
    installation: Installation,
    account: Account,
    registry: Registry,
    revision: str,
    smoke_test: SmokeTest,
) -> str:
    """Deploy the revision, and return the board's origin. Raises `CannotDeployError` with the first
    reason. What was done before the failure stays, running tasks continue to serve, and the same
    command continues from there."""
    installation.require_not_paused()
    deployment = current_deployment(installation)
    wanted = DEPLOYMENTS[deployment]
    values = preflight.run(installation, account, deployment)
    project = installation.settings.project
    require_images(registry, project, revision, (*wanted, "board"))
    installation.say(f"Deploying {revision} as {deployment} into {installation.aws.region} ...")

    up = {**values, "Paused": "false"}
    installation.ensure_stack("registry", {})
    network = installation.ensure_stack("network", up)
    ensure_data(installation, up)
    installation.ensure_stack("cluster", {**up, "NatMode": network.parameters["NatMode"]})
    # Traffic moves only after the services that it moves to exist.
    shares = (
        {} if installation.find("routing") else _shares(deployment) or dict.fromkeys(SHARES, "0")
    )
    ensure_routing(installation, {**up, **shares})
    images = {
        stage: f"{registry.repository(f'{project}/{stage}')}:{revision}"
        for stage in (*wanted, "board")
    }
    installation.ensure_stack("operator", {"Image": images["board"]})
    run_command(installation, ("bootstrap", "migrate"))
    installation.ensure_stack("workflow", values)
    ensure_services(installation, wanted, images, values)
    routing = installation.require_stack("routing")
    shares = _shares(deployment)
    if any(routing.parameters.get(name) != share for name, share in shares.items()):
        routing = installation.ensure_stack("routing", shares)
        installation.poller.sleep(RULES_APPLY_WITHIN)
    delete_services(installation, [name for name in SERVERS if name not in wanted])
    installation.ensure_stack("observability", {})
    # Before the smoke test: a board that does not respond costs money as well.
    installation.plan_pause(datetime.now(UTC))
    return verify(installation, routing.outputs, smoke_test)


def ensure_data(installation: Installation, values: Mapping[str, str]) -> None:
    """Create or update the database and the contexts' secrets. Raises `CannotDeployError`, with
    another smallest class if the account refuses this one."""
    try:
        installation.ensure_stack("data", values)
    except StackFailedError as error:
        chosen = {**choices.DEFAULTS, **installation.choices()}
        hint = account_plan.hint(str(error), chosen["DatabaseClass"])
        if not hint:
            raise
        raise CannotDeployError(f"{error}{hint}") from error


def ensure_routing(installation: Installation, values: Mapping[str, str]) -> Stack:
    """Create or update the load balancers. If access logs are turned off, empty their bucket first,
    after the load balancer has stopped using it: CloudFormation does not delete a bucket with
    content, and then no longer knows it."""
    before = installation.find("routing")
    wanted = installation.settings.parameters.get("AccessLogs")
    if before is None or wanted != "false" or before.parameters.get("AccessLogs") == "false":
        return installation.ensure_stack("routing", values)
    ending = {**installation.settings.parameters, "AccessLogs": "ending"}
    settings = replace(installation.settings, parameters=ending)
    replace(installation, settings=settings).ensure_stack("routing", values)
    found = buckets.names(installation.aws, before.id)
    for bucket in found:
        buckets.empty(installation.aws, bucket, installation.say)
    after = installation.ensure_stack("routing", values)
    for bucket in found:
        # The load balancer may deliver logs for some minutes after they were turned off.
        buckets.delete(installation.aws, bucket, installation.say)
    return after


def verify(installation: Installation, routing: Mapping[str, str], smoke_test: SmokeTest) -> str:
    """Run the smoke test, print which process served each path, and return the origin in lower
    case, as browsers send it. `routing` are the outputs of its stack. With a domain, the test
    connects to the load balancer's own name, because the domain's record may not exist yet."""
    origin, connect_to = routing["PublicOrigin"], installation.settings.connect_to
    for line in dns.record(routing):
        installation.say(line)
    if connect_to is None and origin.startswith("https:"):
        connect_to = f"{routing['LoadBalancerDnsName']}:443"
    check = installation.services().crash_loop_check(deployed(installation))
    served_by = smoke_test(origin, connect_to, installation.poller, installation.say, check)
    for path, process in sorted(served_by.items()):
        installation.say(f"  {path:<40.40} {process}")
    return origin.lower()


def ensure_services(
    installation: Installation,
    names: Sequence[str],
    images: Mapping[str, str],
    values: Mapping[str, str],
) -> None:
    """Create or update the services one by one, each after those that it calls. A service without
    an entry in `images` keeps its image. Raises `CannotDeployError` with the first reason why a
    task does not run; the services before that one are then updated, the others unchanged."""
    services = installation.services()
    for name in names:
        its_values = {**values, "Name": name, "Paused": "false"}
        if name in images:
            its_values["Image"] = images[name]
        known = services.failed(name)
        try:
            stack = installation.ensure_stack(name, its_values, services.failure_reporter(name))
        except StackFailedError as error:
            if error.resource != _SERVICE:
                raise
            raise CannotDeployError(f"{error} {services.why(name, known=known)}") from error
        services.wait_until_deployed(
            stack.outputs["ServiceName"], stack.outputs["TaskDefinitionArn"]
        )


def delete_services(installation: Installation, names: Sequence[str]) -> None:
    """Delete the stacks of services that no longer get requests."""
    for name in reversed(names):
        installation.stacks.delete(installation.stack_name(name))


def run_command(installation: Installation, command: Sequence[str]) -> TaskFailure:
    """Run a command of the board as a task. Raises `CannotDeployError` if it fails."""
    outputs = installation.outputs()
    own = {"bootstrap": "BootstrapTaskArn", "outside-address": "OutsideAddressTaskArn"}
    definition = own.get(command[0], "MigrateTaskArn")
    return one_off_task.run(
        installation.aws,
        outputs["Cluster"],
        outputs[definition],
        outputs["CapacityProvider"],
        command,
        installation.poller,
        installation.say,
        installation.capacity_reporter(),
    )


def deployed(installation: Installation) -> list[str]:
    """The services that exist."""
    return [name for name in SERVERS if installation.find(name) is not None]


def current_deployment(installation: Installation) -> str:
    """The chosen deployment, or else the existing one, or else microservices. Raises
    `CannotDeployError` if the existing services are not those of any deployment. A first deploy of
    microservices that was interrupted is one: without a monolith, and all traffic for services."""
    if installation.settings.deployment is not None:
        return installation.settings.deployment
    there = set(deployed(installation))
    for name, services in DEPLOYMENTS.items():
        if there == set(services):
            return name
    routing = installation.find("routing")
    only_services = routing is not None and all(
        routing.parameters.get(name) == "100" for name in SHARES
    )
    if only_services and there <= set(DEPLOYMENTS["microservices"]):
        return "microservices"
    if there:
        raise CannotDeployError(
            f"The services {', '.join(sorted(there))} exist, which are those of none of "
            f"{', '.join(DEPLOYMENTS)}: an earlier deploy was interrupted. Choose one of them with "
            "DEPLOYMENT=..."
        )
    return "microservices"


def _shares(deployment: str) -> dict[str, str]:
    """The shares that a deployment sets; `strangler` leaves them as they are."""
    share = {"microservices": "100", "monolith": "0"}.get(deployment)
    return {} if share is None else dict.fromkeys(SHARES, share)
