"""Twenty state machines that are not the board's, which exercise what the interpreter supports.

`QUEUE` stands for the queue's URL; a task's message is {"token", "state", "input"}.
"""

from dataclasses import dataclass, field

from tests.step_functions.script import Answer, Fail, Ignore, Succeed
from workflow.values import Json

QUEUE = "(the queue)"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"


@dataclass(frozen=True)
class Case:
    """A machine, an input and how its tasks end."""

    definition: dict[str, Json]
    input: Json
    answers: dict[str, list[Answer]] = field(default_factory=dict)


def machine(start: str, **states: dict[str, Json]) -> dict[str, Json]:
    """A definition; underscores in names stand for spaces."""
    return {"StartAt": start, "States": {n.replace("_", " "): s for n, s in states.items()}}


def task(following: str | None, **fields: Json) -> dict[str, Json]:
    """A task whose message has the state's name and its effective input."""
    body: Json = {
        "token.$": "$$.Task.Token",
        "state.$": "$$.State.Name",
        "attempt.$": "$$.State.RetryCount",
        "input.$": "$",
    }
    way: dict[str, Json] = {"End": True} if following is None else {"Next": following}
    parameters: Json = {"QueueUrl": QUEUE, "MessageBody": body}
    return {"Type": "Task", "Resource": CALLBACK, "Parameters": parameters, **fields, **way}


def retry(*errors: str, **fields: Json) -> dict[str, Json]:
    """A retrier."""
    return {"ErrorEquals": list(errors), "IntervalSeconds": 1, **fields}


def choice(default: str | None, *rules: dict[str, Json]) -> dict[str, Json]:
    """A Choice state."""
    found: dict[str, Json] = {"Type": "Choice", "Choices": list(rules)}
    return found if default is None else {**found, "Default": default}


DONE: dict[str, Json] = {"Type": "Succeed"}

CASES: dict[str, Case] = {
    "constant_in_its_place": Case(
        machine(
            "Greet",
            Greet={
                "Type": "Pass",
                "Result": {"greeting": "hello", "n": [1, 2.5, None, True]},
                "ResultPath": "$.made.here",
                "End": True,
            },
        ),
        {"name": "Ada"},
    ),
    "paths_select_and_drop": Case(
        machine(
            "First",
            First={
                "Type": "Pass",
                "InputPath": "$.order",
                "Parameters": {"id.$": "$.id", "all.$": "$.lines[*].price", "fixed": 7},
                "ResultPath": "$.seen",
                "OutputPath": "$.seen",
                "Next": "Second",
            },
            Second={"Type": "Pass", "ResultPath": None, "Next": "Third"},
            Third={"Type": "Pass", "InputPath": None, "ResultPath": "$.empty", "End": True},
        ),
        {"order": {"id": 4, "lines": [{"price": 3}, {"price": 5}]}},
    ),
    "nested_parameters": Case(
        machine(
            "Build",
            Build={
                "Type": "Pass",
                "Parameters": {
                    "a": {"b.$": "$.x['with space']", "list": [{"c.$": "$.y[1]"}, "plain"]},
                    "name.$": "$$.State.Name",
                    "whole.$": "$$.Execution.Input",
                },
                "End": True,
            },
        ),
        {"x": {"with space": "kept"}, "y": [0, {"deep": [1]}]},
    ),
    "text_functions": Case(
        machine(
            "Build",
            Build={
                "Type": "Pass",
                "Parameters": {
                    "format.$": r"States.Format('Case {}: \{it\'s\} {} of {}', $.id, $.n, 3)",
                    "json.$": "States.JsonToString($.object)",
                    "parsed.$": "States.StringToJson($.text)",
                    "split.$": "States.StringSplit($.csv, ',;')",
                    "encoded.$": "States.Base64Encode($.id)",
                    "decoded.$": "States.Base64Decode('Ym9hcmQ=')",
                    "hash.$": "States.Hash($.id, 'SHA-256')",
                },
                "End": True,
            },
        ),
        {"id": "001", "n": 2, "object": {"a": [1, "x"]}, "text": '{"b": 1}', "csv": "a,b;;c"},
    ),
    "array_functions": Case(
        machine(
            "Build",
            Build={
                "Type": "Pass",
                "Parameters": {
                    "array.$": "States.Array($.a, 'b', 3, true, null)",
                    "parts.$": "States.ArrayPartition(States.ArrayRange(1, 7, 2), 3)",
                    "has.$": "States.ArrayContains($.items, 2)",
                    "item.$": "States.ArrayGetItem($.items, 1)",
                    "length.$": "States.ArrayLength($.items)",
                    "unique.$": "States.ArrayUnique($.items)",
                    "sum.$": "States.MathAdd(States.ArrayLength($.items), -1)",
                    "merged.$": "States.JsonMerge($.one, $.two, false)",
                },
                "End": True,
            },
        ),
        {"a": {"k": 1}, "items": [1, 2, 2, 3], "one": {"x": 1, "y": 1}, "two": {"y": 2}},
    ),
    "numbers_are_compared": Case(
        machine(
            "Which",
            Which=choice(
                "Other",
                {"Variable": "$.n", "NumericLessThan": 10, "Next": "Small"},
                {
                    "And": [
                        {"Variable": "$.n", "NumericGreaterThanEquals": 10},
                        {"Not": {"Variable": "$.n", "NumericGreaterThan": 20}},
                    ],
                    "Next": "Medium",
                },
            ),
            Small={"Type": "Fail", "Error": "Small", "Cause": "below ten"},
            Medium={"Type": "Pass", "Result": "medium", "End": True},
            Other={"Type": "Fail", "Error": "Other", "Cause": "no"},
        ),
        {"n": 20},
    ),
    "texts_are_compared": Case(
        machine(
            "Which",
            Which=choice(
                "No",
                {"Variable": "$.text", "StringLessThan": "a", "Next": "No"},
                {"Variable": "$.text", "StringMatches": "log-*.tx?", "Next": "No"},
                {"Variable": "$.text", "StringMatches": "log-*.txt", "Next": "Yes"},
            ),
            Yes=DONE,
            No={"Type": "Fail", "Error": "No", "Cause": "it should match"},
        ),
        {"text": "log-2026-11.txt"},
    ),
    "types_are_tested": Case(
        machine(
            "Which",
            Which=choice(
                "No",
                {"Variable": "$.gone", "IsPresent": True, "Next": "No"},
                {"Variable": "$.text", "IsNumeric": True, "Next": "No"},
                {
                    "Or": [
                        {"Variable": "$.text", "IsNull": True},
                        {
                            "And": [
                                {"Variable": "$.flag", "IsBoolean": True},
                                {"Variable": "$.flag", "BooleanEquals": False},
                                {"Variable": "$.at", "IsTimestamp": True},
                                {"Variable": "$.text", "StringEqualsPath": "$.same"},
                            ]
                        },
                    ],
                    "Next": "Yes",
                },
            ),
            Yes=DONE,
            No={"Type": "Fail", "Error": "No", "Cause": "wrong type"},
        ),
        {"text": "a", "same": "a", "flag": False, "at": "2026-11-30T01:00:00Z"},
    ),
    "moments_are_compared": Case(
        machine(
            "Which",
            Which=choice(
                "No",
                {"Variable": "$.at", "TimestampLessThan": "2026-01-01T00:00:00Z", "Next": "No"},
                {
                    "Variable": "$.at",
                    "TimestampEquals": "2026-11-30T02:00:00+01:00",
                    "Next": "Yes",
                },
            ),
            Yes=DONE,
            No={"Type": "Fail", "Error": "No", "Cause": "another moment"},
        ),
        {"at": "2026-11-30T01:00:00Z"},
    ),
    "no_rule_is_met": Case(
        machine(
            "Which",
            Which=choice(None, {"Variable": "$.n", "NumericEquals": 1, "Next": "Done"}),
            Done=DONE,
        ),
        {"n": 2},
    ),
    "waits": Case(
        machine(
            "Nap",
            Nap={"Type": "Wait", "Seconds": 2, "Next": "As long as said"},
            As_long_as_said={"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Long ago"},
            Long_ago={"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "Next": "Then"},
            Then={"Type": "Wait", "TimestampPath": "$.at", "OutputPath": "$.at", "End": True},
        ),
        {"seconds": 3, "at": "2021-01-01T00:00:00Z"},
    ),
    "succeeds_with_a_part": Case(
        machine("Done", Done={"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}),
        {"a": {"b": [1, 2]}},
    ),
    "fails_with_what_the_input_says": Case(
        machine(
            "Stop",
            Stop={
                "Type": "Fail",
                "ErrorPath": "$.error",
                "CausePath": "States.Format('because of {}', $.what)",
            },
        ),
        {"error": "Custom", "what": "rain"},
    ),
    "result_is_selected": Case(
        machine(
            "Ask",
            Ask=task(
                "Ask again",
                InputPath="$.question",
                ResultSelector={"answer.$": "$.value", "kind": "selected"},
                ResultPath="$.results.first",
            ),
            Ask_again=task(None, ResultPath=None),
        ),
        {"question": {"text": "why?"}},
        {"Ask": [Succeed({"value": 42, "rest": "dropped"})]},
    ),
    "tries_again_until_it_works": Case(
        machine("Work", Work=task(None, Retry=[retry("Busy", MaxAttempts=3, BackoffRate=2)])),
        {"n": 1},
        {"Work": [Fail("Busy"), Fail("Busy"), Succeed({"done": True})]},
    ),
    "each_retrier_counts_for_itself": Case(
        machine(
            "Work",
            Work=task(
                None,
                Retry=[
                    retry("Busy", "Full", MaxAttempts=1),
                    retry("States.TaskFailed", MaxAttempts=2, MaxDelaySeconds=5),
                ],
                Catch=[
                    {"ErrorEquals": ["Busy"], "Next": "Wrong"},
                    {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Sorry"},
                ],
            ),
            Wrong={"Type": "Fail", "Error": "Wrong", "Cause": "the first rule was for another"},
            Sorry={"Type": "Pass", "End": True},
        ),
        {"n": 1},
        {"Work": [Fail("Busy"), Fail("Odd"), Fail("Odd"), Fail("Odd")]},
    ),
    "never_works": Case(
        machine("Work", Work=task(None, Retry=[retry("States.ALL", MaxAttempts=2)])),
        {"n": 1},
        {"Work": [Fail("Broken", "for good")]},
    ),
    "time_limit_is_caught": Case(
        machine(
            "Work",
            Work=task(
                None,
                TimeoutSeconds=1,
                Retry=[retry("Busy", MaxAttempts=3)],
                Catch=[
                    {"ErrorEquals": ["States.TaskFailed"], "Next": "Wrong"},
                    {"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": "Late"},
                ],
            ),
            Wrong={"Type": "Fail", "Error": "Wrong", "Cause": "a time limit is no failure"},
            Late={"Type": "Pass", "Result": True, "ResultPath": "$.late", "End": True},
        ),
        {"n": 1},
        {"Work": [Ignore()]},
    ),
    "loops_until_enough": Case(
        machine(
            "Count",
            Count={
                "Type": "Pass",
                "Parameters": {"n.$": "States.MathAdd($.n, 1)", "to.$": "$.to"},
                "Next": "Enough",
            },
            Enough=choice(
                "Report", {"Variable": "$.n", "NumericLessThanPath": "$.to", "Next": "Count"}
            ),
            Report=task("Is it right", ResultPath="$.report"),
            Is_it_right=choice(
                "Count", {"Variable": "$.report.input.n", "NumericEqualsPath": "$.n", "Next": "End"}
            ),
            End=DONE,
        ),
        {"n": 0, "to": 5},
        {"Report": [Succeed({"input": {"n": 5}})]},
    ),
    "order_is_shipped_or_refunded": Case(
        machine(
            "Reserve",
            Reserve=task(
                "Charge",
                ResultPath="$.reservation",
                Catch=[{"ErrorEquals": ["SoldOut"], "ResultPath": "$.why", "Next": "Sorry"}],
            ),
            Charge=task(
                "Ship",
                ResultPath="$.payment",
                Retry=[retry("Declined", MaxAttempts=0), retry("States.ALL", MaxAttempts=1)],
                Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.why", "Next": "Release"}],
            ),
            Ship=task(None, ResultPath="$.parcel"),
            Release=task("Sorry", InputPath="$.reservation", ResultPath=None),
            Sorry={"Type": "Fail", "ErrorPath": "$.why.Error", "CausePath": "$.why.Cause"},
        ),
        {"order": 7},
        {
            "Reserve": [Succeed({"shelf": "A3"})],
            "Charge": [Fail("Unreachable"), Fail("Declined", "no cover")],
        },
    ),
}
