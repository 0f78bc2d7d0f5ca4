"""The types of routing resources, and references between them."""

from collections.abc import Mapping
from typing import Final

from gateway.template.resources.properties import Properties
from gateway.template.syntax.nodes import Cause, Text

FAMILY: Final = "AWS::ElasticLoadBalancingV2::"
LOAD_BALANCER: Final = "LoadBalancer"
LISTENER: Final = "Listener"
LISTENER_CERTIFICATE: Final = "ListenerCertificate"
LISTENER_RULE: Final = "ListenerRule"
TARGET_GROUP: Final = "TargetGroup"

Kinds = Mapping[str, str]
"""The kind of each such resource, by its qualified name."""

NAMED_MEANINGLESS: Final = {
    "Name": "nothing refers to it on a laptop",
    "Tags": "nobody is billed",
}
"""Properties of several kinds that have no effect here, with the reasons."""


def refers_to(properties: Properties, name: str, kind: str, kinds: Kinds) -> str | None:
    """The resource that property ``name`` refers to, which must be of the given kind."""
    value = properties.reference(name)
    if value is None:
        return None
    line = properties.line_of(name)
    if isinstance(value, Text):
        known = [resource for resource, its in kinds.items() if its == kind]
        properties.problem(
            line,
            f"{name}: {value.value!r} is not a resource of these templates: "
            f"--tie {properties.origin(name) or value.value}={'|'.join(known) or 'RESOURCE'}",
            Cause.UNKNOWN,
        )
        return None
    if kinds.get(value.resource) != kind:
        properties.problem(line, f"{name}: {value.resource} is not a {kind} here")
        return None
    # Ref and the attribute with this name return the ARN.
    if value.attribute not in (None, f"{kind}Arn"):
        properties.problem(line, f"{name}: {value} is not an ARN of a {kind}")
        return None
    return value.resource
