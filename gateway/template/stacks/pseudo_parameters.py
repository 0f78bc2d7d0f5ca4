"""``AWS::Region`` and the other parameters that every template has."""

from collections.abc import Mapping
from typing import Final

NAMES: Final = (
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
)


def pseudo_parameters(stack_name: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """The values of pseudo parameters: stable and recognisably made up, unless given."""
    region = given.get("AWS::Region", "us-east-1")
    account = given.get("AWS::AccountId", "000000000000")
    in_china = region.startswith("cn-")
    partition = given.get(
        "AWS::Partition",
        "aws-cn" if in_china else "aws-us-gov" if region.startswith("us-gov-") else "aws",
    )
    name = given.get("AWS::StackName", stack_name)
    return {
        "AWS::AccountId": account,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": f"arn:{partition}:cloudformation:{region}:{account}:stack/{name}/0",
        "AWS::StackName": name,
        "AWS::URLSuffix": "amazonaws.com.cn" if in_china else "amazonaws.com",
        **given,
    }
