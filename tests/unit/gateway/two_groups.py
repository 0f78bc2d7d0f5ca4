"""A template with two target groups."""

from gateway.targets.target_group import TargetGroup
from tests.unit.gateway.support import TEMPLATE

TWO_GROUPS = TEMPLATE.replace(
    "  Front:\n",
    "  Api:\n    Type: AWS::ElasticLoadBalancingV2::TargetGroup\n    Properties: {}\n  Front:\n",
).replace(
    "TargetGroupArn: !Ref Web}",
    "ForwardConfig: {TargetGroups: [{TargetGroupArn: !Ref Web, Weight: 1}, "
    "{TargetGroupArn: !Ref Api, Weight: 0}]}}",
)


def states(group: TargetGroup) -> list[str]:
    return [str(target.state) for target in group.registered]
