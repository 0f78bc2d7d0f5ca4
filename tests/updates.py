"""What CloudFormation does to a stack's resources in an update, according to the resources'
schemas, which are part of cfn-lint."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.cloudformation import Resource, Stack

REGION: Final = "eu-central-1"

UNIQUE: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ("ResourceId", "ScalableDimension"),
    "AWS::Budgets::Budget": ("Budget/BudgetName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::EC2::Route": ("RouteTableId", "DestinationCidrBlock", "DestinationIpv6CidrBlock"),
    "AWS::EC2::SecurityGroupEgress": (
        "GroupId", "IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6",
        "DestinationSecurityGroupId",
    ),
    "AWS::EC2::SecurityGroupIngress": (
        "GroupId", "IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6",
        "SourceSecurityGroupId",
    ),
    "AWS::EC2::Subnet": ("VpcId", "CidrBlock"),
    "AWS::EC2::SubnetRouteTableAssociation": ("SubnetId",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::ECS::CapacityProvider": ("AutoScalingGroupProvider/AutoScalingGroupArn",),
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::ECS::ClusterCapacityProviderAssociations": ("Cluster",),
    "AWS::ECS::Service": ("Cluster", "ServiceName"),
    "AWS::ElasticLoadBalancingV2::Listener": ("LoadBalancerArn", "Port"),
    "AWS::ElasticLoadBalancingV2::ListenerRule": ("ListenerArn", "Priority"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Name",),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Name",),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Route53::RecordSet": ("HostedZoneId", "Name", "Type"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::Scheduler::ScheduleGroup": ("Name",),
    "AWS::SecretsManager::Secret": ("Name",),
}  # fmt: skip
"""Properties that must be unique among the resources of a kind. CloudFormation creates a
replacement before it deletes the old resource, so the same value fails with `already exists`."""

HOLDS_DATA: Final = {"AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::SecretsManager::Secret"}


@dataclass(frozen=True)
class Update:
    """The logical ids of the resources that an update changes, by what happens to them."""

    created: frozenset[str]
    deleted: frozenset[str]
    in_place: frozenset[str]
    replaced: frozenset[str]
    clashes: frozenset[str]
    loses_data: frozenset[str]


@cache
def _create_only(kind: str) -> tuple[str, ...]:
    """The paths of the properties of a kind whose change replaces the resource."""
    # Imported here, because it takes most of a second, in each process that collects tests.
    from cfnlint.schema.manager import (  # type: ignore[import-untyped]  # it has no py.typed
        PROVIDER_SCHEMA_MANAGER,
    )

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    return tuple(
        pointer.removeprefix("/properties/") for pointer in schema.get("createOnlyProperties", ())
    )


def _at(properties: Any, path: str) -> Any:
    for step in path.split("/"):
        properties = properties.get(step) if isinstance(properties, Mapping) else None
    return properties


def _plain(value: Any) -> str:
    """Replace numbers by strings: they are the same to CloudFormation."""
    if isinstance(value, Mapping):
        return str({key: _plain(inner) for key, inner in sorted(value.items())})
    if isinstance(value, list):
        return str([_plain(inner) for inner in value])
    return str(value).lower() if isinstance(value, bool) else str(value)


def _references(value: Any) -> Iterator[str]:
    """The strings in a value that may be references, without their attributes."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, str):
        yield ".".join(value.split(".")[:2])


@dataclass(frozen=True)
class _Facts:
    """What is compared of a resource: all of it, what only a new one can have, what that refers to,
    and what it occupies with what that refers to."""

    whole: str
    identity: str
    bound_to: frozenset[str]
    occupies: str | None
    by: frozenset[str]


def _facts_of(resource: Resource) -> _Facts:
    fixed = [_at(resource.properties, path) for path in _create_only(resource.kind)]
    unique = [_at(resource.properties, path) for path in UNIQUE.get(resource.kind, ())]
    if not any(value is not None for value in unique):
        # AWS, or CloudFormation, chooses a name that nobody has.
        unique = []
    return _Facts(
        _plain(resource.properties),
        _plain(fixed),
        frozenset(_references(fixed)) - {resource.name},
        f"{resource.kind} {_plain(unique)}" if unique else None,
        frozenset(_references(unique)),
    )


@cache
def _facts(stack: Stack) -> Mapping[str, _Facts]:
    return {name: _facts_of(resource) for name, resource in stack.resources.items()}


@cache
def _occupied(stack: Stack) -> frozenset[str]:
    return frozenset(facts.occupies for facts in _facts(stack).values() if facts.occupies)


def update(before: Stack, after: Stack) -> Update:
    """What CloudFormation does in an update from one stack to the other."""
    old, new = _facts(before), _facts(after)
    both = old.keys() & new.keys()
    changed = {name for name in both if old[name].whole != new[name].whole}
    replaced = {name for name in changed if old[name].identity != new[name].identity}
    while replaced:
        # A resource that is bound to a replaced one is replaced, too.
        names = {after.resources[name].name for name in replaced}
        more = {name for name in both - replaced if new[name].bound_to & names}
        if not more:
            break
        replaced |= more
    created, deleted = new.keys() - old.keys(), old.keys() - new.keys()
    coming = {after.resources[name].name for name in created | replaced}
    clashes = {
        name
        for name in created | replaced
        if new[name].occupies in _occupied(before) and not new[name].by & coming
    }
    gone = deleted | replaced
    return Update(
        frozenset(created),
        frozenset(deleted),
        frozenset(changed - replaced),
        frozenset(replaced),
        frozenset(clashes),
        frozenset(name for name in gone if before.resources[name].kind in HOLDS_DATA),
    )
