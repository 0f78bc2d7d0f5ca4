"""Rules: which one applies, and where it sends a request."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http1.paths import compile_globs, normalise
from gateway.routing.conditions import PathPattern, globs
from gateway.routing.rules import FixedResponse, Forward, Rule, Rules, WeightedGroup
from gateway.template.reader import load_routing
from tests.unit.gateway.fake_request import FakeRequest

HERE = FixedResponse(200, "text/plain", b"here")
ELSEWHERE = FixedResponse(404, "text/plain", b"elsewhere")


def reference(pattern: str, text: str) -> bool:
    """A simple, slow implementation of globs."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(reference(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and reference(pattern[1:], text[1:])


@given(st.text("ab/?*.[", max_size=7), st.text("ab/.[\n", max_size=9))
def test_glob_agrees_with_its_definition(pattern: str, text: str) -> None:
    assert bool(compile_globs([pattern])(text.encode())) is reference(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/img/*", b"/img/a/b.png", True),
        ("/img/*", b"/img/", True),
        ("/img/*", b"/img", False),
        ("/img", b"/IMG", False),
        ("/a?c", b"/abc", True),
        ("/a?c", b"/a/c", True),
        ("/a?c", b"/ac", False),
        ("/[ab]", b"/a", False),
        ("/a.c", b"/abc", False),
        ("/a+", b"/aa", False),
        ("*", b"", True),
    ],
)
def test_only_star_and_question_mark_are_special(pattern: str, path: bytes, matches: bool) -> None:
    assert bool(compile_globs([pattern])(path)) is matches


def test_glob_takes_bounded_time() -> None:
    matches = compile_globs(["/*a*a*a*a*b"])
    # A backtracking one would try 10^16 places, and not finish before the timeout.
    assert not matches(b"/" + b"a" * 16_000)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/a/b?c=/d", b"/a/b"),
        (b"/a#b?c", b"/a"),
        (b"/%61pi/%7Ex", b"/api/~x"),
        (b"/a%2fb", b"/a%2Fb"),
        (b"/a%zz%4", b"/a%zz%4"),
        (b"/a/./b/../c", b"/a/c"),
        (b"/a/%2e%2E/b", b"/b"),
        (b"/../../a", b"/a"),
        (b"/a/..", b"/"),
        (b"/a/.", b"/a/"),
        (b"/a/b/..", b"/a/"),
        (b"/a//b", b"/a//b"),
        (b"/.well-known/x", b"/.well-known/x"),
        (b"?a", b"/"),
        (b"*", b"*"),
    ],
)
def test_rules_see_a_normalised_path_without_the_query(target: bytes, path: bytes) -> None:
    assert normalise(target) == path


@given(st.binary(max_size=20).map(lambda tail: b"/" + tail))
def test_normalising_is_idempotent_without_escapes(target: bytes) -> None:
    once = normalise(target)
    assert once.startswith(b"/")
    if b"%" not in once and b"?" not in once and b"#" not in once:
        assert normalise(once) == once


def test_the_first_rule_by_priority_whose_conditions_all_hold_wins() -> None:
    def rule(priority: int, *patterns: str) -> Rule:
        return Rule(priority, tuple(PathPattern(globs([pattern])) for pattern in patterns), HERE)

    rules = Rules([rule(30, "/a*"), rule(10, "/ab"), rule(20, "/a?", "*c")], ELSEWHERE)
    assert rules.match(FakeRequest(b"/ab")).priority == 10
    assert rules.match(FakeRequest(b"/ac")).priority == 20
    assert rules.match(FakeRequest(b"/ad")).priority == 30
    assert rules.match(FakeRequest(b"/b")).priority == 0
    assert rules.match(FakeRequest(b"/b")).action is ELSEWHERE


def test_condition_holds_if_any_value_matches() -> None:
    rules = Rules([Rule(1, (PathPattern(globs(["/a", "/a/*"])),), HERE)], ELSEWHERE)
    assert rules.match(FakeRequest(b"/a/b")).action is HERE
    assert rules.match(FakeRequest(b"/a")).action is HERE
    assert rules.match(FakeRequest(b"/ab")).action is ELSEWHERE


def test_target_groups_share_is_its_weight_divided_by_the_sum() -> None:
    action = Forward((WeightedGroup("a", 3), WeightedGroup("b", 1), WeightedGroup("c", 4)))
    random = Random(7)
    drawn = Counter(action.choose(random) for _ in range(8000))
    assert all(
        abs(drawn[group.target_group] - 1000 * group.weight) < 150 for group in action.groups
    )


@given(st.integers(0, 2**32))
def test_a_weight_of_zero_never_gets_a_request(seed: int) -> None:
    random = Random(seed)
    groups = (WeightedGroup("never", 0), WeightedGroup("a", 1), WeightedGroup("b", 998))
    assert {Forward(groups).choose(random) for _ in range(20)} <= {"a", "b"}
    assert Forward((WeightedGroup("never", 0), WeightedGroup("a", 5))).choose(random) == "a"


def test_weights_that_are_all_zero_choose_no_group() -> None:
    assert Forward((WeightedGroup("a", 0), WeightedGroup("b", 0))).choose(Random(1)) is None


@pytest.mark.parametrize(
    ("path", "group"),
    [
        (b"/api/users", "UsersTargets"),
        (b"/api/users/1/ban", "UsersTargets"),
        (b"/api/sessions/current", "UsersTargets"),
        (b"/api/threads", "ThreadsTargets"),
        (b"/api/posts/in-thread/1/stream", "PostsTargets"),
        (b"/api/usersfoo", "WebTargets"),
        (b"/api/Users", "WebTargets"),
        (b"/internal/users", "WebTargets"),
        (b"/readyz", "WebTargets"),
        (b"/threads/1", "WebTargets"),
        (b"/", "WebTargets"),
        (b"/api", None),
        (b"/api/", None),
    ],
)
def test_the_deployed_template_sends_each_path_to_its_context(
    path: bytes, group: str | None
) -> None:
    parameters = {
        "VpcId": "v",
        "PublicSubnets": "s",
        "PrivateSubnets": "s",
        "AlbSecurityGroup": "g",
        "InternalAlbSecurityGroup": "g",
    }
    routing = load_routing(Path(__file__).parents[4] / "infra" / "routing.yml", parameters)
    action = routing.listeners[0].rules.match(FakeRequest(path)).action
    if group is None:
        assert isinstance(action, FixedResponse)
        assert action.status == 200
    else:
        assert isinstance(action, Forward)
        assert action.choose(Random(1)) == group
