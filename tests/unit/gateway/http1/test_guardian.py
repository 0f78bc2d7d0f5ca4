"""Every case of http-desync-guardian: the same tier and reason, or a difference with its reason."""

from collections import Counter

import pytest

from gateway.http1.desync import DesyncMode, DesyncReason, Tier
from gateway.http1.request_reader import RequestReader
from tests.unit.gateway.http1.guardian import CASES, Case

LINE_END = "the library gets a field with a line end in it, which on the wire is two lines"
CONTINUATION = (
    "the library gets a name that begins with a blank, which on the wire continues a line"
)
LAST_WORD = "the library gets two words as version; on the wire the version is the last word"
NO_URI = "the library accepts an empty URI; the AWS guide has the reason MissingUri"

DIFFERENCES: dict[str, tuple[Tier, DesyncReason, str]] = {
    "ambiguous 18": (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, CONTINUATION),
    "ambiguous 19": (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, CONTINUATION),
    "ambiguous 26": (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, CONTINUATION),
    "rfc-compliant 14": (Tier.Ambiguous, DesyncReason.MISSING_URI, NO_URI),
    "severe 11": (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, LINE_END),
    "severe 12": (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, LINE_END),
    "severe 14": (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, LINE_END),
    "severe 16": (Tier.Ambiguous, DesyncReason.MISSING_HEADER_COLON, LINE_END),
    "severe 19": (Tier.Severe, DesyncReason.MULTIPLE_CONTENT_LENGTH, LINE_END),
    "uri 5": (Tier.Acceptable, DesyncReason.SPACE_IN_URI, LAST_WORD),
    "uri 7": (Tier.Ambiguous, DesyncReason.MISSING_HEADER_COLON, LINE_END),
    "uri 8": (Tier.Ambiguous, DesyncReason.AMBIGUOUS_URI, LINE_END),
}


def test_every_suite_is_there() -> None:
    suites = Counter(case.name.rpartition(" ")[0] for case in CASES)
    assert suites == {
        "single-case": 1,
        "acceptable": 9,
        "ambiguous": 40,
        "bad-header-characters": 15,
        "edge-cases": 8,
        "more-compliant": 10,
        "real-life": 24,
        "rfc-compliant": 14,
        "severe": 27,
        "uri": 14,
    }
    assert DIFFERENCES.keys() <= {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_request_has_the_tier_and_reason_of_the_guardian_or_a_documented_difference(
    case: Case,
) -> None:
    reader = RequestReader(DesyncMode.MONITOR)
    reader.feed(case.head)
    finding = reader.requests[0].finding
    found = (finding.tier, finding.reason) if finding else (Tier.Compliant, None)
    expected = (case.tier, case.reason)
    if case.name in DIFFERENCES:
        assert found == DIFFERENCES[case.name][:2] != expected
    else:
        assert found == expected
