"""Checks the choices before anything is created: each value against its template, combinations that
AWS would refuse, and whether instances and connections suffice."""

from collections.abc import Iterator, Mapping
from typing import Final

from deploy.errors import CannotDeployError
from deploy.stacks.templates import Template
from topology.contexts import CONTEXT_NAMES
from topology.deployments import DEPLOYMENTS, MONOLITH

Choices = Mapping[str, str]

ROOM_MIB: Final[Mapping[str, int]] = {
    "t3.small": 1670, "t3.medium": 3570, "t3.large": 7570,
    "t3a.small": 1670, "t3a.medium": 3570, "t3a.large": 7570,
    "m7i-flex.large": 7570, "m7i.large": 7570, "m7a.large": 7570,
}  # fmt: skip
"""The memory of an instance for tasks, in MiB: a little less than it registers, minus
ECS_RESERVED_MEMORY."""

CONNECTIONS: Final[Mapping[str, int]] = {
    "db.t4g.micro": 80, "db.t3.micro": 80, "db.t4g.small": 170, "db.t4g.medium": 370,
}  # fmt: skip
"""The connections that an RDS instance accepts: max_connections as RDS computes it from the memory,
minus those that RDS reserves."""

CONNECTIONS_OF_A_CONTEXT: Final = 6
"""The most connections that a task opens for each context: its pool, and one for notifications."""

DEFAULTS: Final[Choices] = {
    "NatMode": "one", "DesiredCount": "1", "MaxCount": "4", "MaxInstances": "3",
    "InstanceType": "t3.small", "Memory": "224", "DatabaseKind": "aurora",
    "DatabaseClass": "db.t4g.micro", "EngineVersion": "17.7", "MinCapacity": "0",
    "MaxCapacity": "4", "BackupDays": "7", "ListenerPort": "80", "CertificateArn": "",
    "DomainName": "",
}  # fmt: skip
"""The templates' defaults for the parameters that are checked here."""


def derived(chosen: Choices, before: Choices, deployment: str) -> dict[str, str]:
    """Values that follow from others unless they are chosen: MaxCount is raised to DesiredCount,
    and lowered if the database allows too few connections."""
    effective = {**DEFAULTS, **before, **chosen}
    found: dict[str, str] = {}
    if "MaxCount" not in chosen:
        most = max(int(effective["MaxCount"]), int(effective["DesiredCount"]))
        while most > int(effective["DesiredCount"]) and list(
            _connections({**effective, "MaxCount": str(most)}, deployment)
        ):
            most -= 1
        if str(most) != effective["MaxCount"]:
            found["MaxCount"] = str(most)
    return found


def require_consistent(chosen: Choices, before: Choices, deployment: str) -> None:
    """Raise `CannotDeployError`, with all problems, if the choices are inconsistent with each other
    or with the existing stacks' parameters."""
    effective = {**DEFAULTS, **before, **derived(chosen, before, deployment), **chosen}
    found = list(problems(effective, deployment))
    if found:
        raise CannotDeployError("; ".join(found))


def problems(effective: Choices, deployment: str) -> Iterator[str]:
    """The problems of a combination of values, a line each."""
    certificate, domain = effective["CertificateArn"], effective["DomainName"]
    if certificate and not domain:
        yield (
            "CERTIFICATE_ARN needs DOMAIN_NAME: no certificate is for the load balancer's own name"
        )
    if domain and not certificate:
        yield "DOMAIN_NAME needs CERTIFICATE_ARN: the domain is used with HTTPS only"
    if certificate and effective["ListenerPort"] == "443":
        yield "LISTENER_PORT=443 is the port of HTTPS: with a certificate, plain HTTP needs another"
    if float(effective["MinCapacity"]) > float(effective["MaxCapacity"]):
        yield (
            f"MinCapacity={effective['MinCapacity']} is above MaxCapacity="
            f"{effective['MaxCapacity']}"
        )
    if 0 < int(effective["MaxCount"]) < int(effective["DesiredCount"]):
        yield (
            f"COUNT={effective['DesiredCount']} is above MaxCount={effective['MaxCount']}: use "
            f"PARAMETERS=MaxCount={effective['DesiredCount']}, or more"
        )
    yield from _room(effective, deployment)
    yield from _connections(effective, deployment)


def instances_needed(effective: Choices, deployment: str) -> int:
    """The number of instances for the minimum number of tasks and one more task, because a deploy
    starts the new one before the old one stops."""
    on_one = ROOM_MIB[effective["InstanceType"]] // int(effective["Memory"])
    tasks = len(DEPLOYMENTS[deployment]) * int(effective["DesiredCount"]) + 1
    return -(-tasks // max(on_one, 1))


def _room(effective: Choices, deployment: str) -> Iterator[str]:
    if effective["InstanceType"] not in ROOM_MIB:
        return
    needed = instances_needed(effective, deployment)
    if needed > int(effective["MaxInstances"]):
        kind, most = effective["InstanceType"], effective["MaxInstances"]
        yield (
            f"COUNT={effective['DesiredCount']} needs {needed} instances {kind}, and only {most} "
            f"are allowed: use MAX_INSTANCES={needed}, or a larger INSTANCE_TYPE"
        )


def _connections(effective: Choices, deployment: str) -> Iterator[str]:
    if effective["DatabaseKind"] != "instance" or effective["DatabaseClass"] not in CONNECTIONS:
        return
    most = max(int(effective["MaxCount"]), int(effective["DesiredCount"]))
    of_task = {
        server: CONNECTIONS_OF_A_CONTEXT
        * (len(CONTEXT_NAMES) if server == MONOLITH else int(server in CONTEXT_NAMES))
        for server in DEPLOYMENTS[deployment]
    }
    # A deploy replaces one service after another; meanwhile, twice as many of its tasks exist.
    needed = most * (sum(of_task.values()) + max(of_task.values()))
    has = CONNECTIONS[effective["DatabaseClass"]]
    if needed > has:
        yield (
            f"{most} tasks of each service may open {needed} connections, and a database "
            f"{effective['DatabaseClass']} allows {has}: use a smaller PARAMETERS=MaxCount=... or "
            "COUNT=..., or PARAMETERS=DatabaseClass=db.t4g.small"
        )


def require_allowed(chosen: Choices, templates: Mapping[str, Template]) -> None:
    """Raise `CannotDeployError` for a value that a template would refuse, and for a parameter that
    no template has: CloudFormation would report it half-way, or not at all."""
    declared = {
        name: parameter
        for template in templates.values()
        for name, parameter in template.parameters.items()
    }
    found = [f"no template has a parameter {name}" for name in chosen if name not in declared]
    for name, value in chosen.items():
        if name in declared:
            found += declared[name].problems(value)
    if found:
        raise CannotDeployError("; ".join(found))
