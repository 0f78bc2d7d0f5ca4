"""Paths, functions and choices where they fail, or where the emulator is known to be wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.workflow.machines import begun, one, passing
from workflow.paths import parse_path, parse_reference
from workflow.record import Execution, Status
from workflow.values import Json


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("States.Format('{} {} {}', true, null, 1.5)", "true null 1.5"),
        (r"States.Format('\\ \{} {}', 'x')", r"\ {} x"),
        ("States.Format('a(b, c) {}', $['odd, (key)'])", "a(b, c) odd"),
        ("States.Array('it\\'s')", ["it's"]),
        ("States.JsonToString($.umlaut)", '"ü"'),
        ("States.ArrayRange(5, 1, -2)", [5, 3, 1]),
        ("States.ArrayContains(States.Array(1), true)", False),
        ("States.MathAdd(1.6, 1)", 3),
    ],
)
def test_function_returns(expression: str, value: Json) -> None:
    execution = begun(passing(Parameters={"v.$": expression}), {"odd, (key)": "odd", "umlaut": "ü"})
    assert execution.data == {"v": value}


@pytest.mark.parametrize(
    "expression",
    [
        "States.Format('{}')",
        "States.Format('{}', $.list)",
        "States.ArrayGetItem($.list, 9)",
        "States.ArrayGetItem($.list, -1)",
        "States.ArrayPartition($.list, 0)",
        "States.ArrayRange(1, 5, 0)",
        "States.ArrayRange(1, 5000, 1)",
        "States.ArrayLength('text')",
        "States.MathAdd('1', 2)",
        "States.StringToJson('{')",
        "States.Base64Decode('!')",
        "States.Hash('x', 'SHA-3')",
        "States.JsonMerge($.list, $.list, false)",
        "States.JsonMerge($, $, true)",
        "States.StringSplit(1, ',')",
    ],
)
def test_function_fails_with_arguments_that_it_does_not_take(expression: str) -> None:
    execution = begun(passing(Parameters={"v.$": expression}), {"list": [1]})
    assert (execution.status, execution.error) == (Status.FAILED, "States.IntrinsicFailure")


def chosen(rule: dict[str, Json], data: Json) -> Execution:
    return begun(one(Type="Choice", Choices=[{**rule, "Next": "Caught"}]), data)


@pytest.mark.parametrize(
    ("rule", "data", "expected"),
    [
        ({"StringMatches": r"a\*b"}, "a*b", True),
        ({"StringMatches": r"a\*b"}, "axb", False),
        ({"StringMatches": "a*"}, "a\nb", True),
        ({"StringMatches": "a.c"}, "abc", False),
        ({"IsNumeric": True}, True, False),
        ({"IsBoolean": True}, 1, False),
        ({"NumericEquals": 1}, True, False),
        ({"NumericEquals": 1}, 1.0, True),
        ({"BooleanEquals": True}, 1, False),
        ({"StringEquals": "1"}, 1, False),
        ({"IsTimestamp": True}, "2026-11-30", False),
        ({"IsTimestamp": True}, "2026-11-30T01:00:00", False),
    ],
)
def test_choice_compares_within_one_type(rule: dict[str, Json], data: Json, expected: bool) -> None:
    execution = chosen({"Variable": "$.v", **rule}, {"v": data})
    assert (execution.state == "Caught") is expected


def test_choice_fails_for_a_path_that_leads_nowhere() -> None:
    assert chosen({"Variable": "$.gone", "IsNull": True}, {}).error == "States.Runtime"


def test_null_is_present() -> None:
    assert chosen({"Variable": "$.v", "IsPresent": True}, {"v": None}).state == "Caught"


@pytest.mark.parametrize("field", ["InputPath", "OutputPath"])
def test_path_that_leads_nowhere_ends_the_execution(field: str) -> None:
    assert begun(passing(**{field: "$.gone"}), {}).error == "States.Runtime"


def test_fail_without_error_ends_without_one() -> None:
    execution = begun(one(Type="Fail"), {})
    assert (execution.status, execution.error, execution.cause) == (Status.FAILED, None, None)


NAMES = st.text(min_size=1).filter(lambda name: "\\" not in name and "'" not in name)
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


@given(
    document=st.dictionaries(NAMES, DOCUMENTS), names=st.lists(NAMES, min_size=1), value=DOCUMENTS
)
@settings(max_examples=200)
def test_what_was_written_at_a_path_is_read_there(
    document: dict[str, Json], names: list[str], value: Json
) -> None:
    path = parse_reference("$" + "".join(f"['{name}']" for name in names))
    others = {name: inner for name, inner in document.items() if name != names[0]}
    before = json.dumps(others)
    written = path.write(others, value)
    assert path.read(written, None) == value
    assert json.dumps(others) == before
    assert isinstance(written, dict)
    assert {name: inner for name, inner in written.items() if name != names[0]} == others


@given(text=st.text(alphabet="$.[]'\"*ab01?@ ", max_size=12))
@settings(max_examples=500)
def test_path_is_read_or_refused(text: str) -> None:
    try:
        path = parse_path(text)
    except ValueError:
        return
    assert path.text == text
