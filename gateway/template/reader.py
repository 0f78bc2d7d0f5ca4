"""Reads the routing that CloudFormation templates describe, or reports all their problems.

Load balancers, listeners, rules, certificates and target groups are routing resources. Other
resources are ignored, except nested stacks and those that are referred to. In a routing resource,
nothing is skipped silently: a property is implemented, or is listed with the reason why it has no
effect on a laptop, or is refused.

If there are several load balancers, one is run: the internet-facing one, or the chosen one. The
others' resources are checked in the same way and then left out. Network and gateway load balancers
are left out with all their resources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.routing.settings import Routing
from gateway.template.inputs import Choices, Source
from gateway.template.problems import Problem, RefusedTemplateError
from gateway.template.resources.collection import Place
from gateway.template.stacks.deployment import Deployment
from gateway.template.together import read_together

__all__ = ["LoadedTemplates", "RefusedTemplateError", "load", "load_routing", "read_routing"]


@dataclass(frozen=True, slots=True)
class LoadedTemplates:
    """The routing that templates describe, the place of each of its resources, and warnings."""

    routing: Routing
    places: Mapping[str, Place]
    warnings: tuple[str, ...]


def load(sources: Sequence[Source], choices: Choices) -> LoadedTemplates:
    """Reads the load balancer that the templates describe together.

    Raises RefusedTemplateError, and OSError for a file that cannot be read.
    """
    try:
        deployment = Deployment(sources, choices)
        routing, places = read_together(deployment, choices)
    except RecursionError:
        problem = Problem(str(sources[0].path), 1, "", "the template is nested too deep")
        raise RefusedTemplateError([problem]) from None
    problems = deployment.problems
    if problems or routing is None:
        raise RefusedTemplateError(problems)
    return LoadedTemplates(routing, places, deployment.warnings)


def load_routing(
    path: Path, parameters: Mapping[str, str], load_balancer: str | None = None
) -> Routing:
    """Reads the routing of the single template at ``path`` with these values of parameters.

    ``load_balancer`` is the logical id of the one to run; None for the internet-facing one.
    Raises what ``load`` raises.
    """
    return load([Source(path.stem, path)], Choices(parameters, load_balancer=load_balancer)).routing


def read_routing(
    text: str, parameters: Mapping[str, str], path: str, load_balancer: str | None = None
) -> Routing:
    """Like load_routing, for a template's text; ``path`` is its name in messages."""
    source = Source(Path(path).stem, Path(path), text)
    return load([source], Choices(parameters, load_balancer=load_balancer)).routing
