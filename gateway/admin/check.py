"""``check``: why templates cannot be run, and the options that they need."""

from collections.abc import Iterator
from typing import Final

from gateway.routing.rules import Forward
from gateway.routing.settings import Routing
from gateway.template.problems import Problem
from gateway.template.reader import LoadedTemplates
from gateway.template.syntax.nodes import Cause

_HEADINGS: Final = {
    Cause.AWS: "AWS refuses:",
    Cause.HERE: "AWS accepts, and the gateway cannot run:",
    Cause.UNKNOWN: "has to be said on the command line:",
}


def refusals(problems: tuple[Problem, ...]) -> Iterator[str]:
    """The problems as lines, grouped by their cause."""
    for cause, heading in _HEADINGS.items():
        found = [problem for problem in problems if problem.cause is cause]
        if found:
            yield heading
            yield from (f"  {problem}" for problem in found)


def summary(loaded: LoadedTemplates) -> Iterator[str]:
    """What would run, and the options that are still missing."""
    yield from (f"warning: {line}" for line in loaded.warnings)
    routing = loaded.routing
    yield f"{routing.load_balancer.logical_id} can be run"
    for listener in routing.listeners:
        rules = sum(bool(rule.priority) for rule in listener.rules)
        yield (
            f"  {listener.logical_id} ({listener.protocol} {listener.port}): {rules} "
            f"rule{'' if rules == 1 else 's'} and the default rule"
        )
    names = dict.fromkeys(name for each in routing.listeners for name in each.certificates)
    options = [certificate_option(name) for name in names]
    options += [target_option(name, routing) for name in needed_groups(routing)]
    if options:
        yield "it needs"
        yield from (f"  {option}" for option in options)


def needed_groups(routing: Routing) -> list[str]:
    """The sorted names of target groups that may get requests."""
    return sorted(
        {
            group.target_group
            for listener in routing.listeners
            for rule in listener.rules
            if isinstance(rule.action, Forward)
            for group in rule.action.groups
            if group.weight > 0
        }
    )


def target_option(group: str, routing: Routing) -> str:
    """The option that registers a target in a group."""
    if routing.target_groups[group].function is None:
        return f"--target {group}=http://127.0.0.1:PORT"
    # A Python handler's folder, or the address of an emulator that runs any function.
    return f"--target {group}=lambda+dir:FOLDER#MODULE.FUNCTION (or lambda+http://127.0.0.1:PORT)"


def certificate_option(name: str) -> str:
    """The option that names a certificate's files."""
    return f"--certificate {name}=CERTIFICATE.pem,KEY.pem"
