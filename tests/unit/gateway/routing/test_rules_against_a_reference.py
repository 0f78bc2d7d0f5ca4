"""For any rules and any request, the rule is that of a simple reference implementation."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.conditions import (
    Condition,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryParameter,
    QueryString,
    globs,
)
from gateway.routing.rules import FixedResponse, Rule, Rules
from tests.unit.gateway.fake_request import FakeRequest

NOTHING = FixedResponse(404, "text/plain", b"")


def glob(pattern: str, text: str) -> bool:
    """A simple, slow implementation of globs."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and glob(pattern[1:], text[1:])


@dataclass(frozen=True)
class PlainRule:
    """A rule as lists of values; an empty list is no condition."""

    priority: int
    paths: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def applies(self, path: str, host: str, method: str, headers: list[str], value: str) -> bool:
        lower = [header.lower() for header in headers]
        return (
            (not self.paths or any(glob(p, path) for p in self.paths))
            and (not self.hosts or any(glob(p.lower(), host.lower()) for p in self.hosts))
            and (not self.methods or method in self.methods)
            and (not self.headers or any(glob(p.lower(), h) for p in self.headers for h in lower))
            and (not self.values or any(glob(p.lower(), value.lower()) for p in self.values))
        )

    def conditions(self) -> tuple[Condition, ...]:
        made: list[Condition] = []
        if self.paths:
            made.append(PathPattern(globs(self.paths)))
        if self.hosts:
            made.append(HostHeader(globs(self.hosts, ignore_case=True)))
        if self.methods:
            made.append(HttpRequestMethod(tuple(self.methods)))
        if self.headers:
            made.append(HttpHeader("X-Test", globs(self.headers, ignore_case=True)))
        if self.values:
            pairs = [globs([v], ignore_case=True, escapes=True) for v in self.values]
            made.append(QueryString(tuple(QueryParameter(None, pair) for pair in pairs)))
        return tuple(made)


TEXTS = st.text("abAB", max_size=3)
PATTERNS = st.lists(st.text("abAB*?", max_size=4), max_size=2)
RULES = st.lists(
    st.builds(
        PlainRule,
        priority=st.integers(1, 50000),
        paths=PATTERNS.map(lambda patterns: ["/" + pattern for pattern in patterns]),
        hosts=PATTERNS,
        methods=st.lists(st.sampled_from(["GET", "PUT"]), max_size=1),
        headers=PATTERNS,
        values=PATTERNS,
    ),
    max_size=5,
    unique_by=lambda rule: rule.priority,
)


@given(
    RULES, TEXTS, TEXTS, st.sampled_from(["GET", "PUT", "get"]), st.lists(TEXTS, max_size=2), TEXTS
)
def test_rules_agree_with_a_reference_implementation(
    rules: list[PlainRule], path: str, host: str, method: str, headers: list[str], value: str
) -> None:
    request = FakeRequest(
        f"/{path}?k={value}".encode(),
        method.encode(),
        host.encode(),
        tuple((b"X-Test", header.encode()) for header in headers),
    )
    expected = min(
        (r.priority for r in rules if r.applies(f"/{path}", host, method, headers, value)),
        default=0,
    )
    made = Rules([Rule(r.priority, r.conditions(), NOTHING) for r in rules], NOTHING)
    assert made.match(request).priority == expected


@given(
    st.lists(st.lists(st.text("ab*?", max_size=4), min_size=1, max_size=3), max_size=6),
    st.text("ab/.%?#", max_size=6),
)
def test_rules_about_paths_alone_are_found_as_the_definition_says(
    rules: list[list[str]], rest: str
) -> None:
    made = Rules(
        [
            Rule(priority, (PathPattern(globs([f"/{pattern}" for pattern in patterns])),), NOTHING)
            for priority, patterns in enumerate(rules, 1)
        ],
        NOTHING,
    )
    request = FakeRequest(f"/{rest}".encode())
    path = request.path.decode()
    expected = next(
        (
            priority
            for priority, patterns in enumerate(rules, 1)
            if any(glob(f"/{pattern}", path) for pattern in patterns)
        ),
        0,
    )
    assert made.match(request).priority == expected
    assert made.evaluations == (expected or len(rules))
