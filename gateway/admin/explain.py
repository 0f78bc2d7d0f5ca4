"""``python -m gateway explain``: which rule applies to a request, and why earlier ones do not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.http1.hosts import without_port
from gateway.http1.paths import normalise
from gateway.routing.redirect import Redirect
from gateway.routing.rules import Action, FixedResponse, Forward, Rule
from gateway.routing.settings import ListenerSettings
from gateway.routing.transforms import TransformFailedError
from gateway.template.resources.collection import Place


@dataclass(frozen=True, slots=True)
class ImaginedRequest:
    """A hypothetical request. ``headers`` are in order, with names as written."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    source: str = "127.0.0.1"

    @property
    def path(self) -> bytes:
        return normalise(self.target)

    @property
    def routing_host(self) -> bytes:
        return without_port(self.host_with_port)

    @property
    def host_with_port(self) -> bytes:
        return next(iter(self.header_values(b"host")), b"")

    def header_values(self, name: bytes) -> Sequence[bytes]:
        return [value for key, value in self.headers if key.lower() == name]


def explain(
    listener: ListenerSettings, request: ImaginedRequest, places: Mapping[str, Place]
) -> Iterator[str]:
    """Explains in lines of text: each rule up to the one that applies, then what it does.
    ``places`` are the rules' places in the templates, by their names."""
    yield (
        f"{request.method.decode('latin-1')} {request.target.decode('latin-1')} "
        f"at {listener.logical_id} ({listener.protocol} {listener.port})"
    )
    chosen = listener.rules.match(request)
    for rule in listener.rules:
        name = f"{rule.priority:>5} {rule.logical_id}" if rule.priority else "default rule"
        name += f" ({places[rule.logical_id or listener.logical_id]})"
        if rule is chosen:
            why = " and ".join(str(condition) for condition in rule.conditions)
            yield f"{name}: applies{f' ({why})' if why else ''}"
            yield from (f"      {line}" for line in _does(listener, rule, request))
            return
        failed = next(c for c in rule.conditions if not c.holds(request))
        yield f"{name}: no, {failed} does not match {failed.seen(request)}"


def _does(listener: ListenerSettings, rule: Rule, request: ImaginedRequest) -> Iterator[str]:
    try:
        host = rule.transforms.rewritten_host(request.routing_host)
        target = rule.transforms.rewritten_target(request.target)
    except TransformFailedError:
        yield "its transform results in what cannot be sent: 500"
        return
    if host is not None:
        yield f"host becomes {host.decode('latin-1')}"
    if target is not None:
        yield f"path and query become {target.decode('latin-1')}"
    if rule.sign_in is not None:
        yield f"sign-in with {rule.sign_in.issuer}; nobody: {rule.sign_in.on_unauthenticated}"
    action = rule.action
    if isinstance(action, Redirect):
        location = action.location(request, listener.protocol, listener.port)
        yield f"redirect {action.status} to {location.decode('latin-1')}"
    else:
        yield describe(action)


def describe(action: Action) -> str:
    """What an action does, independent of the request."""
    if isinstance(action, FixedResponse):
        return f"fixed-response {action.status} ({action.content_type})"
    if isinstance(action, Redirect):
        return (
            f"redirect {action.status} to "
            f"{action.protocol}://{action.host}:{action.port}{action.path}?{action.query}"
        )
    return f"forward to {_shares(action)}"


def _shares(action: Forward) -> str:
    total = sum(group.weight for group in action.groups)
    shares = [
        f"{group.target_group} ({100 * group.weight / total if total else 0:.4g}%)"
        for group in action.groups
    ]
    sticky = f", sticky for {action.stickiness} s" if action.stickiness else ""
    return ", ".join(shares) + sticky
