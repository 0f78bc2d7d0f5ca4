"""Which alarms fire in which situation. A situation is a series of measurements, one a minute; the
alarms are evaluated as CloudWatch does it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from tests.cloudformation import SERVICES, Deployment, Resource

Samples = Sequence[float]
"""The measurements of one minute; empty without any."""

LONG = 60  # minutes
ELB, RDS = "AWS/ApplicationELB", "AWS/RDS"
BALANCER = ("LoadBalancer", "routing.LoadBalancer.LoadBalancerFullName")


@dataclass(frozen=True)
class Situation:
    """Measurements by namespace, metric and the value of the narrowest dimension. A metric that is
    not mentioned has no data."""

    measured: Mapping[tuple[str, str, str], Sequence[Samples]] = field(default_factory=dict)

    def __or__(self, other: "Situation") -> "Situation":
        return Situation({**self.measured, **other.measured})


def statistic(alarm: Resource, samples: Samples) -> float:
    """The value of one period."""
    name = alarm.properties.get("Statistic") or alarm.properties["ExtendedStatistic"]
    if name == "Sum":
        return sum(samples)
    if name == "Average":
        return sum(samples) / len(samples)
    if name == "Maximum":
        return max(samples)
    if name == "Minimum":
        return min(samples)
    if name == "SampleCount":
        return float(len(samples))
    assert name.startswith("p"), name
    return sorted(samples)[math.ceil(float(name[1:]) / 100 * len(samples)) - 1]


def is_beyond(alarm: Resource, value: float) -> bool:
    """Whether the value is beyond the threshold."""
    threshold = float(alarm["Threshold"])
    return {
        "GreaterThanThreshold": value > threshold,
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }[alarm["ComparisonOperator"]]


def fires(alarm: Resource, situation: Situation) -> bool:
    """Whether the alarm fires at some time: `DatapointsToAlarm` of the last `EvaluationPeriods`
    are beyond the threshold."""
    narrowest = alarm["Dimensions"][-1]["Value"]
    series = situation.measured.get((alarm["Namespace"], alarm["MetricName"], narrowest), ())
    minutes = alarm["Period"] // 60
    periods = [
        [sample for samples in series[start : start + minutes] for sample in samples]
        for start in range(0, len(series), minutes)
    ]
    beyond = [
        is_beyond(alarm, statistic(alarm, samples))
        if samples
        else alarm["TreatMissingData"] == "breaching"
        for samples in periods
    ]
    last, enough = alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
    return any(sum(beyond[end - last : end]) >= enough for end in range(last, len(beyond) + 1))


def errors(metric: str, per_minute: int, minutes: int = LONG) -> Situation:
    """Responses with such a status, as the load balancer publishes them: a count of 1 for each."""
    return Situation({(ELB, metric, BALANCER[1]): [[1.0] * per_minute] * minutes})


def times(*seconds: float, minutes: int = LONG) -> Situation:
    """How long responses took, each minute."""
    return Situation({(ELB, "TargetResponseTime", BALANCER[1]): [list(seconds)] * minutes})


def unhealthy(server: str, minutes: int) -> Situation:
    """A task that fails its health checks. The load balancer publishes the count several times a
    minute, from nodes whose results may differ."""
    failing, fine = [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]
    series = [failing] * minutes + [fine] * (LONG - minutes)
    group = f"routing.{server.capitalize()}Targets.TargetGroupFullName"
    return Situation({(ELB, "UnHealthyHostCount", group): series})


def database(
    metric: str, value: float, minutes: int = LONG, name: str = "data.Database"
) -> Situation:
    """One measurement a minute of the database."""
    return Situation({(RDS, metric, name): [[value]] * minutes})


def counted(namespace: str, metric: str, name: str, count: float) -> Situation:
    """One measurement a minute of something else."""
    return Situation({(namespace, metric, name): [[count]] * LONG})


MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:board-cases"
DEAD = "workflow.DeadLetters.QueueName"

HEALTHY = (
    errors("HTTPCode_ELB_5XX_Count", 0)
    | errors("HTTPCode_Target_5XX_Count", 0)
    | errors("HTTPCode_Target_4XX_Count", 500)
    | errors("HTTPCode_ELB_4XX_Count", 500)
    | errors("RequestCount", 5000)
    | times(*[0.05] * 999, 30.0)
    | database("ACUUtilization", 70)
    | database("CPUUtilization", 100)
)
"""A board in use: visitors make mistakes, and one response in a thousand is slow."""

AURORA: Mapping[str, tuple[Situation, set[str]]] = {
    "nothing is measured": (Situation(), set()),
    "all is well": (HEALTHY, set()),
    "no task answers": (HEALTHY | errors("HTTPCode_ELB_5XX_Count", 6), {"NoTargetAlarm"}),
    "no task answers during a deploy": (HEALTHY | errors("HTTPCode_ELB_5XX_Count", 60, 2), set()),
    "a few responses fail": (HEALTHY | errors("HTTPCode_ELB_5XX_Count", 5), set()),
    "tasks fail": (HEALTHY | errors("HTTPCode_Target_5XX_Count", 6), {"ErrorsAlarm"}),
    "tasks fail for two minutes": (HEALTHY | errors("HTTPCode_Target_5XX_Count", 60, 2), set()),
    "one response in fifty is slow": (HEALTHY | times(*[0.05] * 49, 2.5), {"SlowAlarm"}),
    "one response in a thousand is slow": (HEALTHY | times(*[0.05] * 999, 30), set()),
    "all responses take a second": (HEALTHY | times(*[1.0] * 50), set()),
    "responses are slow for two minutes": (HEALTHY | times(*[3.0] * 50, minutes=2), set()),
    "the database is at its limit": (HEALTHY | database("ACUUtilization", 95), {"DatabaseAlarm"}),
    "the database is at its limit for a while": (
        HEALTHY | database("ACUUtilization", 100, 10),
        set(),
    ),
    "the database has work": (HEALTHY | database("ACUUtilization", 85), set()),
    "the workflow of a case fails": (
        HEALTHY | counted("AWS/States", "ExecutionsFailed", MACHINE, 1),
        {"CasesFailedAlarm"},
    ),
    "workflows of cases succeed": (
        HEALTHY | counted("AWS/States", "ExecutionsSucceeded", MACHINE, 50),
        set(),
    ),
    "a message about a case cannot be read": (
        HEALTHY | counted("AWS/SQS", "ApproximateNumberOfMessagesVisible", DEAD, 1),
        {"CasesDeadLettersAlarm"},
    ),
    "messages about cases wait": (
        HEALTHY | counted("AWS/SQS", "ApproximateNumberOfMessagesVisible", "workflow.Queue", 9),
        set(),
    ),
    **{
        f"a task of {server} is unhealthy": (
            HEALTHY | unhealthy(server, 10),
            {f"{server.capitalize()}UnhealthyAlarm"},
        )
        for server in SERVICES
    },
    **{
        f"a task of {server} starts": (HEALTHY | unhealthy(server, 5), set()) for server in SERVICES
    },
}
SINGLE = "data.SingleDatabase"
INSTANCE: Mapping[str, tuple[Situation, set[str]]] = {
    "the processor is busy": (database("CPUUtilization", 95, name=SINGLE), {"DatabaseAlarm"}),
    "the processor has work": (database("CPUUtilization", 85, name=SINGLE), set()),
    "the disk is nearly full": (
        database("FreeStorageSpace", 1.9e9, name=SINGLE),
        {"DatabaseDiskAlarm"},
    ),
    "the disk has room": (database("FreeStorageSpace", 2.1e9, name=SINGLE), set()),
}


def fired(deployment: Deployment, situation: Situation) -> set[str]:
    """The alarms of a situation, by their logical ids."""
    return {
        alarm.name.partition(".")[2]
        for alarm in deployment.of_kind("CloudWatch::Alarm")
        if fires(alarm, situation)
    }


@pytest.mark.parametrize("name", AURORA)
def test_exactly_these_alarms_fire(name: str) -> None:
    situation, expected = AURORA[name]
    assert fired(Deployment(), situation) == expected


@pytest.mark.parametrize("name", INSTANCE)
def test_exactly_these_alarms_fire_for_a_single_instance(name: str) -> None:
    situation, expected = INSTANCE[name]
    assert fired(Deployment(DatabaseKind="instance"), situation) == expected


@pytest.mark.parametrize("kind", ["aurora", "instance"])
def test_every_alarm_fires_in_one_of_these_situations_and_is_heard(kind: str) -> None:
    deployment = Deployment(DatabaseKind=kind, AlarmEmail="somebody@board.example")
    situations = [*AURORA.values(), *INSTANCE.values()]
    tested = {name for _, expected in situations for name in expected}
    for alarm in deployment.of_kind("CloudWatch::Alarm"):
        assert alarm.name.partition(".")[2] in tested
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["observability.Alarms"]
        assert alarm.properties.get("ActionsEnabled", True) is True
