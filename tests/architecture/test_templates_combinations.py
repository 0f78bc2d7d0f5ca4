"""AWS accepts every combination of the choices that the guide and the commands offer, and every
change from one to another, or the command refuses it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from deploy.stacks import changes
from tests.cloudformation import SERVICES, Deployment, Resource, Stack
from tests.combinations import MATTERS, OFFERED, boards, states
from tests.updates import update


@dataclass(frozen=True)
class Together:
    """Properties that AWS refuses together: the kinds of resources, what AWS accepts, where AWS
    says so, and an example that it refuses."""

    kinds: tuple[str, ...]
    fine: Callable[[Mapping[str, Any]], bool]
    source: str
    refused: Mapping[str, Any]


def _scaling(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = properties.get("ServerlessV2ScalingConfiguration", {})
    return found


def _logs(properties: Mapping[str, Any]) -> Mapping[str, str]:
    return {one["Key"]: one["Value"] for one in properties.get("LoadBalancerAttributes", ())}


TOGETHER = {
    "credits of processor time are for burstable types": Together(
        ("EC2::LaunchTemplate",),
        lambda found: (
            "CreditSpecification" not in found["LaunchTemplateData"]
            or found["LaunchTemplateData"]["InstanceType"].startswith("t")
        ),
        "terraform-provider-aws#5067; CreditSpecification in the EC2 API reference",
        {"LaunchTemplateData": {"InstanceType": "m7i.large", "CreditSpecification": {}}},
    ),
    "a burstable type must not run up credits that cost": Together(
        ("EC2::LaunchTemplate",),
        lambda found: (
            not found["LaunchTemplateData"]["InstanceType"].startswith("t")
            or found["LaunchTemplateData"].get("CreditSpecification") == {"CpuCredits": "standard"}
        ),
        "T3 is unlimited by default: Burstable performance instances, EC2 user guide",
        {"LaunchTemplateData": {"InstanceType": "t3.small"}},
    ),
    "a time to fall asleep after is for a minimum of 0": Together(
        ("RDS::DBCluster",),
        lambda found: (
            "SecondsUntilAutoPause" not in _scaling(found)
            or float(_scaling(found)["MinCapacity"]) == 0
        ),
        "sst#5276; ServerlessV2ScalingConfiguration in the RDS API reference",
        {"ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "SecondsUntilAutoPause": 600}},
    ),
    "Aurora has no less at most than at least": Together(
        ("RDS::DBCluster",),
        lambda found: (
            float(_scaling(found)["MinCapacity"]) <= float(_scaling(found)["MaxCapacity"])
        ),
        "ServerlessV2ScalingConfiguration in the RDS API reference",
        {"ServerlessV2ScalingConfiguration": {"MinCapacity": "16", "MaxCapacity": "4"}},
    ),
    "a service has no less at most than at least": Together(
        ("ApplicationAutoScaling::ScalableTarget",),
        lambda found: int(found["MinCapacity"]) <= int(found["MaxCapacity"]),
        "RegisterScalableTarget in the Application Auto Scaling API reference",
        {"MinCapacity": "5", "MaxCapacity": "4"},
    ),
    "a group has no less at most than at least": Together(
        ("AutoScaling::AutoScalingGroup",),
        lambda found: int(found["MinSize"]) <= int(found["MaxSize"]),
        "CreateAutoScalingGroup in the Auto Scaling API reference",
        {"MinSize": "1", "MaxSize": "0"},
    ),
    "a health check ends before the next begins": Together(
        ("ElasticLoadBalancingV2::TargetGroup",),
        lambda found: found["HealthCheckTimeoutSeconds"] < found["HealthCheckIntervalSeconds"],
        "Health checks for Application Load Balancer target groups",
        {"HealthCheckTimeoutSeconds": 5, "HealthCheckIntervalSeconds": 5},
    ),
    "a certificate is for HTTPS, and HTTPS has one": Together(
        ("ElasticLoadBalancingV2::Listener",),
        lambda found: (found["Protocol"] == "HTTPS") == bool(found.get("Certificates")),
        "CreateListener in the Elastic Load Balancing API reference",
        {"Protocol": "HTTPS"},
    ),
    "requests are logged into a bucket": Together(
        ("ElasticLoadBalancingV2::LoadBalancer",),
        lambda found: (
            _logs(found).get("access_logs.s3.enabled") != "true"
            or "access_logs.s3.bucket" in _logs(found)
        ),
        "ModifyLoadBalancerAttributes in the Elastic Load Balancing API reference",
        {"LoadBalancerAttributes": [{"Key": "access_logs.s3.enabled", "Value": "true"}]},
    ),
    "a rule has few values, few groups and small weights": Together(
        ("ElasticLoadBalancingV2::ListenerRule",),
        lambda found: (
            sum(len(one["PathPatternConfig"]["Values"]) for one in found["Conditions"]) <= 5
            and all(
                len(groups) <= 5 and all(0 <= int(group["Weight"]) <= 999 for group in groups)
                for action in found["Actions"]
                for groups in (action.get("ForwardConfig", {}).get("TargetGroups", []),)
            )
        ),
        "Quotas for your Application Load Balancers",
        {"Conditions": [{"PathPatternConfig": {"Values": ["/"] * 6}}], "Actions": []},
    ),
    "what is restored has its snapshot's administrator and encryption": Together(
        ("RDS::DBCluster", "RDS::DBInstance"),
        lambda found: (
            not {"SnapshotIdentifier", "DBSnapshotIdentifier"} & found.keys()
            or not {"MasterUsername", "StorageEncrypted"} & found.keys()
        ),
        "the schemas of AWS::RDS::DBCluster and AWS::RDS::DBInstance",
        {"SnapshotIdentifier": "before", "MasterUsername": "boardadmin"},
    ),
    "a member of a cluster has its storage, backups and password from the cluster": Together(
        ("RDS::DBInstance",),
        lambda found: (
            "DBClusterIdentifier" not in found
            or not {
                "AllocatedStorage", "BackupRetentionPeriod", "MasterUsername", "StorageEncrypted",
                "ManageMasterUserPassword", "DeletionProtection",
            } & found.keys()
        ),
        "the schema of AWS::RDS::DBInstance: not applicable to Aurora",
        {"DBClusterIdentifier": "one", "AllocatedStorage": "20"},
    ),
    "an IPv6 address comes of a block of them": Together(
        ("EC2::Subnet",),
        lambda found: not found["AssignIpv6AddressOnCreation"] or "Ipv6CidrBlock" in found,
        "the schema of AWS::EC2::Subnet",
        {"AssignIpv6AddressOnCreation": True},
    ),
    "an alarm looks at as many points as it has, of a day at most": Together(
        ("CloudWatch::Alarm",),
        lambda found: (
            found["DatapointsToAlarm"] <= found["EvaluationPeriods"]
            and found["EvaluationPeriods"] * found["Period"] <= 86_400
        ),
        "PutMetricAlarm in the CloudWatch API reference",
        {"DatapointsToAlarm": 6, "EvaluationPeriods": 5, "Period": 60},
    ),
    "a rolling deploy can begin": Together(
        ("ECS::Service",),
        lambda found: (
            found["DeploymentConfiguration"]["MaximumPercent"]
            > found["DeploymentConfiguration"]["MinimumHealthyPercent"]
        ),
        "DeploymentConfiguration in the ECS API reference",
        {"DeploymentConfiguration": {"MaximumPercent": 100, "MinimumHealthyPercent": 100}},
    ),
    "tasks take capacity from a provider, or from a launch type": Together(
        ("ECS::Service",),
        lambda found: ("CapacityProviderStrategy" in found) != ("LaunchType" in found),
        "CreateService in the ECS API reference",
        {"CapacityProviderStrategy": [], "LaunchType": "EC2"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", TOGETHER)
def test_no_combination_is_one_that_aws_refuses(rule: str) -> None:
    together = TOGETHER[rule]
    seen = 0
    for stack in MATTERS:
        for choice, made in states(stack):
            for resource in made.resources.values():
                if resource.kind.removeprefix("AWS::") in together.kinds:
                    assert together.fine(resource.properties), (resource.name, choice)
                    seen += 1
    assert seen


@pytest.mark.parametrize("rule", TOGETHER)
def test_combination_check_detects_refused_combinations(rule: str) -> None:
    assert not TOGETHER[rule].fine(TOGETHER[rule].refused)


@pytest.mark.parametrize("stack", MATTERS)
def test_creating_a_stack_has_no_name_conflicts(stack: str) -> None:
    nothing = Stack({}, {}, {})
    for choice, made in states(stack):
        from_nothing = update(nothing, made)
        assert from_nothing.created == made.resources.keys()
        assert not from_nothing.clashes, choice


def test_every_relevant_choice_of_a_stack_is_combined() -> None:
    # Every stack of a board with random choices has been checked above.
    known = {
        stack: {repr((made.resources, made.outputs)) for _, made in states(stack)}
        for stack in MATTERS
    }
    for step in range(60):
        choice = {
            name: value
            for position, values in enumerate(OFFERED.values())
            for name, value in values[(step * (position + 3) + step // 7) % len(values)].items()
        }
        if float(choice.get("MinCapacity", 0)) > float(choice.get("MaxCapacity", 16)):
            continue
        for name, made in Deployment(**choice).stacks.items():
            assert repr((made.resources, made.outputs)) in known[name], (name, choice)


def test_there_are_over_a_million_combinations(capsys: pytest.CaptureFixture[str]) -> None:
    looked_at = [len(states(stack)) for stack in MATTERS]
    updates = sum(count * (count - 1) for count in looked_at)
    with capsys.disabled():
        print(  # noqa: T201 - the number is the result
            f"\n{boards():,} boards can be chosen, of {sum(looked_at):,} different stacks, "
            f"with {updates:,} updates between them"
        )
    assert boards() > 1_000_000


@pytest.mark.parametrize("stack", MATTERS)
def test_every_update_is_safe_or_refused(stack: str) -> None:
    seen: Counter[str] = Counter()
    for (_, before), (choice, after) in product(states(stack), repeat=2):
        found = update(before, after)
        seen.update(
            created=len(found.created), deleted=len(found.deleted),
            in_place=len(found.in_place), replaced=len(found.replaced),
        )  # fmt: skip
        new_parameters = {
            name for name in found.replaced if "ParameterGroup" in after.resources[name].kind
        }
        if found.clashes or found.loses_data or new_parameters:
            # While it is paused: then the most changes are allowed.
            refused = list(changes.refused(before.parameters, after.parameters, paused=True))
            assert refused, (found, before.parameters, choice)
    assert len(states(stack)) == 1 or seen["in_place"] or seen["replaced"]


def _listener(name: str, port: str) -> Resource:
    properties = {"LoadBalancerArn": "routing.LoadBalancer", "Port": port, "Protocol": "HTTP"}
    return Resource(f"routing.{name}", "AWS::ElasticLoadBalancingV2::Listener", properties)


def test_second_listener_for_a_port_is_a_conflict() -> None:
    one = Stack({}, {"Listener": _listener("Listener", "80")}, {})
    other = Stack({}, {"RedirectListener": _listener("RedirectListener", "80")}, {})
    assert update(one, other).clashes == {"RedirectListener"}
    elsewhere = Stack({}, {"RedirectListener": _listener("RedirectListener", "81")}, {})
    assert not update(one, elsewhere).clashes
    assert update(one, Stack({}, {"Listener": _listener("Listener", "81")}, {})).in_place


def test_replacing_a_resource_replaces_what_refers_to_it() -> None:
    def stack(name: str) -> Stack:
        balancer = Resource(
            "routing.LoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", {"Name": name}
        )
        return Stack({}, {"LoadBalancer": balancer, "Listener": _listener("Listener", "80")}, {})

    renamed = update(stack("board"), stack("other"))
    assert renamed.replaced == {"LoadBalancer", "Listener"}
    assert not renamed.clashes


@pytest.mark.parametrize("name", SERVICES)
def test_certificate_changes_services_only_by_their_address(name: str) -> None:
    https = OFFERED["certificate"][1]
    before, after = Deployment(), Deployment(**https)
    found = update(before.stacks[name], after.stacks[name])
    assert not found.created | found.deleted | found.clashes
    routing = update(before.stacks["routing"], after.stacks["routing"])
    assert routing.created == {"SecureListener"}
    assert "Listener" in routing.in_place
    assert "LoadBalancer" not in routing.replaced | routing.in_place


@pytest.mark.parametrize("to", ["per-zone", "none", "ipv6"])
def test_nat_mode_of_a_running_board_cannot_change(to: str) -> None:
    before, after = {"NatMode": "one"}, {"NatMode": to}
    [why] = changes.refused(before, after, paused=False)
    assert f"make resume-ecs NAT_MODE={to}" in why
    assert not list(changes.refused(before, after, paused=True))
