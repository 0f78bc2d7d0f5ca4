"""The inputs from the command line: the templates, and the values that they need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A template file. ``name`` is its stack's name on the command line and in messages.

    ``text`` is its content, if it has already been read.
    """

    name: str
    path: Path
    text: str | None = None
    named: bool = False
    """Whether ``name`` was given explicitly, and not derived from the file's name."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The options about templates. Names of parameters, resources and stacks may be qualified by
    their template's name (``Service.ListenerArn``), and must be if they are ambiguous."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values of parameters, including pseudo parameters (``AWS::Region``)."""
    ties: Mapping[str, str] = field(default_factory=dict)
    """The resources for parameters, imports (``import:NAME``), stored values (``ssm:NAME``) and
    ARNs."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Values that only AWS knows: of dynamic references (``ssm:/app/secret``), imports
    (``import:NAME``) and resources (``Bucket.Arn``)."""
    load_balancer: str | None = None
    """The load balancer to run; None for the internet-facing one."""
    identities: bool = False
    """Whether there is a file of users, so that authenticate actions can be run."""
    health_check_ports: Mapping[str, int | None] = field(default_factory=dict)
    """By target group, instead of the template's HealthCheckPort; None is the traffic port."""
