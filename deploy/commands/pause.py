"""`make pause-ecs` and `make resume-ecs`: the data stays, and nearly nothing is billed.

Pausing deletes each thing before the things that it needs: first the tasks, which still finish
requests and write logs; then the instances, which deregister from ECS; then the load balancers;
and last the NAT gateways, through which all of these reach AWS. Resuming is the reverse, because a
service cannot be created before its target groups have a listener. An Aurora cluster is never
stopped: it pauses by itself ten minutes after the last connection has closed. An RDS instance is
stopped last and started first."""

from datetime import UTC, datetime

from deploy import database
from deploy.checks import preflight
from deploy.checks.costs import costs
from deploy.checks.smoke import SmokeTest
from deploy.commands.deploy import (
    current_deployment,
    deployed,
    ensure_data,
    ensure_routing,
    ensure_services,
    verify,
)
from deploy.commands.status import cost_table
from deploy.images.registry import Registry
from deploy.installation import Installation
from topology.deployments import DEPLOYMENTS


def pause(installation: Installation) -> None:
    """Pause the board. May be interrupted and repeated."""
    installation.require_stack("routing")
    installation = installation.keeping_choices()
    installation.cancel_pause()
    services = installation.services()
    if not installation.is_paused():
        for name in reversed(deployed(installation)):
            installation.ensure_stack(name, {"Paused": "true"})
        for name in deployed(installation):
            services.wait_until_stopped(name)
    installation.terminate_instances()
    installation.ensure_stack("routing", {"Paused": "true"})
    installation.ensure_stack("network", {"Paused": "true"})
    instance = installation.database_instance()
    if instance is None:
        installation.say("The database pauses by itself.")
    else:
        now = datetime.now(UTC)
        database.stop(installation.aws, instance, installation.poller, now, installation.say)
    installation.say("Paused. What is still billed:")
    installation.say(cost_table(costs(installation.aws, installation.settings.project)))


def resume(installation: Installation, registry: Registry, smoke_test: SmokeTest) -> str:
    """Resume, and return the board's new origin: recreated load balancers have new names. May be
    interrupted and repeated. If the board is running, this only applies changed settings."""
    installation.require_stack("routing")
    values = preflight.require_sensible(installation, current_deployment(installation))
    # RDS changes no instance that is stopped.
    installation.start_database()
    network = installation.ensure_stack("network", {"Paused": "false"})
    ensure_data(installation, values)
    # NAT_MODE may have changed. It decides how instances are configured, and which of the image
    # registry's names they can reach.
    installation.ensure_stack("cluster", {"NatMode": network.parameters["NatMode"]})
    routing = ensure_routing(installation, {"Paused": "false"})
    operator = _image(installation, registry, "operator", "board")
    if operator is not None:
        installation.ensure_stack("operator", {"Image": operator})
    installation.ensure_stack("workflow", {})
    names = deployed(installation)
    images = {name: _image(installation, registry, name, name) for name in names}
    # Each service gets the new load balancer's address and keeps its revision.
    ensure_services(
        installation, names, {name: image for name, image in images.items() if image}, values
    )
    installation.ensure_stack("observability", {})
    wanted = installation.settings.deployment
    if wanted is not None and {*names} != {*DEPLOYMENTS[wanted]}:
        installation.say(f"Not changed now: DEPLOYMENT={wanted}; make deploy-ecs changes it")
    installation.plan_pause(datetime.now(UTC))
    return verify(installation, routing.outputs, smoke_test)


def _image(installation: Installation, registry: Registry, part: str, stage: str) -> str | None:
    """The image that a stack already uses, under the name by which instances can reach the registry
    now. None if the stack has no image, or names it by a digest instead of a revision."""
    stack = installation.find(part)
    image = stack.parameters.get("Image", "") if stack is not None else ""
    _, colon, revision = image.rpartition(":")
    if not colon or "@" in image:
        return None
    return f"{registry.repository(f'{installation.settings.project}/{stage}')}:{revision}"
