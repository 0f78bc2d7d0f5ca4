"""The header fields that connect the spans of several processes.

`traceparent`: W3C Trace Context. `X-Amzn-Trace-Id`: what an Application Load Balancer adds, with
the trace id of AWS X-Ray as its Root.
"""

import re
from dataclasses import dataclass
from typing import Final

TRACEPARENT: Final = "traceparent"

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ROOT: Final = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_PARENT: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Remote:
    """What a caller sent about its trace. `parent` is the caller's span, or 0; `sampled` whether
    the caller records the trace, or None if it did not say so."""

    trace: int
    parent: int
    sampled: bool | None


def read(traceparent: str | None, x_amzn_trace_id: str | None) -> Remote | None:
    """What these header fields say; the first is preferred, because it names the caller's span.
    None if neither can be used: a bad value is ignored, as both specifications require."""
    return _read_w3c(traceparent or "") or _read_amazon(x_amzn_trace_id or "")


def write(trace: int, span: int, *, sampled: bool) -> str:
    """The value of `traceparent` for a call."""
    return f"00-{trace:032x}-{span:016x}-{sampled:02x}"


def _read_w3c(value: str) -> Remote | None:
    found = _TRACEPARENT.fullmatch(value)
    if found is None:
        return None
    version, trace, parent, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(parent, 16):
        return None
    return Remote(int(trace, 16), int(parent, 16), bool(int(flags, 16) & 1))


def _read_amazon(value: str) -> Remote | None:
    fields = dict(field.strip().partition("=")[::2] for field in value.split(";"))
    root = _ROOT.fullmatch(fields.get("Root", ""))
    if root is None or not int(root[2], 16):
        return None
    parent = fields.get("Parent", "")
    sampled = {"0": False, "1": True}.get(fields.get("Sampled", ""))
    return Remote(
        int(root[1] + root[2], 16), int(parent, 16) if _PARENT.fullmatch(parent) else 0, sampled
    )
