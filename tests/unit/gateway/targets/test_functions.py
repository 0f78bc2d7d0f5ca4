"""Lambda functions as targets, run by an emulator as AWS's own."""

import asyncio
import base64
import json
from typing import Any

import pytest

from gateway.gateway import Gateway, InvalidTargetError, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.observe.metrics import Metrics
from gateway.routing.settings import FunctionSettings
from gateway.targets.function_event import InvalidAnswerError, event, response
from tests.unit.gateway.emulator import HANG, Emulator, Event, Handler
from tests.unit.gateway.functions import CHECKED_FUNCTION, FUNCTION, MULTI_FUNCTION
from tests.unit.gateway.measured import WEB, Measured
from tests.unit.gateway.read_templates import read, refused
from tests.unit.gateway.support import TEMPLATE, Bench, Lines, until


def ok(received: Event) -> object:
    return {"statusCode": 200, "headers": {"X-Own": "a"}, "body": received["path"]}


@pytest.fixture
async def emulators() -> Any:
    made: list[Emulator] = []
    yield made
    for emulator in made:
        emulator.hang.set()
        emulator.close()


async def started(
    bench: Bench,
    emulators: list[Emulator],
    handler: Handler = ok,
    template: str = FUNCTION,
    *,
    log: AccessLog | None = None,
    idle: float = 5,
    metrics: Metrics | None = None,
) -> tuple[Gateway, Emulator]:
    emulator = Emulator(handler)
    emulators.append(emulator)
    gateway = await start_gateway(
        read(template),
        {"Web": [await emulator.start()]},
        port=0,
        timeouts=Timeouts(idle=idle, tick=0.02),
        access_log=log,
        metrics=metrics,
    )
    bench.keep(gateway)
    await gateway.first_checks()
    return gateway, emulator


async def test_a_function_gets_the_event_of_an_alb(bench: Bench, emulators: list[Emulator]) -> None:
    gateway, emulator = await started(bench, emulators)
    client = await bench.client(gateway)
    client.send(
        b"POST /a%20b?x=1&x=2&y=%20 HTTP/1.1\r\nHost: Shop.Example\r\nX-A: 1\r\nx-a: 2\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    answer = await client.answer()
    assert (answer.status, answer.body) == (200, b"/a%20b")
    assert answer.header(b"X-Own") == b"a"
    assert answer.header(b"Server") == b"awselb/2.0"
    [received] = emulator.events
    headers = received.pop("headers")
    assert received == {
        "requestContext": {
            "elb": {
                "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
                "targetgroup/Web/0"
            }
        },
        "httpMethod": "POST",
        "path": "/a%20b",
        "queryStringParameters": {"x": "2", "y": "%20"},
        "body": "{}",
        "isBase64Encoded": False,
    }
    assert headers["x-a"] == "2"
    assert headers["host"] == f"shop.example:{gateway.port}"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert "connection" not in headers


async def test_multi_value_headers_are_lists_in_events_and_answers(
    bench: Bench, emulators: list[Emulator]
) -> None:
    def handler(_: Event) -> object:
        return {
            "statusCode": 201,
            "statusDescription": "201 Made",
            "headers": {"X-Ignored": "x"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        }

    gateway, emulator = await started(bench, emulators, handler, MULTI_FUNCTION)
    client = await bench.client(gateway)
    client.send(b"GET /?x=1&x=2 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\n\r\n")
    answer = await client.answer()
    assert answer.status_line == b"HTTP/1.1 201 Made"
    assert [value for name, value in answer.headers if name == b"Set-Cookie"] == [b"a=1", b"b=2"]
    assert answer.header(b"X-Ignored") is None
    [received] = emulator.events
    assert received["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert received["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert not received.keys() & {"headers", "queryStringParameters"}


@pytest.mark.parametrize(
    ("headers", "body", "encoded"),
    [
        (b"Content-Type: text/plain\r\n", "grüße".encode(), False),
        (b"Content-Type: application/json; charset=utf-8\r\n", b"{}", False),
        (b"Content-Type: application/xml\r\n", b"<a/>", False),
        (b"Content-Type: image/png\r\n", b"\x89PNG", True),
        (b"Content-Type: text/plain\r\n", b"\xff", True),
        (b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", b"abc", True),
        (b"", b"abc", True),
    ],
)
async def test_body_is_text_or_base64_depending_on_its_type(
    bench: Bench, emulators: list[Emulator], headers: bytes, body: bytes, encoded: bool
) -> None:
    def echo(received: Event) -> object:
        return {key: received[key] for key in ("body", "isBase64Encoded")} | {"statusCode": 200}

    gateway, emulator = await started(bench, emulators, echo)
    client = await bench.client(gateway)
    for framed in (
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
    ):
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + headers + framed)
        assert (await client.answer()).body == body
    assert [received["isBase64Encoded"] for received in emulator.events] == [encoded] * 2


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense",
        b"[1]",
        b"{}",
        b'{"statusCode": "ok"}',
        b'{"statusCode": true}',
        b'{"statusCode": 99}',
        b'{"statusCode": 200, "headers": [1]}',
        b'{"statusCode": 200, "headers": {"a": 1}}',
        b'{"statusCode": 200, "headers": {"a b": "c"}}',
        b'{"statusCode": 200, "headers": {"a": "b\\r\\nX-Evil: c"}}',
        b'{"statusCode": 200, "statusDescription": "404 Not Found"}',
        b'{"statusCode": 200, "statusDescription": "200 a\\r\\nb"}',
        b'{"statusCode": 200, "body": {}}',
        b'{"statusCode": 200, "body": "!", "isBase64Encoded": true}',
        b'{"errorMessage": "division by zero", "errorType": "ZeroDivisionError"}',
        b"[" * 100_000,
        b'{"statusCode": 200, "body": "' + b"x" * 7_000_000 + b'"}',
    ],
    ids=lambda answer: repr(answer[:60]),
)
async def test_invalid_answer_of_a_function_is_502(
    bench: Bench, emulators: list[Emulator], answer: bytes
) -> None:
    gateway, _ = await started(bench, emulators, lambda _: answer)
    client = await bench.client(gateway)
    assert (await client.get()).status == 502
    assert (await client.get("/fixed")).status == 200


async def test_an_answer_may_be_nearly_a_megabyte(bench: Bench, emulators: list[Emulator]) -> None:
    content = base64.b64encode(b"\x00" * 700_000).decode()
    answer = {"statusCode": 200, "isBase64Encoded": True, "body": content}
    gateway, _ = await started(bench, emulators, lambda _: answer)
    client = await bench.client(gateway)
    assert (await client.get()).body == b"\x00" * 700_000


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 1048577\r\n\r\n" + b"x" * 1_048_577,
        b"Transfer-Encoding: chunked\r\n\r\n100001\r\n" + b"x" * 1_048_577 + b"\r\n0\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
async def test_a_request_over_a_megabyte_is_413(
    bench: Bench, emulators: list[Emulator], framed: bytes
) -> None:
    gateway, emulator = await started(bench, emulators)
    client = await bench.client(gateway)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framed)
    answer = await client.answer()
    assert answer.status == 413
    assert len(answer.body) == 148
    assert not emulator.events


async def test_hanging_function_and_large_request_are_user_errors(
    bench: Bench, emulators: list[Emulator]
) -> None:
    lines = Lines()
    log = AccessLog(AlbFormat("Balancer"), lines)
    metrics = Metrics(read(FUNCTION).load_balancer)
    gateway, _ = await started(bench, emulators, lambda _: HANG, log=log, idle=0.3, metrics=metrics)
    one = Measured(gateway, metrics)
    assert (await (await bench.client(gateway)).get()).status == 504
    client = await bench.client(gateway)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n" + b"x" * 1_048_577)
    assert (await client.answer()).status == 413
    assert one.value("LambdaUserError", WEB) == 2
    assert one.value("LambdaInternalError", WEB) == 0
    log.flush()
    assert [line.split('"')[15] for line in lines.lines] == ["-", "LambdaRequestTooLarge"]


async def test_client_that_leaves_is_not_an_error_of_the_function(
    bench: Bench, emulators: list[Emulator]
) -> None:
    metrics = Metrics(read(FUNCTION).load_balancer)
    gateway, emulator = await started(bench, emulators, lambda _: HANG, metrics=metrics)
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: bool(emulator.events))
    client.close()
    one = Measured(gateway, metrics)
    await until(lambda: one.value("LambdaTargetProcessedBytes", WEB) > 0)
    assert one.value("LambdaUserError", WEB) == one.value("LambdaInternalError", WEB) == 0


async def test_a_request_of_a_megabyte_reaches_the_function(
    bench: Bench, emulators: list[Emulator]
) -> None:
    gateway, emulator = await started(bench, emulators)
    client = await bench.client(gateway)
    client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 1048576\r\n\r\n" + b"x" * 1_048_576
    )
    assert (await client.answer()).status == 200
    assert len(emulator.events[0]["body"]) == 1_048_576


async def test_a_function_that_hangs_is_504_after_the_idle_timeout(
    bench: Bench, emulators: list[Emulator]
) -> None:
    gateway, emulator = await started(bench, emulators, lambda _: HANG, idle=0.3)
    client = await bench.client(gateway)
    assert (await client.get()).status == 504
    await until(lambda: not gateway.groups["Web"].registered[0].connections)
    emulator.handler = ok
    assert (await (await bench.client(gateway)).get()).status == 200


async def test_unreachable_emulator_is_502(bench: Bench, emulators: list[Emulator]) -> None:
    gateway, emulator = await started(bench, emulators)
    emulator.close()
    assert (await (await bench.client(gateway)).get()).status == 502


async def test_an_emulator_gets_one_invocation_at_a_time(
    bench: Bench, emulators: list[Emulator]
) -> None:
    gateway, emulator = await started(bench, emulators)
    clients = [await bench.client(gateway) for _ in range(5)]
    answers = await asyncio.gather(*(client.get() for client in clients))
    assert [answer.status for answer in answers] == [200] * 5
    assert emulator.most_at_once == 1


async def test_head_and_204_have_no_body(bench: Bench, emulators: list[Emulator]) -> None:
    gateway, emulator = await started(bench, emulators)
    client = await bench.client(gateway)
    client.send(b"HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await client.answer(head=True)
    assert answer.header(b"Content-Length") == b"4"
    emulator.handler = lambda _: {"statusCode": 204, "body": "x"}
    answer = await client.get()
    assert (answer.status, answer.body, answer.header(b"Content-Length")) == (204, b"", None)


async def test_a_websocket_to_a_function_is_502(bench: Bench, emulators: list[Emulator]) -> None:
    gateway, emulator = await started(bench, emulators)
    client = await bench.client(gateway)
    client.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert (await client.answer()).status == 502
    assert not emulator.events


async def test_function_health_check_is_an_event_if_enabled(
    bench: Bench, emulators: list[Emulator]
) -> None:
    gateway, emulator = await started(
        bench, emulators, lambda _: {"statusCode": 500}, CHECKED_FUNCTION
    )
    [target] = gateway.groups["Web"].registered
    assert target.description == "Health checks failed with these codes: [500]"
    [received] = emulator.events
    assert (received["httpMethod"], received["path"]) == ("GET", "/health")
    assert received["headers"] == {"user-agent": "ELB-HealthChecker/2.0"}
    unchecked, silent = await started(bench, emulators)
    assert [str(target.state) for target in unchecked.groups["Web"].registered] == ["healthy"]
    assert not silent.events


async def test_log_does_not_show_the_address_of_a_function(
    bench: Bench, emulators: list[Emulator]
) -> None:
    lines = Lines()
    log = AccessLog(AlbFormat("Balancer"), lines)
    gateway, _ = await started(bench, emulators, log=log)
    await (await bench.client(gateway)).get()
    log.flush()
    fields = lines.lines[0].split()
    assert (fields[4], fields[8], fields[9]) == ("-", "200", "200")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "lambda+https://127.0.0.1:9000"])
async def test_function_target_group_accepts_only_functions(url: str) -> None:
    with pytest.raises(InvalidTargetError, match=r"is not lambda\+http://HOST:PORT"):
        await start_gateway(read(FUNCTION), {"Web": [url]}, port=0)
    with pytest.raises(InvalidTargetError, match="is not http://HOST:PORT"):
        await start_gateway(read(TEMPLATE), {"Web": ["lambda+http://127.0.0.1:9000"]}, port=0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Protocol: HTTP", "a target group of type lambda has no Protocol"),
        ("Port: 80", "a target group of type lambda has no Port"),
        ("VpcId: v", "a target group of type lambda has no VpcId"),
        (
            "TargetGroupAttributes: [{Key: stickiness.enabled, Value: true}]",
            "attribute 'stickiness.enabled' is not implemented",
        ),
        (
            "HealthCheckEnabled: true\n      HealthCheckIntervalSeconds: 30",
            "30 is not greater than 30",
        ),
    ],
)
def test_properties_that_function_groups_lack_are_refused(text: str, line: str) -> None:
    [found] = refused(FUNCTION.replace("TargetType: lambda", f"TargetType: lambda\n      {text}"))
    assert line in found


def test_event_of_a_request_without_body_is_not_base64() -> None:
    made = json.loads(event(FunctionSettings("arn"), "GET", "/", [], b""))
    assert (made["body"], made["isBase64Encoded"]) == ("", False)
    with pytest.raises(InvalidAnswerError, match="more than 1 MB"):
        response(FunctionSettings("arn"), b" " * 1_048_577, head_request=False)
