"""The resources that are routing, and references from one to another."""

from collections.abc import Mapping
from typing import Final

from gateway.template.resources.properties import Properties

FAMILY: Final = "AWS::ElasticLoadBalancingV2::"
LOAD_BALANCER: Final = "LoadBalancer"
LISTENER: Final = "Listener"
LISTENER_RULE: Final = "ListenerRule"
TARGET_GROUP: Final = "TargetGroup"

Kinds = Mapping[str, str]
"""The kind of each such resource, by logical id."""

NAMED_MEANINGLESS: Final = {
    "Name": "nothing refers to it on a laptop",
    "Tags": "nobody is billed",
}
"""Properties of several kinds without a meaning here, each with the reason."""


def refers_to(properties: Properties, name: str, kind: str, kinds: Kinds) -> str | None:
    """The logical id that property ``name`` refers to, which has to be of the given kind."""
    reference = properties.reference(name)
    if reference is None:
        return None
    if kinds.get(reference.logical_id) != kind:
        properties.problem(
            properties.line_of(name), f"{name}: {reference.logical_id} is no {kind} here"
        )
        return None
    # Ref returns the ARN, and so does the attribute of that name.
    if reference.attribute not in (None, f"{kind}Arn"):
        properties.problem(
            properties.line_of(name),
            f"{name}: {reference.logical_id}.{reference.attribute} is no ARN of a {kind}",
        )
        return None
    return reference.logical_id
