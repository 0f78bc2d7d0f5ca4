"""Desync mitigation: how dangerous a request's head is, and what each mode does about it.

If two programs disagree about where a request ends, one client's bytes can become another client's
request. Classes, reasons and modes: "Desync mitigation mode" and "Classification
reasons" of the AWS guide for Application Load Balancers, and the library that classifies
according to that guide (github.com/aws/http-desync-guardian).
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Tier(IntEnum):
    """How far a request deviates from the standard; the log contains these names."""

    Compliant = 0
    Acceptable = 1
    """Deviates from the standard, without a known danger."""
    Ambiguous = 2
    """Other programs may interpret it differently."""
    Severe = 3
    """It has no valid interpretation, or was crafted to have two."""


class DesyncMode(StrEnum):
    """The attribute ``routing.http.desync_mitigation_mode``."""

    MONITOR = "monitor"
    DEFENSIVE = "defensive"
    STRICTEST = "strictest"


class Verdict(IntEnum):
    """What happens to a request."""

    ALLOW = 0
    ALLOW_AND_CLOSE = 1
    """It is answered as usual; then the connections with client and target are closed."""
    REFUSE = 2
    """400, and the client's connection is closed."""


class DesyncReason(StrEnum):
    """Why a request has its tier."""

    BAD_HEADER = "BadHeader"
    BAD_URI = "BadUri"
    BAD_METHOD = "BadMethod"
    BAD_VERSION = "BadVersion"
    BAD_CONTENT_LENGTH = "BadContentLength"
    MULTIPLE_CONTENT_LENGTH = "MultipleContentLength"
    BAD_TRANSFER_ENCODING = "BadTransferEncoding"
    MULTIPLE_CHUNKED = "MultipleTransferEncodingChunked"
    DUPLICATE_CONTENT_LENGTH = "DuplicateContentLength"
    BOTH_FRAMINGS = "BothTeClPresent"
    SUSPICIOUS_HEADER = "SuspiciousHeader"
    EMPTY_HEADER = "EmptyHeader"
    AMBIGUOUS_URI = "AmbiguousUri"
    UNDEFINED_CONTENT_LENGTH = "UndefinedContentLengthSemantics"
    UNDEFINED_TRANSFER_ENCODING = "UndefinedTransferEncodingSemantics"
    MULTILINE_HEADER = "MultilineHeader"
    MISSING_HEADER_COLON = "MissingHeaderColon"
    MISSING_URI = "MissingUri"
    ZERO_CONTENT_LENGTH = "GetHeadZeroContentLength"
    NON_COMPLIANT_HEADER = "NonCompliantHeader"
    NON_COMPLIANT_VERSION = "NonCompliantVersion"
    SPACE_IN_URI = "SpaceInUri"
    BARE_LINE_FEED = "NonCrLfLineTermination"


@dataclass(frozen=True, slots=True)
class Finding:
    """A request's tier, and the first reason for that tier."""

    tier: Tier
    reason: DesyncReason


_VERDICTS = {
    DesyncMode.MONITOR: (Verdict.ALLOW, Verdict.ALLOW, Verdict.ALLOW, Verdict.ALLOW),
    DesyncMode.DEFENSIVE: (
        Verdict.ALLOW,
        Verdict.ALLOW,
        Verdict.ALLOW_AND_CLOSE,
        Verdict.REFUSE,
    ),
    DesyncMode.STRICTEST: (Verdict.ALLOW, Verdict.REFUSE, Verdict.REFUSE, Verdict.REFUSE),
}


def verdict(mode: DesyncMode, tier: Tier) -> Verdict:
    """What ``mode`` does with a request of ``tier``."""
    return _VERDICTS[mode][tier]
