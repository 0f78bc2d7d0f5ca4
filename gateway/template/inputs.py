"""What the templates do not say themselves: which they are, and the values that they are given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A template file. ``name`` is what the command line and messages call its stack.

    ``text`` is its content when that is at hand already.
    """

    name: str
    path: Path
    text: str | None = None
    named: bool = False
    """Whether ``name`` was said, and not taken from the file's name."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What was said about the templates. A name of a parameter, resource or stack may be written
    with its template's before it (``Service.ListenerArn``), and has to be where that is unclear."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values of parameters, the pseudo parameters (``AWS::Region``) among them."""
    ties: Mapping[str, str] = field(default_factory=dict)
    """The resource that a parameter, an import (``import:NAME``), a stored value (``ssm:NAME``) or
    an ARN stands for."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Texts that only AWS knows: of dynamic references (``ssm:/app/secret``), imports
    (``import:NAME``) and resources (``Bucket.Arn``)."""
    load_balancer: str | None = None
    """Which load balancer to run; None: the one that is internet-facing."""
    identities: bool = False
    """Whether it is known who requests are from, so that actions may ask."""
    health_check_ports: Mapping[str, int | None] = field(default_factory=dict)
    """By target group, instead of the template's HealthCheckPort; None: that of the traffic."""
