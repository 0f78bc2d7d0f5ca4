"""The names in infra/routing.yml for servers and traffic shares, and the parameters it requires."""

from collections.abc import Mapping
from typing import Final

from topology.contexts import CALLED
from topology.deployments import SERVERS, SERVICES

STAND_INS: Final[Mapping[str, str]] = {
    "VpcId": "vpc-00000000000000000",
    "PublicSubnets": "subnet-00000000000000000,subnet-11111111111111111",
    "AlbSecurityGroup": "sg-00000000000000000",
    "PrivateSubnets": "subnet-22222222222222222,subnet-33333333333333333",
    "InternalAlbSecurityGroup": "sg-11111111111111111",
}
"""Values for the template's parameters that name resources on AWS. The local gateway does not use
them, but the template does not load without them."""

LOCAL_PARAMETERS: Final[Mapping[str, str]] = {**STAND_INS, "ShowInstance": "0"}
"""Parameters of every local gateway. It leaves /shares.json to the page: its shares change without
the template, and the page reads them from the gateway's rules file."""


def share_parameter(service: str) -> str:
    """The parameter with a service's share: the percentage of its requests that it gets itself."""
    return f"{service.capitalize()}Share"


def target_group(server: str) -> str:
    """The logical id of a server's target group behind the public load balancer."""
    return f"{server.capitalize()}Targets"


def internal_target_group(context: str) -> str:
    """The logical id of a called context's target group behind the internal load balancer."""
    return f"{context.capitalize()}InternalTargets"


SHARES: Final = tuple(share_parameter(service) for service in SERVICES)

TARGET_GROUP_SUFFIXES: Final = (*SERVERS, *(f"{context}-in" for context in CALLED))
"""The part after `PROJECT-` in the names of target groups on AWS; `-in` marks internal ones."""
