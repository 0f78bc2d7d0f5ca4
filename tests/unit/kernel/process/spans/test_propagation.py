"""Header fields about traces that callers send."""

import pytest

from kernel.process.spans.propagation import Remote, read, write

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
ROOT = f"1-{TRACE[:8]}-{TRACE[8:]}"


def test_reads_what_it_writes() -> None:
    for sampled in (True, False):
        written = write(int(TRACE, 16), int(SPAN, 16), sampled=sampled)
        assert written == f"00-{TRACE}-{SPAN}-0{int(sampled)}"
        assert read(written, None) == Remote(int(TRACE, 16), int(SPAN, 16), sampled)


def test_later_version_of_traceparent_may_have_more_fields() -> None:
    assert read(f"01-{TRACE}-{SPAN}-01-more", None) == Remote(int(TRACE, 16), int(SPAN, 16), True)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_bad_traceparent_is_ignored(bad: str) -> None:
    assert read(bad, None) is None
    assert read(bad, f"Root={ROOT}") == Remote(int(TRACE, 16), 0, None)


@pytest.mark.parametrize(
    ("value", "parent", "sampled"),
    [
        (f"Root={ROOT}", 0, None),
        (f"Self=1-00000001-000000000000000000000001;Root={ROOT}", 0, None),
        (f"Root={ROOT};Parent={SPAN};Sampled=1", int(SPAN, 16), True),
        (f"Root={ROOT};Parent={SPAN};Sampled=0", int(SPAN, 16), False),
        (f"Root={ROOT}; Parent={SPAN}; Sampled=?", int(SPAN, 16), None),
        (f"Root={ROOT};Parent=xyz", 0, None),
    ],
)
def test_root_of_a_load_balancer_is_the_trace(
    value: str, parent: int, sampled: bool | None
) -> None:
    assert read(None, value) == Remote(int(TRACE, 16), parent, sampled)


@pytest.mark.parametrize("bad", ["Root=7", "Root=", "Self=1", "Root=1-x-y", ";=;", "Root=2-1-1"])
def test_bad_root_is_ignored(bad: str) -> None:
    assert read(None, bad) is None


def test_traceparent_is_preferred_because_it_names_a_span() -> None:
    assert read(f"00-{TRACE}-{SPAN}-01", f"Root={ROOT[:-1]}0") == Remote(
        int(TRACE, 16), int(SPAN, 16), True
    )
