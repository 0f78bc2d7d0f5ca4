"""`make shift`: how much of a context's traffic its service gets."""

import re
from typing import Final

from deploy.errors import CannotDeployError
from deploy.installation import Installation
from topology.changes import HEALTHY, why_not_shift
from topology.deployments import SERVERS
from topology.routing import SHARES, target_group

_CONTEXTS: Final = {name.removesuffix("Share").lower(): name for name in SHARES}


def shift(installation: Installation, context: str, share: str, *, force: bool = False) -> None:
    """Send the context's service that percentage of its requests, and the monolith the rest.

    Raises `CannotDeployError` if one of them that would get some is not deployed or has no healthy
    target, unless `force` says that the latter does not matter; or if the load balancer's rules
    have other weights than these afterwards."""
    if context not in _CONTEXTS:
        raise CannotDeployError(f"CONTEXT={context}: must be one of {', '.join(_CONTEXTS)}")
    if not re.fullmatch(r"\d{1,3}", share) or int(share) > 100:
        raise CannotDeployError(f"SHARE={share}: must be a number of percent from 0 to 100")
    installation.require_not_paused()
    routing = installation.require_stack("routing")
    for name, its_share in ((context, int(share)), ("monolith", 100 - int(share))):
        if its_share and installation.find(name) is None:
            raise CannotDeployError(
                f"There is no {name} to give {its_share} % to: make deploy-ecs DEPLOYMENT=strangler"
            )
    refused = why_not_shift(_health(installation), context, int(share), "make status-ecs")
    if refused and not force:
        raise CannotDeployError(refused)
    before = routing.parameters[_CONTEXTS[context]]
    installation.keeping_choices().ensure_stack("routing", {_CONTEXTS[context]: share})
    told = rules(installation)
    for line in told:
        installation.say(f"  {line}")
    wanted = f"{context} {share}, monolith {100 - int(share)}"
    if told and not any(line.endswith(wanted) for line in told):
        raise CannotDeployError(
            f"No rule of the load balancer says `{wanted}`: somebody else has changed them. "
            "Deploying once more does not mend what CloudFormation does not see; change the share "
            "to another value and back"
        )
    installation.say(
        f"{context}: from {before} % to {share} % to its service; the rest to the monolith"
    )


def _health(installation: Installation) -> dict[str, str]:
    """The state of each server that has targets: healthy if one of them is."""
    states: dict[str, str] = {}
    outputs = installation.require_stack("routing").outputs
    for server in SERVERS:
        arn = outputs.get(f"{target_group(server)}Arn")
        if arn is None:
            continue
        described = installation.aws.elb.describe_target_health(TargetGroupArn=arn)
        found = [
            target.get("TargetHealth", {}).get("State", "unknown")
            for target in described["TargetHealthDescriptions"]
        ]
        if found:
            states[server] = HEALTHY if HEALTHY in found else found[0]
    return states


def rules(installation: Installation) -> list[str]:
    """The public listeners' forwarding rules, as read from Elastic Load Balancing: the paths, and
    the weight of each target group."""
    outputs = installation.require_stack("routing").outputs
    names = {arn: name.removesuffix("TargetsArn") for name, arn in outputs.items()}
    (balancer,) = installation.aws.elb.describe_load_balancers(
        Names=[installation.settings.project]
    )["LoadBalancers"]
    found = []
    arn = balancer.get("LoadBalancerArn", "")
    for listener in installation.aws.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        listener_arn = listener.get("ListenerArn", "")
        for rule in installation.aws.elb.describe_rules(ListenerArn=listener_arn)["Rules"]:
            paths = [
                path
                for condition in rule.get("Conditions", [])
                for path in condition.get("PathPatternConfig", {}).get("Values", [])
                or condition.get("Values", [])
            ]
            for action in rule.get("Actions", []):
                groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
                weights = ", ".join(
                    f"{names.get(group.get('TargetGroupArn', ''), '?').lower()} "
                    f"{group.get('Weight', 1)}"
                    for group in groups
                )
                if weights:
                    found.append(f"{' '.join(paths) or 'everything else'}: {weights}")
    return found
