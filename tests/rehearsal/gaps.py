"""What the emulator cannot do, by resource and property: the complete list of what is removed from
the templates, or changed in them, before they are deployed there.

Each entry can check whether the emulator has learned it since, and a test fails when it has.
"""

import json
import string
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError, WaiterError

from deploy.aws import Aws
from tests.cloudformation import Document, read_document
from tests.patience import PATIENT
from tests.rehearsal.documents import drop, write
from topology.limits import NO_LIMITS

Change = Callable[[Document], None]
Probe = Callable[[Aws], bool]


@dataclass(frozen=True)
class Gap:
    """A gap in one template: what is changed, and why. `learned` asks the emulator whether it can
    do it now; `change` changes the template."""

    template: str
    what: str
    why: str
    change: Change
    learned: Probe

    def __str__(self) -> str:
        return f"{self.template}.yml: {self.what}: {self.why}"


def adapt(templates: Path, into: Path) -> None:
    """Write the templates into a folder, as far as the emulator can deploy them."""
    into.mkdir(parents=True, exist_ok=True)
    for path in sorted(templates.glob("*.yml")):
        document = read_document(path)
        for gap in GAPS:
            if gap.template == path.stem:
                gap.change(document)
        write(document, into / path.name)


def _left_out(template: str, kind: str, *resources: str) -> list[Gap]:
    """Resources of a kind for which the emulator refuses the whole stack."""
    return [
        Gap(template, resource, f"left out: {kind} is unknown", _without(resource), _knows(kind))
        for resource in resources
    ]


def _dangling(template: str, resource: str, target: str, kind: str) -> Gap:
    why = f"left out: it leads to {target}, which is"
    return Gap(template, resource, why, _without(resource), _knows(kind))


def _without(resource: str) -> Change:
    return lambda document: drop(document, resource)


def _knows(kind: str) -> Probe:
    """Whether a template may have a resource of this kind. The emulator refuses unknown kinds
    before it creates anything."""

    def probe(aws: Aws) -> bool:
        template = {"Resources": {"Probe": {"Type": kind, "Properties": {}}}}
        return "Unrecognized resource types" not in _reason(aws, template)

    return probe


def _deploys(template: Document, outputs: Mapping[str, str] | None = None) -> Probe:
    """Whether a small template can be deployed and has these outputs; "*" stands for any value."""

    def probe(aws: Aws) -> bool:
        name = f"probe-{time.monotonic_ns()}"
        try:
            aws.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
        except ClientError:
            return False
        try:
            _complete(aws, name)
            (stack,) = aws.cloudformation.describe_stacks(StackName=name)["Stacks"]
            told = {
                output.get("OutputKey"): output.get("OutputValue") or ""
                for output in stack.get("Outputs", [])
            }
            return all(
                told.get(key, "").startswith(value) for key, value in (outputs or {}).items()
            )
        except WaiterError:
            return False
        finally:
            aws.cloudformation.delete_stack(StackName=name)

    return probe


def _complete(aws: Aws, stack: str) -> None:
    aws.cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )


def _reason(aws: Aws, template: Document) -> str:
    name = f"probe-{time.monotonic_ns()}"
    try:
        aws.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    except ClientError as error:
        return str(error)
    aws.cloudformation.delete_stack(StackName=name)
    return ""


def _without_ipv6(subnet: str) -> Change:
    def change(document: Document) -> None:
        properties = document["Resources"][subnet]["Properties"]
        del properties["Ipv6CidrBlock"], properties["AssignIpv6AddressOnCreation"]

    return change


_VPC_WITH_IPV6: Final[Document] = {
    "Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}}},
    "Outputs": {"Ipv6": {"Value": {"Fn::Join": [",", {"Fn::GetAtt": ["Vpc", "Ipv6CidrBlocks"]}]}}},
}


def _secret_outputs(document: Document) -> None:
    for name, output in document["Outputs"].items():
        if name.endswith("SecretArn") and "Ref" in output["Value"]:
            output["Value"] = {"Fn::GetAtt": [output["Value"]["Ref"], "Arn"]}


_SECRET: Final[Document] = {
    "Resources": {
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"GenerateSecretString": {"PasswordLength": 20}},
        }
    },
    "Outputs": {"Arn": {"Value": {"Ref": "Secret"}}},
}


def _without_admin_secret(document: Document) -> None:
    del document["Outputs"]["AdminSecretArn"]


_MANAGED_SECRET: Final[Document] = {
    "Resources": {
        "Database": {
            "Type": "AWS::RDS::DBCluster",
            "Properties": {
                "Engine": "aurora-postgresql",
                "MasterUsername": "probe",
                "ManageMasterUserPassword": True,
            },
        }
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Database", "MasterUserSecret.SecretArn"]}}},
}


def _any_provider(document: Document) -> None:
    document["Outputs"]["CapacityProvider"]["Value"] = "rehearsal"


def _any_image(document: Document) -> None:
    del document["Parameters"]["Image"]["AllowedPattern"]


def _not_the_emulators(_: Aws) -> bool:
    # This entry is about the rehearsal, so it stays, whatever the emulator learns.
    return False


def _integers(document: Document) -> None:
    """Whether numbers from a mapping arrive as numbers."""
    document.setdefault("Mappings", {})["Integers"] = {
        str(number): {"Value": number} for number in range(21)
    }
    properties = document["Resources"]["Service"]["Properties"]
    properties["DesiredCount"] = _replace(
        properties["DesiredCount"],
        {"Ref": "DesiredCount"},
        {"Fn::FindInMap": ["Integers", {"Ref": "DesiredCount"}, "Value"]},
    )


def _replace(node: Any, what: Any, by: Any) -> Any:
    if node == what:
        return by
    if isinstance(node, dict):
        return {key: _replace(value, what, by) for key, value in node.items()}
    if isinstance(node, list):
        return [_replace(value, what, by) for value in node]
    return node


_NUMBERED_SERVICE: Final[Document] = {
    "Parameters": {"Count": {"Type": "Number", "Default": 0}},
    "Resources": {
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "probe",
                "ContainerDefinitions": [{"Name": "probe", "Image": "probe", "Memory": 64}],
            },
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "ServiceName": "probe",
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Task"},
                "DesiredCount": {"Ref": "Count"},
            },
        },
    },
}


def _secrets_by_their_names(document: Document) -> None:
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::ECS::TaskDefinition":
            for container in resource["Properties"]["ContainerDefinitions"]:
                if "Secrets" in container:
                    container["Secrets"] = _lower(container["Secrets"])


def _lower(node: Any) -> Any:
    if isinstance(node, list):
        return [_lower(value) for value in node]
    if isinstance(node, dict):
        if "ValueFrom" in node:
            return {"name": node["Name"], "valueFrom": node["ValueFrom"]}
        return {key: _lower(value) for key, value in node.items()}
    return node


def _injects_secrets(aws: Aws) -> bool:
    """Whether ECS passes on the secret of a task definition that CloudFormation created."""
    name = f"probe-{time.monotonic_ns()}"
    template = {
        "Resources": {
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "Family": name,
                    "ContainerDefinitions": [
                        {
                            "Name": "probe",
                            "Image": "probe",
                            "Memory": 64,
                            "Secrets": [{"Name": "A", "ValueFrom": "b"}],
                        }
                    ],
                },
            }
        }
    }
    aws.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    try:
        _complete(aws, name)
        found = aws.ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
        (container,) = found.get("containerDefinitions", [])
        return [dict(secret) for secret in container.get("secrets", [])] == [
            {"name": "A", "valueFrom": "b"}
        ]
    finally:
        aws.cloudformation.delete_stack(StackName=name)


def _without_punctuation(document: Document) -> None:
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::SecretsManager::Secret":
            generate = resource["Properties"]["GenerateSecretString"]
            del generate["ExcludePunctuation"]
            generate["ExcludeCharacters"] = string.punctuation


def _generates_letters_alone(aws: Aws) -> bool:
    name = f"probe-{time.monotonic_ns()}"
    properties = {
        "Name": name,
        "GenerateSecretString": {"PasswordLength": 200, "ExcludePunctuation": True},
    }
    kind = "AWS::SecretsManager::Secret"
    template = {"Resources": {"Secret": {"Type": kind, "Properties": properties}}}
    aws.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    try:
        _complete(aws, name)
        return aws.secrets.get_secret_value(SecretId=name)["SecretString"].isalnum()
    finally:
        aws.cloudformation.delete_stack(StackName=name)


def _without_step_functions(document: Document) -> None:
    (container,) = document["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    container["Environment"] = [one for one in container["Environment"] if "CASE_" not in str(one)]


def _without_limits(document: Document) -> None:
    (container,) = document["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    container["Environment"] += [
        {"Name": name, "Value": value} for name, value in {**NO_LIMITS, **PATIENT}.items()
    ]


_SUBNETS: Final[Sequence[str]] = (
    "PublicSubnetA",
    "PublicSubnetB",
    "PrivateSubnetA",
    "PrivateSubnetB",
)
_NAT: Final = "AWS::EC2::NatGateway"
_EGRESS: Final = "AWS::EC2::EgressOnlyInternetGateway"

GAPS: Final[Sequence[Gap]] = (
    *_left_out("network", "AWS::EC2::VPCCidrBlock", "Ipv6"),
    *(
        Gap(
            "network",
            f"{subnet}.Ipv6CidrBlock, .AssignIpv6AddressOnCreation",
            "left out: a VPC has no Ipv6CidrBlocks",
            _without_ipv6(subnet),
            _deploys(_VPC_WITH_IPV6),
        )
        for subnet in _SUBNETS
    ),
    *_left_out("network", _EGRESS, "EgressOnlyGateway"),
    *_left_out("network", "AWS::EC2::EIP", "NatAddressA", "NatAddressB"),
    *_left_out("network", _NAT, "NatGatewayA", "NatGatewayB"),
    _dangling("network", "PrivateIpv4A", "a NAT gateway", _NAT),
    _dangling("network", "PrivateIpv4B", "a NAT gateway", _NAT),
    _dangling("network", "PrivateIpv6A", "EgressOnlyGateway", _EGRESS),
    _dangling("network", "PrivateIpv6B", "EgressOnlyGateway", _EGRESS),
    *_left_out(
        "network",
        "AWS::EC2::SecurityGroupIngress",
        "ClientsOverHttpsIpv4",
        "ClientsOverHttpsIpv6",
        "InstancesFromAlb",
        "InstancesFromInternalAlb",
        "InternalAlbFromInstances",
        "DatabaseFromInstances",
    ),
    *_left_out(
        "network",
        "AWS::EC2::SecurityGroupEgress",
        "AlbToInstances",
        "InternalAlbToInstances",
        "InstancesToInternalAlb",
        "InstancesToDatabase",
    ),
    Gap(
        "data",
        "Outputs.AdminSecretArn",
        "left out: a cluster has no MasterUserSecret; the rehearsal has a secret of its own",
        _without_admin_secret,
        _deploys(_MANAGED_SECRET),
    ),
    Gap(
        "data",
        "Outputs.*SecretArn",
        "changed: Ref of a secret is its name, and GetAtt its ARN",
        _secret_outputs,
        _deploys(_SECRET, {"Arn": "arn:aws:secretsmanager:"}),
    ),
    Gap(
        "data",
        "GenerateSecretString.ExcludePunctuation",
        "changed: it is ignored, and ExcludeCharacters is not",
        _without_punctuation,
        _generates_letters_alone,
    ),
    *_left_out("cluster", "AWS::ECS::CapacityProvider", "CapacityProvider"),
    *_left_out(
        "cluster", "AWS::ECS::ClusterCapacityProviderAssociations", "CapacityProviderAssociation"
    ),
    Gap(
        "cluster",
        "Outputs.CapacityProvider",
        "changed: any name, since there is none",
        _any_provider,
        _knows("AWS::ECS::CapacityProvider"),
    ),
    *(
        Gap(
            template,
            "Parameters.Image.AllowedPattern",
            "left out: images come from a registry that is not ECR",
            _any_image,
            _not_the_emulators,
        )
        for template in ("operator", "service")
    ),
    *(
        Gap(
            template,
            "ContainerDefinitions.Secrets",
            "changed: ECS reads the names of the API, and gets those of CloudFormation",
            _secrets_by_their_names,
            _injects_secrets,
        )
        for template in ("operator", "service")
    ),
    Gap(
        "service",
        "Service.DesiredCount",
        "changed: a parameter of type Number arrives as a text",
        _integers,
        _deploys(_NUMBERED_SERVICE),
    ),
    Gap(
        "service",
        "ContainerDefinitions.Environment",
        "added: no limits on how fast one may write, since all tests come from one address; "
        "patient time-outs, since all tasks share one machine",
        _without_limits,
        _not_the_emulators,
    ),
    Gap(
        "service",
        "ContainerDefinitions.Environment",
        "left out: tasks cannot reach the emulator, so cases run in their own process",
        _without_step_functions,
        _not_the_emulators,
    ),
    *_left_out("service", "AWS::ApplicationAutoScaling::ScalableTarget", "Scaling"),
    *_left_out("service", "AWS::ApplicationAutoScaling::ScalingPolicy", "ScalingPolicy"),
)

MISSING: Final[Mapping[str, str]] = {
    "Aurora and RDS": (
        "they are records: tasks get a PostgreSQL 18 of the rehearsal (DatabaseHost, DatabaseTls)"
    ),
    "instances": (
        "there are none: tasks run on this machine, and nothing is waited for when they pause"
    ),
    "DNS": "there is none: services find each other at an address (InternalOrigin)",
    "load balancers": (
        "they ignore weights, make no health checks, and send requests to a task that does not "
        "listen yet: that no request is lost is shown with the gateway before the same tasks"
    ),
    "ECS": (
        "it calls a task healthy when it has run for a second: in the rehearsal it asks the "
        "gateway's health checks (tests/rehearsal/emulator_main.py), as it asks the load "
        "balancer's on AWS. It ignores checks in containers, users, memory, read-only roots and "
        "stop timeouts (5 s always): a version that never gets healthy is one that ends"
    ),
    "stacks": (
        "they are complete at once, whether their services come up or not: what tells is ECS"
    ),
    "security groups and routes": ("they do nothing: the tests of the templates read them instead"),
    "quotas and permissions": "quotas cannot be read, and everybody may do everything",
}
"""Gaps that no change to a template can avoid. Other tests cover them, or only AWS can:
docs/aws-real-account.md has each name."""
