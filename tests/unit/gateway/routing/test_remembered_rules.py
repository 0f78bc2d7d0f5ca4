"""A remembered rule applies only to requests that it matches."""

from ipaddress import ip_network
from itertools import product

import pytest

from gateway.routing.conditions import (
    Condition,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryParameter,
    QueryString,
    SourceIp,
    globs,
)
from gateway.routing.rules import FixedResponse, Rule, Rules
from tests.unit.gateway.fake_request import FakeRequest

HERE = FixedResponse(200, "text/plain", b"here")
ELSEWHERE = FixedResponse(404, "text/plain", b"elsewhere")
PATH = PathPattern(globs(["/a*"]))

CASES: dict[str, tuple[Condition, FakeRequest, FakeRequest]] = {
    "method": (
        HttpRequestMethod(("POST",)),
        FakeRequest(b"/a", method=b"POST"),
        FakeRequest(b"/a", method=b"GET"),
    ),
    "host": (
        HostHeader(globs(["a.example"])),
        FakeRequest(b"/a", routing_host=b"a.example"),
        FakeRequest(b"/a", routing_host=b"b.example"),
    ),
    "header": (
        HttpHeader("X-Version", globs(["2"])),
        FakeRequest(b"/a", headers=((b"x-version", b"2"),)),
        FakeRequest(b"/a", headers=((b"x-version", b"1"),)),
    ),
    "query": (
        QueryString((QueryParameter(globs(["b"]), globs(["c"])),)),
        FakeRequest(b"/a?b=c"),
        FakeRequest(b"/a?b=d"),
    ),
    "source": (
        SourceIp((ip_network("192.0.2.0/24"),)),
        FakeRequest(b"/a", source="192.0.2.9"),
        FakeRequest(b"/a", source="198.51.100.9"),
    ),
}


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("with_path", [True, False])
def test_rule_is_not_remembered_if_it_depends_on_more_than_the_path(
    kind: str, with_path: bool
) -> None:
    condition, matching, other = CASES[kind]
    conditions = (PATH, condition) if with_path else (condition,)
    for first, second in product((matching, other), repeat=2):
        rules = Rules([Rule(1, conditions, HERE)], ELSEWHERE)
        for request in (first, second, first):
            expected = HERE if request is matching else ELSEWHERE
            assert rules.match(request).action is expected


def test_remembered_rule_is_the_same_as_the_first_one() -> None:
    rules = Rules([Rule(1, (PATH,), HERE)], ELSEWHERE)
    expected = {b"/a": HERE, b"/b": ELSEWHERE, b"/%61": HERE, b"/b?/a": ELSEWHERE}
    for target, action in expected.items():
        assert [rules.match(FakeRequest(target)).action for _ in range(3)] == [action] * 3
    assert rules.evaluations == 12
