"""Reads rules.

Limits: "Quotas for your Application Load Balancers" and the API reference of version 2015-12-01.
"""

from gateway.routing.rules import Forward, Rule
from gateway.template.resources.actions import read_actions
from gateway.template.resources.conditions import read_conditions
from gateway.template.resources.kinds import LISTENER, Kinds, refers_to
from gateway.template.resources.properties import Properties
from gateway.template.resources.transforms import read_transforms


def read_rule(
    logical_id: str, properties: Properties, kinds: Kinds, protocol: str, *, identities: bool
) -> Rule:
    """Reads an AWS::ElasticLoadBalancingV2::ListenerRule of a listener with that protocol.
    ``identities``: whether there is a file of users."""
    refers_to(properties, "ListenerArn", LISTENER, kinds)
    if not properties.has("Priority") and not properties.failed("Priority"):
        properties.problem(properties.line, "Priority is needed")
    priority = properties.integer("Priority", 1, 50000, 1)
    conditions = read_conditions(properties)
    transforms = read_transforms(properties)
    sign_in, action = read_actions(properties, "Actions", kinds, protocol, identities=identities)
    if transforms and not isinstance(action, Forward):
        properties.not_here(
            properties.line_of("Transforms"),
            "Transforms with another action than forward are not implemented",
        )
    properties.close()
    return Rule(priority, conditions, action, transforms, logical_id, sign_in)
