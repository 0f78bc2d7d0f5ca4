"""`make pause-ecs` and `make resume-ecs`: the data stays, and nearly nothing is billed.

Pausing deletes in an order in which nothing loses what it still needs: tasks, which drain and log;
instances, which report their end to ECS; load balancers; and the NAT gateways last. Resuming is the
reverse, since a service cannot be created before its target groups have a listener. The database is
never stopped: it goes to sleep by itself ten minutes after the last connection.
"""

from deploy.checks.costs import costs
from deploy.checks.smoke import SmokeTest
from deploy.commands.deploy import deployed, ensure_services, verify
from deploy.commands.status import cost_table
from deploy.installation import Installation


def pause(installation: Installation) -> None:
    """Pause; may be interrupted and repeated."""
    installation.require_stack("routing")
    services = installation.services()
    if not installation.is_paused():
        for name in reversed(deployed(installation)):
            installation.ensure_stack(name, {"Paused": "true"})
        for name in deployed(installation):
            services.wait_until_stopped(name)
    installation.terminate_instances()
    installation.ensure_stack("routing", {"Paused": "true"})
    installation.ensure_stack("network", {"Paused": "true"})
    installation.say("Paused. The database goes to sleep by itself. What is still billed:")
    installation.say(cost_table(costs(installation.aws, installation.settings.project)))


def resume(installation: Installation, smoke_test: SmokeTest) -> str:
    """Resume, and return the board's new origin: recreated load balancers have new names. May be
    interrupted and repeated, and changes nothing on a board that is up."""
    installation.require_stack("routing")
    installation.ensure_stack("network", {"Paused": "false"})
    routing = installation.ensure_stack("routing", {"Paused": "false"})
    # Each gets the new address and keeps its image.
    ensure_services(installation, deployed(installation), {})
    installation.ensure_stack("observability", {})
    return verify(installation, routing.outputs["PublicOrigin"], smoke_test)
