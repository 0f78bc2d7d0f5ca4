"""From CloudFormation templates to the routing that they describe, or to all that is wrong.

Of the templates' resources only load balancers, listeners, their rules, certificates and target
groups are routing; the others are not looked at, but for nested stacks and for what is referred
to. In those nothing is skipped silently: a property is implemented, or it has no meaning on a
laptop and is listed with the reason, or it is refused.

Of several load balancers one is run, the internet-facing one or the one that is asked for; what
belongs to the others is checked likewise and then left out. Network and gateway load balancers are
left out with all that belongs to them.
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
    """What templates describe, where each resource of it stands, and what may surprise."""

    routing: Routing
    places: Mapping[str, Place]
    warnings: tuple[str, ...]


def load(sources: Sequence[Source], choices: Choices) -> LoadedTemplates:
    """The load balancer that the templates describe together.

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
    """The routing that the one template at ``path`` describes, given its parameters' values.

    ``load_balancer`` is the logical id of the one to run; None: the one that is internet-facing.
    Raises what ``load`` does.
    """
    return load([Source(path.stem, path)], Choices(parameters, load_balancer=load_balancer)).routing


def read_routing(
    text: str, parameters: Mapping[str, str], path: str, load_balancer: str | None = None
) -> Routing:
    """Like load_routing, for a template's text; ``path`` is what messages call it."""
    source = Source(Path(path).stem, Path(path), text)
    return load([source], Choices(parameters, load_balancer=load_balancer)).routing
