"""Metrics with CloudWatch's names, in the Prometheus text format.

Names and meanings: "CloudWatch metrics for your Application Load Balancer" of the AWS guide.
CloudWatch shows sums per minute; these are counters that only grow, as usual with Prometheus.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from gateway.clients.acceptor import Acceptor
from gateway.http1.request_headers import has_valid_name
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.record import ExchangeRecord
from gateway.routing.settings import LoadBalancerSettings
from gateway.targets.function_event import FunctionFailure
from gateway.targets.target import TargetState
from gateway.targets.target_group import TargetGroup

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counts finished exchanges; health checks are not exchanges.

    Counters of a removed target group are hidden but not deleted: if the group comes back, they
    must not have decreased.
    """

    def __init__(self, load_balancer: LoadBalancerSettings) -> None:
        self._load_balancer: Labels = (("LoadBalancer", load_balancer.logical_id),)
        self._counts: Counter[tuple[str, str]] = Counter()
        """By metric and target group; the group is empty for the load balancer's own metrics."""
        self._times: dict[str, _Times] = {}

    def record(self, record: ExchangeRecord) -> None:
        """Counts a finished exchange."""
        counts = self._counts
        request, status = record.request, record.status
        group = record.target_group
        size = request.head_size + request.body_size + record.sent
        counts["ProcessedBytes", ""] += size
        if ":" in request.source:
            counts["IPv6RequestCount", ""] += 1
            counts["IPv6ProcessedBytes", ""] += size
        if request.finding is not None:
            counts["DesyncMitigationMode_NonCompliant_Request_Count", ""] += 1
        target = record.target
        if target is not None:
            self._record_target(record, group)
            if target.function is not None:
                self._record_function(record, group, size)
        if not record.target_status:
            if status >= _FIRST_COUNTED:
                counts[f"HTTPCode_ELB_{status // 100}XX_Count", ""] += 1
            if status in _SINGLE:
                counts[f"HTTPCode_ELB_{status}_Count", ""] += 1
            if record.action == "fixed-response":
                counts["HTTP_Fixed_Response_Count", ""] += 1
            elif record.action == "redirect":
                name = "_Url_Limit_Exceeded" if status == 507 else ""
                counts[f"HTTP_Redirect{name}_Count", ""] += 1

    def _record_target(self, record: ExchangeRecord, group: str) -> None:
        counts = self._counts
        counts["RequestCount", ""] += 1
        counts["RequestCount", group] += 1
        if record.target_status:
            if record.target_status != _SWITCHING_PROTOCOLS:
                counts[f"HTTPCode_Target_{record.target_status // 100}XX_Count", group] += 1
            times = self._times.get(group)
            if times is None:
                times = self._times[group] = _Times()
            times.add(record.answered - record.dispatched)
        elif not record.dispatched and record.status in (502, 504):
            counts["TargetConnectionErrorCount", group] += 1
        if record.request.invalid_names:
            forwarded = not all(map(has_valid_name, record.request.lines))
            name = "Forwarded" if forwarded else "Dropped"
            counts[f"{name}InvalidHeaderRequestCount", ""] += 1
        selection = record.selection
        if selection is not None:
            if selection.failed_open:
                counts["UnhealthyRoutingRequestCount", group] += 1
            if selection.sticky is not None and not selection.sticky.returned:
                self._record_new_session(selection.sticky.group)

    def _record_function(self, record: ExchangeRecord, group: str, size: int) -> None:
        counts = self._counts
        counts["LambdaTargetProcessedBytes", group] += size
        if record.target_status or record.status not in _FAILED_FUNCTION:
            return
        internal = record.error_reason == FunctionFailure.CONNECTION
        counts[f"Lambda{'Internal' if internal else 'User'}Error", group] += 1

    def _record_new_session(self, group: TargetGroup) -> None:
        """Counts a new session with a target; returning only to a target group is not one."""
        stickiness = group.settings.stickiness
        if stickiness is None:
            return
        self._counts["NonStickyRequestCount", ""] += 1
        if stickiness.app_cookie is not None:
            self._counts["AppCookieNonStickinessCount", ""] += 1

    def render(self, plane: DataPlane, acceptors: Sequence[Acceptor]) -> str:
        """All metrics as text."""
        return "".join(f"{line}\n" for line in self._lines(plane, acceptors))

    def _lines(self, plane: DataPlane, acceptors: Sequence[Acceptor]) -> Iterator[str]:
        counted = Counter(
            {
                (name, group): count
                for (name, group), count in self._counts.items()
                if not group or group in plane.groups
            }
        )
        counted["RuleEvaluations", ""] = sum(
            acceptor.listener.rule_evaluations for acceptor in acceptors
        )
        counted["ClientTLSNegotiationErrorCount", ""] = sum(
            acceptor.failed_handshakes for acceptor in acceptors
        )
        accepted = sum(acceptor.accepted for acceptor in acceptors)
        counted["NewConnectionCount", ""] = accepted + plane.connected
        names = sorted({name for name, _ in counted})
        for name in names:
            samples = ((group, count) for (of, group), count in counted.items() if of == name)
            yield from self._family(name, "counter", samples)
        yield from self._family("ActiveConnectionCount", "gauge", [("", plane.connections)])
        for name, value in _GROUP_GAUGES.items():
            values = [(group.name, value(group)) for group in plane.groups.values()]
            yield from self._family(name, "gauge", values)
        per_target = [
            (group.name, _per_target(group, counted["RequestCount", group.name]))
            for group in plane.groups.values()
        ]
        yield from self._family("RequestCountPerTarget", "gauge", per_target)
        yield from self._histograms(plane.groups.keys())

    def _family(self, name: str, kind: str, samples: Iterable[tuple[str, float]]) -> Iterator[str]:
        yield f"# TYPE {name} {kind}"
        for group, value in sorted(samples):
            yield f"{name}{_written(self._labels(group))} {value:.12g}"

    def _histograms(self, groups: Collection[str]) -> Iterator[str]:
        yield "# TYPE TargetResponseTime histogram"
        for group, times in sorted(self._times.items()):
            if group not in groups:
                continue
            labels = self._labels(group)
            total = 0
            for bound, count in zip((*_BUCKETS, None), times.counts, strict=True):
                total += count
                le = "+Inf" if bound is None else f"{bound:g}"
                yield f"TargetResponseTime_bucket{_written((*labels, ('le', le)))} {total}"
            yield f"TargetResponseTime_sum{_written(labels)} {times.sum:.6f}"
            yield f"TargetResponseTime_count{_written(labels)} {total}"

    def _labels(self, group: str) -> Labels:
        return (*self._load_balancer, ("TargetGroup", group)) if group else self._load_balancer


class _Times:
    """A histogram of response times in seconds: a count for each bucket, and one for longer
    times."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.sum += seconds
        for position, bound in enumerate(_BUCKETS):
            if seconds <= bound:
                self.counts[position] += 1
                return
        self.counts[-1] += 1


_SWITCHING_PROTOCOLS: Final = 101
_FIRST_COUNTED: Final = 300
"""The lowest status of the load balancer's own answers that has a metric: 2xx have none."""
_SINGLE: Final = frozenset({500, 502, 503, 504})
"""The statuses with a metric of their own."""
_FAILED_FUNCTION: Final = frozenset({413, 502, 504})
"""Statuses of requests that a function did not answer; others mean that the client left."""


def _in_state(group: TargetGroup, state: TargetState) -> int:
    return sum(target.state is state for target in group.registered)


def _healthy(group: TargetGroup) -> float:
    return _in_state(group, TargetState.HEALTHY)


def _unhealthy(group: TargetGroup) -> float:
    return _in_state(group, TargetState.UNHEALTHY)


def _routes_healthily(group: TargetGroup) -> float:
    return float(not group.fails_open)


def _routes_unhealthily(group: TargetGroup) -> float:
    return float(group.fails_open)


_GROUP_GAUGES: Final = {
    "HealthyHostCount": _healthy,
    "UnHealthyHostCount": _unhealthy,
    "HealthyStateRouting": _routes_healthily,
    "UnhealthyStateRouting": _routes_unhealthily,
}


def _per_target(group: TargetGroup, requests: int) -> float:
    """Requests per healthy target, or per registered target if none is healthy."""
    return requests / (_healthy(group) or len(group.registered) or 1)


def _written(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"
