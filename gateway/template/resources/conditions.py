"""Reads the conditions of a rule.

What each field allows: "Condition types for listener rules" and "Quotas for your Application Load
Balancers" of the AWS guide, and RuleCondition of the API reference, version 2015-12-01.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.routing.conditions import (
    Condition,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    Network,
    PathPattern,
    QueryParameter,
    QueryString,
    SourceIp,
    Values,
    globs,
    regular_expressions,
)
from gateway.routing.regular_expressions import InvalidPatternError, compile_pattern
from gateway.template.resources.properties import Properties
from gateway.template.syntax.nodes import Text

_MAX_VALUES: Final = 5
_MAX_WILDCARDS: Final = 6
_MAX_LENGTH: Final = 128

_PATH: Final = re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]{1,128}")
_HOST: Final = re.compile(r"(?=.{1,128}$)[A-Za-z0-9_\-.*?]*\.[A-Za-z*?]+")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}")
_TEXT: Final = re.compile(r"[ -~]{1,128}")
_BLOCK: Final = re.compile(r"[0-9A-Fa-f:.]+/[0-9]+")
_METHOD: Final = re.compile(r"[A-Z\-_]{1,40}")

_AT_MOST_ONCE: Final = frozenset(
    {"host-header", "http-request-method", "path-pattern", "source-ip"}
)


@dataclass(slots=True)
class _Count:
    """Counts what a rule's limits apply to."""

    values: int = 0
    wildcards: int = 0


def read_conditions(rule: Properties) -> tuple[Condition, ...]:
    """The conditions in property ``Conditions``; a rule has at least one."""
    sections = rule.sections("Conditions")
    line = rule.line_of("Conditions")
    if not sections:
        rule.problem(line, "a rule needs a condition")
    count = _Count()
    seen: set[str] = set()
    found: list[Condition] = []
    for section in sections:
        field = section.text("Field") or ""
        if field in seen & _AT_MOST_ONCE:
            rule.problem(section.line, f"a rule has at most one condition of field {field!r}")
        seen.add(field)
        condition = _condition(section, field, count)
        if condition is not None:
            found.append(condition)
    if count.values > _MAX_VALUES:
        rule.problem(line, f"a rule has at most {_MAX_VALUES} condition values, not {count.values}")
    if count.wildcards > _MAX_WILDCARDS:
        rule.problem(line, f"a rule has at most {_MAX_WILDCARDS} wildcards, not {count.wildcards}")
    return tuple(found)


def _condition(section: Properties, field: str, count: _Count) -> Condition | None:
    read = _READERS.get(field)
    if read is None:
        section.not_here(section.line_of("Field"), f"condition field {field!r} is not implemented")
        return None
    condition = read(section, count)
    section.close()
    return condition


def _path_pattern(section: Properties, count: _Count) -> Condition | None:
    values = _values_or_expressions(
        section,
        "PathPatternConfig",
        count,
        _PATH,
        "path pattern",
        "1 to 128 characters of A-Z a-z 0-9 _-.$/~\"'@:+& and the wildcards * ?",
        ignore_case=False,
    )
    return PathPattern(values) if values else None


def _host_header(section: Properties, count: _Count) -> Condition | None:
    values = _values_or_expressions(
        section,
        "HostHeaderConfig",
        count,
        _HOST,
        "host pattern",
        "1 to 128 characters of A-Z a-z 0-9 _-. and the wildcards * ?, with a dot, and only "
        "letters and wildcards after the last dot",
        ignore_case=True,
    )
    return HostHeader(values) if values else None


def _http_header(section: Properties, count: _Count) -> Condition | None:
    config = section.section("HttpHeaderConfig")
    if config is None:
        section.problem(section.line, "an http-header condition needs HttpHeaderConfig")
        return None
    name = config.text("HttpHeaderName") or ""
    if not _HEADER_NAME.fullmatch(name) or "*" in name or name.lower() == "host":
        config.problem(
            config.line_of("HttpHeaderName"),
            f"HttpHeaderName {name!r}: a header's name of at most 40 characters, without "
            "wildcards, and not Host, which has a condition of its own",
        )
    values = _checked_values(
        config, count, _TEXT, "header value", "1 to 128 printable ASCII characters", True
    )
    config.close()
    return HttpHeader(name, values) if values else None


def _http_request_method(section: Properties, count: _Count) -> Condition | None:
    values = _listed(section, "HttpRequestMethodConfig", "method", _METHOD, "A-Z - _, at most 40")
    count.values += len(values)
    return HttpRequestMethod(tuple(values)) if values else None


def _source_ip(section: Properties, count: _Count) -> Condition | None:
    values = _listed(section, "SourceIpConfig", "address block", _BLOCK, "CIDR notation")
    count.values += len(values)
    networks: list[Network] = []
    for value in values:
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            network = None
        if network is None or value == "255.255.255.255/32":
            section.problem(
                section.line_of("SourceIpConfig"), f"address block {value!r}: CIDR notation"
            )
        else:
            networks.append(network)
    return SourceIp(tuple(networks)) if networks else None


def _query_string(section: Properties, count: _Count) -> Condition | None:
    config = section.section("QueryStringConfig")
    if config is None:
        section.problem(section.line, "a query-string condition needs QueryStringConfig")
        return None
    entries = config.sections("Values")
    parameters: list[QueryParameter] = []
    for entry in entries:
        count.values += 1
        key, value = entry.text("Key"), entry.text("Value")
        entry.close()
        for text in (key, value):
            if text is not None and not _TEXT.fullmatch(text):
                entry.problem(
                    entry.line, f"query string {text!r}: 1 to 128 printable ASCII characters"
                )
        if value is None:
            entry.problem(entry.line, "a query string needs a Value")
        else:
            count.wildcards += _wildcards(value) + _wildcards(key or "")
            parameters.append(QueryParameter(_query_glob(key) if key else None, _query_glob(value)))
    config.close()
    if not entries:
        section.problem(section.line, "a query-string condition needs Values")
    return QueryString(tuple(parameters)) if parameters else None


def _query_glob(text: str) -> Values:
    text = text if _TEXT.fullmatch(text) else "*"
    return globs([text], ignore_case=True, escapes=True)


def _wildcards(text: str) -> int:
    """The number of wildcards, without those after a backslash."""
    return len(re.findall(r"[*?]", re.sub(r"\\.", "", text)))


def _listed(
    section: Properties, config_name: str, what: str, allowed: re.Pattern[str], meaning: str
) -> list[str]:
    """The plain values in a condition's configuration."""
    config = section.section(config_name)
    if config is None:
        section.problem(section.line, f"this condition needs {config_name}")
        return []
    values = config.texts("Values") or ()
    config.close()
    if not values and not config.failed("Values"):
        section.problem(section.line, f"{config_name} needs Values")
    return _allowed(config, values, what, allowed, meaning)


def _values_or_expressions(
    section: Properties,
    config_name: str,
    count: _Count,
    allowed: re.Pattern[str],
    what: str,
    meaning: str,
    *,
    ignore_case: bool,
) -> Values | None:
    """The values of a condition, from its configuration or from ``Values`` beside it."""
    config = section.section(config_name)
    if config is None:
        return _checked_values(section, count, allowed, what, meaning, ignore_case)
    if section.has("Values") or section.has("RegexValues"):
        section.problem(section.line, f"Values must be in {config_name} or beside it")
    values = _checked_values(config, count, allowed, what, meaning, ignore_case)
    config.close()
    return values


def _checked_values(
    config: Properties,
    count: _Count,
    allowed: re.Pattern[str],
    what: str,
    meaning: str,
    ignore_case: bool,
) -> Values | None:
    values, expressions = config.texts("Values") or (), config.texts("RegexValues") or ()
    if config.failed("Values") or config.failed("RegexValues"):
        return None
    if bool(values) is bool(expressions):
        config.problem(config.line, f"a {what} needs either Values or RegexValues")
        return None
    count.values += len(values) + len(expressions)
    if expressions:
        valid = [text.value for text in expressions if _is_expression(config, text)]
        return regular_expressions(valid, ignore_case=ignore_case) if valid else None
    count.wildcards += sum(_wildcards(text.value) for text in values)
    valid = _allowed(config, values, what, allowed, meaning)
    return globs(valid, ignore_case=ignore_case) if valid else None


def _allowed(
    config: Properties,
    values: Sequence[Text],
    what: str,
    allowed: re.Pattern[str],
    meaning: str,
) -> list[str]:
    for text in values:
        if not allowed.fullmatch(text.value):
            config.problem(text.line, f"{what} {text.value!r}: {meaning}")
    return [text.value for text in values if allowed.fullmatch(text.value)]


def _is_expression(config: Properties, text: Text) -> bool:
    problem = None
    if not 1 <= len(text.value) <= _MAX_LENGTH:
        problem = f"1 to {_MAX_LENGTH} characters"
    else:
        try:
            compile_pattern(text.value)
        except InvalidPatternError as error:
            problem = str(error)
    if problem is not None:
        config.problem(text.line, f"regular expression {text.value!r}: {problem}")
    return problem is None


_READERS: Final[Mapping[str, Callable[[Properties, _Count], Condition | None]]] = {
    "host-header": _host_header,
    "http-header": _http_header,
    "http-request-method": _http_request_method,
    "path-pattern": _path_pattern,
    "query-string": _query_string,
    "source-ip": _source_ip,
}

CONDITION_FIELDS: Final = frozenset(_READERS)
"""The values of a condition's ``Field``; each has a row in docs/gateway-reference.md."""
