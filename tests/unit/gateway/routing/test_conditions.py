"""The conditions of a rule."""

from collections.abc import Sequence

import pytest

from gateway.routing.conditions import Condition
from gateway.routing.regular_expressions import InvalidPatternError, compile_pattern
from gateway.template.reader import RefusedTemplateError, read_routing
from tests.unit.gateway.fake_request import FakeRequest
from tests.unit.gateway.support import TEMPLATE

WRITTEN = "{Field: path-pattern, Values: [/fixed]}"


def conditions(*written: str) -> tuple[Condition, ...]:
    """The conditions of a rule in a template."""
    assert WRITTEN in TEMPLATE
    text = TEMPLATE.replace(WRITTEN, "\n        - ".join(written))
    [rule, _] = read_routing(text, {}, "t.yml").rules
    return rule.conditions


def refusals(*written: str) -> list[str]:
    with pytest.raises(RefusedTemplateError) as caught:
        conditions(*written)
    return caught.value.lines


def holds(written: str, request: FakeRequest) -> bool:
    [condition] = conditions(written)
    return condition.holds(request)


def host(values: Sequence[str], key: str = "Values") -> str:
    return f"{{Field: host-header, HostHeaderConfig: {{{key}: {list(values)}}}}}"


@pytest.mark.parametrize(
    ("pattern", "requested", "expected"),
    [
        ("*.example.com", b"test.example.com", True),
        ("*.example.com", b"TEST.Example.com", True),
        ("*.EXAMPLE.com", b"a.b.example.com", True),
        ("*.example.com", b"example.com", False),
        ("www?.example.com", b"www1.example.com", True),
        ("www?.example.com", b"www.example.com", False),
        ("example.com", b"example.com.evil", False),
        ("example.com", b"examplexcom", False),
    ],
)
def test_host_is_matched_as_a_whole_in_any_case(
    pattern: str, requested: bytes, expected: bool
) -> None:
    assert holds(host([pattern]), FakeRequest(routing_host=requested)) is expected


@pytest.mark.parametrize(
    ("expression", "port", "expected"),
    [
        ("^example[.]com:8443$", b":8443", True),
        ("^example[.]com:8443$", b"", False),
        ("^example[.]com$", b"", True),
        ("^example[.]com$", b":8443", False),
        ("^example[.]com(:[0-9]+)?$", b":8443", True),
    ],
)
def test_a_regular_expression_sees_the_port_that_the_client_wrote(
    expression: str, port: bytes, expected: bool
) -> None:
    requested = FakeRequest(routing_host=b"example.com", port=port)
    assert holds(host([expression], "RegexValues"), requested) is expected
    assert holds(host(["example.com"]), requested)


def header(name: str, values: Sequence[str], key: str = "Values") -> str:
    return (
        f"{{Field: http-header, HttpHeaderConfig: {{HttpHeaderName: '{name}', "
        f"{key}: {list(values)}}}}}"
    )


def test_each_value_of_a_repeated_header_is_tried() -> None:
    request = FakeRequest(headers=((b"X-Beta", b"no"), (b"x-beta", b"YES please")))
    assert holds(header("X-BETA", ["yes*"]), request)
    assert holds(header("x-beta", ["maybe", "NO"]), request)
    assert not holds(header("x-beta", ["yes"]), request)
    assert not holds(header("X-Beta2", ["*"]), request)


def test_method_is_matched_case_sensitively_and_may_be_custom() -> None:
    written = "{Field: http-request-method, HttpRequestMethodConfig: {Values: [PURGE, GET]}}"
    assert holds(written, FakeRequest(method=b"GET"))
    assert holds(written, FakeRequest(method=b"PURGE"))
    assert not holds(written, FakeRequest(method=b"get"))
    assert not holds(written, FakeRequest(method=b"GETX"))


def query(*pairs: str) -> str:
    return f"{{Field: query-string, QueryStringConfig: {{Values: [{', '.join(pairs)}]}}}}"


@pytest.mark.parametrize(
    ("pair", "target", "expected"),
    [
        ("{Key: version, Value: v1}", b"/?version=v1", True),
        ("{Key: version, Value: v1}", b"/?a=b&VERSION=V1#f", True),
        ("{Key: version, Value: v1}", b"/?version=v2", False),
        ("{Key: version, Value: v1}", b"/#?version=v1", False),
        ("{Key: version, Value: v1}", b"/version=v1", False),
        ("{Value: '*exam*'}", b"/?a=b&any=for%20example", True),
        ("{Value: '*exam*'}", b"/?exam=b", False),
        ("{Key: 'v*', Value: '?'}", b"/?vier=4", True),
        ("{Key: a, Value: '\\*'}", b"/?a=*", True),
        ("{Key: a, Value: '\\*'}", b"/?a=x", False),
        ("{Key: a, Value: 'x\\?'}", b"/?a=x?", True),
        ("{Key: a, Value: b}", b"/?x?a=b", False),
    ],
)
def test_query_pairs_are_matched_in_any_case(pair: str, target: bytes, expected: bool) -> None:
    assert holds(query(pair), FakeRequest(target)) is expected


@pytest.mark.parametrize(
    ("block", "source", "expected"),
    [
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.7/32", "192.0.2.7", True),
        ("192.0.2.0/24", "::ffff:192.0.2.1", True),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("2001:db8::/32", "192.0.2.1", False),
        ("0.0.0.0/0", "2001:db8::1", False),
    ],
)
def test_source_ip_matches_the_tcp_peer(block: str, source: str, expected: bool) -> None:
    written = f"{{Field: source-ip, SourceIpConfig: {{Values: ['{block}']}}}}"
    request = FakeRequest(source=source, headers=((b"X-Forwarded-For", b"192.0.2.7"),))
    assert holds(written, request) is expected


def test_regular_expressions_are_for_paths_hosts_and_headers() -> None:
    paths = "{Field: path-pattern, PathPatternConfig: {RegexValues: ['^/v[0-9]+/', 'x$']}}"
    assert holds(paths, FakeRequest(b"/v12/a"))
    assert holds(paths, FakeRequest(b"/ax"))
    assert not holds(paths, FakeRequest(b"/V12/a"))
    assert holds(
        host(["^(a|b)[.]example[.]com$"], "RegexValues"), FakeRequest(routing_host=b"B.example.com")
    )
    assert holds(header("x", ["^[0-9]+$"], "RegexValues"), FakeRequest(headers=((b"X", b"12"),)))


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?!a)", "(?<=a)", r"(a)\1", "(?>a)", "a++", "(?R)", r"\p{L}", "(", ""]
)
def test_a_regular_expression_that_aws_does_not_support_is_refused(pattern: str) -> None:
    [line] = refusals(f"{{Field: path-pattern, PathPatternConfig: {{RegexValues: ['{pattern}']}}}}")
    assert f"regular expression {pattern!r}" in line


def test_escaped_backslash_before_p_is_not_a_unicode_class() -> None:
    assert compile_pattern(r"\\p")(rb"\p") is not None
    with pytest.raises(InvalidPatternError):
        compile_pattern(r"\\\p{L}")


def test_regular_expression_takes_linear_time() -> None:
    search = compile_pattern("^(a+)+$")
    # A backtracking engine would try 2^16000 ways, and not finish before the timeout.
    assert search(b"a" * 16_000 + b"b") is None


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (host(["nodot"]), "host pattern 'nodot'"),
        (host(["a.b1"]), "host pattern 'a.b1'"),
        (host(["a" * 126 + ".de"]), "host pattern"),
        (header("Host", ["a"]), "HttpHeaderName 'Host'"),
        (header("a b", ["a"]), "HttpHeaderName 'a b'"),
        (header("x" * 41, ["a"]), "at most 40 characters"),
        (header("x*", ["a"]), "HttpHeaderName 'x*'"),
        (header("x", ["a" * 129]), "header value"),
        (header("x", []), "needs either Values or RegexValues"),
        ("{Field: http-header, Values: [a]}", "needs HttpHeaderConfig"),
        (
            "{Field: http-request-method, HttpRequestMethodConfig: {Values: [get]}}",
            "method 'get': A-Z - _",
        ),
        (
            "{Field: http-request-method, HttpRequestMethodConfig: {Values: ['*']}}",
            "method '*': A-Z - _",
        ),
        (query("{Key: a}"), "a query string needs a Value"),
        (query(), "a query-string condition needs Values"),
        (query("{Value: " + "a" * 129 + "}"), "1 to 128 printable ASCII characters"),
        ("{Field: source-ip, SourceIpConfig: {Values: [10.0.0.1]}}", "'10.0.0.1': CIDR"),
        ("{Field: source-ip, SourceIpConfig: {Values: [10.0.0.0/33]}}", "'10.0.0.0/33': CIDR"),
        (
            "{Field: source-ip, SourceIpConfig: {Values: [255.255.255.255/32]}}",
            "'255.255.255.255/32': CIDR",
        ),
        (
            "{Field: path-pattern, Values: [/a], PathPatternConfig: {Values: [/b]}}",
            "Values must be in PathPatternConfig or beside it",
        ),
        (
            "{Field: path-pattern, PathPatternConfig: {Values: [/b], RegexValues: [b]}}",
            "needs either Values or RegexValues",
        ),
        (
            f"{{Field: path-pattern, PathPatternConfig: {{RegexValues: [{'a' * 129}]}}}}",
            "1 to 128 characters",
        ),
    ],
)
def test_condition_that_aws_rejects_is_refused(written: str, line: str) -> None:
    assert any(line in found for found in refusals(written))


@pytest.mark.parametrize(
    ("field", "config"),
    [
        ("host-header", "HostHeaderConfig: {Values: [a.example]}"),
        ("path-pattern", "PathPatternConfig: {Values: [/a]}"),
        ("http-request-method", "HttpRequestMethodConfig: {Values: [GET]}"),
        ("source-ip", "SourceIpConfig: {Values: [10.0.0.0/8]}"),
    ],
)
def test_rule_has_at_most_one_condition_of_these_fields(field: str, config: str) -> None:
    written = f"{{Field: {field}, {config}}}"
    [line] = refusals(written, written)
    assert f"at most one condition of field '{field}'" in line


def test_a_rule_may_have_several_conditions_about_headers_and_queries() -> None:
    found = conditions(
        header("a", ["1"]), header("b", ["2"]), query("{Value: x}"), query("{Value: y}")
    )
    request = FakeRequest(b"/?p=x&q=y", headers=((b"A", b"1"), (b"B", b"2")))
    assert all(condition.holds(request) for condition in found)
    assert not all(condition.holds(FakeRequest(b"/?p=x")) for condition in found)


def test_limits_of_values_and_wildcards_apply_to_the_whole_rule() -> None:
    [line] = refusals(header("a", ["1", "2", "3"]), query("{Value: x}", "{Value: y}", "{Value: z}"))
    assert "at most 5 condition values, not 6" in line
    [line] = refusals(header("a", ["*a*", "b??"]), host(["*.*.example.com", "?.de"]))
    assert "at most 6 wildcards, not 7" in line
    assert len(conditions(header("a", ["*a*", "b?"]), host(["*.*.example.com", "?.de"]))) == 2
    assert conditions(query(r"{Key: '\*\?', Value: '\*\*\*\*'}"))
