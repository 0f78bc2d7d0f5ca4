"""The times of an exchange in the access log and the metrics; the test sets every one."""

import shlex

import pytest

from gateway.http1.request_head import HeadReader
from gateway.observe.access_log import AlbFormat
from gateway.observe.metrics import Metrics
from gateway.proxy.heads import ForwardedHeaders
from gateway.proxy.peer import Peer
from gateway.proxy.record import ExchangeRecord
from gateway.targets.target import Address, Target
from tests.unit.gateway.support import routing

CREATED, STARTED = 1_900_000_000.25, 1000.0
TARGET = Target(Address("192.0.2.8", 8000))


def record(dispatched: float = 0, answered: float = 0, finished: float = 0) -> ExchangeRecord:
    """A request that was forwarded and answered this many seconds after its start; 0 is never."""
    settings = routing().load_balancer
    forwarded = ForwardedHeaders(settings, "192.0.2.7", 40_000, 80, None)
    peer = Peer("192.0.2.7", "192.0.2.7:40000", "TID_0", forwarded, None, http2=False)
    request = HeadReader(source="192.0.2.7").read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    made = ExchangeRecord(request, peer, 80, CREATED, STARTED)
    made.target, made.target_group, made.action = TARGET, "Web", "forward"
    made.dispatched = STARTED + dispatched if dispatched else 0
    made.answered = STARTED + answered if answered else 0
    made.finished = STARTED + finished
    made.status = made.target_status = 200 if answered else 0
    made.status = made.status or 502
    return made


def fields(of: ExchangeRecord) -> list[str]:
    """The access log's fields; their numbers are one less than in AWS's table."""
    return shlex.split(AlbFormat("Balancer")(of))


def test_times_in_the_log_are_measured_as_aws_documents() -> None:
    line = fields(record(dispatched=0.125, answered=0.5, finished=1.5))
    request, target, response = line[5:8]
    assert (request, target, response) == ("0.125", "0.375", "1.000")
    assert line[21] == "2030-03-17T17:46:40.250000Z"  # when the request came
    assert line[1] == "2030-03-17T17:46:41.750000Z"  # when the response was complete


@pytest.mark.parametrize(
    ("moments", "times"),
    [
        ((0, 0, 1.5), ["-1", "-1", "-1"]),
        ((0.125, 0, 1.5), ["0.125", "-1", "-1"]),
        ((2.5, 4.0, 9.25), ["2.500", "1.500", "5.250"]),
    ],
)
def test_time_of_a_missing_event_is_minus_one(
    moments: tuple[float, float, float], times: list[str]
) -> None:
    assert fields(record(*moments))[5:8] == times


def test_only_a_target_that_got_the_request_is_named() -> None:
    never, sent = fields(record(finished=1)), fields(record(0.125, 0.5, 1))
    assert (never[4], never[25]) == ("-", "-")
    assert (sent[4], sent[25]) == (TARGET.label, TARGET.label)


def test_response_time_of_a_target_ends_with_the_head_of_its_response() -> None:
    metrics = Metrics(routing().load_balancer)
    metrics.record(record(dispatched=0.125, answered=0.5, finished=60))
    metrics.record(record(dispatched=0.125, finished=60))
    assert metrics._times["Web"].sum == 0.375
