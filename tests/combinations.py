"""Every combination of the choices that the guide and the commands offer, as stacks.

A stack depends on a few of the choices only. So each stack is evaluated for all values of these,
and every whole board is a combination of the resulting stacks."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from math import prod
from typing import Final

from tests.cloudformation import SERVICES, Deployment, RefusedError, Stack, template
from topology.routing import SHARES

Choice = Mapping[str, str]

CERTIFICATE: Final = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
_CAPACITIES: Final[list[Choice]] = [
    {"MinCapacity": least, "MaxCapacity": most}
    for least in template("data")["Parameters"]["MinCapacity"]["AllowedValues"]
    for most in template("data")["Parameters"]["MaxCapacity"]["AllowedValues"]
]
_KINDS: Final[list[Choice]] = [
    *({"DatabaseKind": "aurora", **capacities} for capacities in _CAPACITIES),
    *(
        {"DatabaseKind": "instance", "DatabaseClass": kind}
        for kind in template("data")["Parameters"]["DatabaseClass"]["AllowedValues"]
    ),
]

OFFERED: Final[Mapping[str, list[Choice]]] = {
    "nat": [{"NatMode": mode} for mode in ("one", "per-zone", "none", "ipv6")],
    "certificate": [{}, {"CertificateArn": CERTIFICATE, "DomainName": "board.example"}],
    "port": [{"ListenerPort": "80"}, {"ListenerPort": "8080"}],
    "pause": [{"Paused": "false"}, {"Paused": "true"}],
    "instance": [
        {"InstanceType": kind}
        for kind in template("cluster")["Parameters"]["InstanceType"]["AllowedValues"]
    ],
    "instances": [{"MaxInstances": most} for most in ("1", "3", "10")],
    "database": _KINDS,
    "origin": [{}, {"SnapshotIdentifier": "before-the-storm"}],
    "version": [{"EngineVersion": version} for version in ("17.7", "18.3")],
    "care": [
        {"DeletionProtection": protected, "BackupDays": days}
        for protected, days in (("false", "1"), ("false", "7"), ("true", "7"))
    ],
    "logs": [{"AccessLogs": value} for value in ("false", "true", "ending")],
    # The monolith; the strangler with half of the traffic; microservices.
    "shares": [dict.fromkeys(SHARES, share) for share in ("0", "50", "100")],
    # As the deploy command sets them: the maximum is never below the minimum.
    "count": [
        {"DesiredCount": least, "MaxCount": most}
        for least, most in (
            ("1", "4"),
            ("1", "1"),
            ("2", "4"),
            ("5", "5"),
            ("5", "8"),
            ("20", "20"),
        )
    ],
    "revision": [{}, {"Image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/b:fedcba987654"}],
    "mail": [
        {},
        {"AlarmEmail": "somebody@board.example"},
        {"AlarmEmail": "somebody@board.example", "MonthlyBudget": "50"},
        {"AlarmEmail": "somebody-else@board.example", "MonthlyBudget": "50"},
    ],
    "self-pause": [{}, {"PauseAfter": "4h"}],
}
"""The choices: by name, the parameters' values for each option."""

MATTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "registry": (),
    "network": ("nat", "certificate", "port", "pause"),
    "data": ("database", "origin", "version", "care"),
    "cluster": ("nat", "instance", "instances", "self-pause"),
    "routing": ("certificate", "port", "pause", "logs", "shares"),
    "operator": ("aurora or not", "revision"),
    "workflow": (),
    **dict.fromkeys(
        SERVICES, ("certificate", "port", "pause", "count", "aurora or not", "revision")
    ),
    "cases": (
        *("certificate", "port", "pause", "count", "aurora or not", "revision"),
        "Step Functions or not",
    ),
    "observability": ("aurora or not", "mail", "pause"),
}  # fmt: skip
"""The choices that each stack depends on."""

_GROUPS: Final[Mapping[str, list[Choice]]] = {
    **OFFERED,
    "aurora or not": [{"DatabaseKind": "aurora"}, {"DatabaseKind": "instance"}],
    "Step Functions or not": [{"NatMode": "one"}, {"NatMode": "ipv6"}],
}


def choices(stack: str) -> Iterator[Choice]:
    """Every combination of the choices that the stack depends on."""
    for combination in product(*(_GROUPS[group] for group in MATTERS[stack])):
        yield {name: value for part in combination for name, value in part.items()}


@cache
def states(stack: str) -> list[tuple[Choice, Stack]]:
    """Each stack that the choices can lead to, once, with a combination that leads to it. Those
    that the templates' rules reject are left out."""
    found: dict[str, tuple[Choice, Stack]] = {}
    for choice in choices(stack):
        try:
            made = Deployment(**choice).stacks[stack]
        except RefusedError:
            continue
        found.setdefault(repr((made.resources, made.outputs)), (choice, made))
    return list(found.values())


def boards() -> int:
    """The number of whole boards that can be chosen, without those that a rule rejects."""
    possible = {group: [c for c in values if _is_possible(c)] for group, values in OFFERED.items()}
    return prod(len(values) for values in possible.values())


def _is_possible(choice: Choice) -> bool:
    try:
        Deployment(**choice)
    except RefusedError:
        return False
    return True
