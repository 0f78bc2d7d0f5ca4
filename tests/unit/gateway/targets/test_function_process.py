"""A folder with a Python handler as a target, in AWS's own emulator and runtime."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.gateway import start_gateway
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.observe.metrics import Metrics
from gateway.targets.function_process import (
    FunctionFolder,
    FunctionProcessError,
    FunctionProcesses,
    parse_folder,
)
from laptop import ports
from tests.unit.gateway.functions import CHECKED_FUNCTION, FUNCTION, LAMBDA_PYTHON, MULTI_FUNCTION
from tests.unit.gateway.measured import WEB, Measured
from tests.unit.gateway.read_templates import read
from tests.unit.gateway.support import Bench, Lines

ROOT = Path(__file__).parents[4]
HANDLER = """\
import json, os


def answer(event, context):
    path = event["path"]
    if path == "/raises":
        raise ValueError("no such order")
    if path == "/exits":
        os._exit(3)
    if path == "/number":
        return 7
    if path == "/text":
        return "not an object"
    if path == "/large":
        return {"statusCode": 200, "body": "x" * 2_000_000}
    if path == "/larger":
        return {"statusCode": 200, "body": "x" * 7_000_000}
    headers = {"X-Function": os.environ["AWS_LAMBDA_FUNCTION_NAME"]}
    if "multiValueHeaders" in event:
        return {
            "statusCode": 201,
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": json.dumps(event["multiValueQueryStringParameters"]),
        }
    body, encoded = event["body"], event["isBase64Encoded"]
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": encoded}
"""


@pytest.fixture
async def processes() -> AsyncIterator[FunctionProcesses]:
    made = FunctionProcesses(str(LAMBDA_PYTHON))
    yield made
    await made.close()


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "orders.py").write_text(HANDLER)
    return f"lambda+dir:{tmp_path}#orders.answer"


async def started(
    bench: Bench, processes: FunctionProcesses, url: str, template: str = FUNCTION
) -> tuple[Measured, Lines, AccessLog]:
    routing = read(template)
    metrics = Metrics(routing.load_balancer)
    lines = Lines()
    log = AccessLog(AlbFormat("Balancer"), lines)
    gateway = await start_gateway(
        routing,
        await processes.start({"Web": [url]}),
        port=0,
        access_log=log,
        metrics=metrics,
    )
    bench.keep(gateway)
    await gateway.first_checks()
    return Measured(gateway, metrics), lines, log


async def test_aws_emulator_runs_a_handler_and_its_answer_is_the_response(
    bench: Bench, processes: FunctionProcesses, folder: str
) -> None:
    one, _, _ = await started(bench, processes, folder)
    client = await bench.client(one.gateway)
    for content_type, body in ((b"text/plain", "grüße".encode()), (b"image/png", b"\x89PNG\xff")):
        client.send(
            b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (content_type, len(body), body)
        )
        answer = await client.answer()
        assert (answer.status, answer.body) == (200, body)
        assert answer.header(b"X-Function") == b"Web"
    assert one.value("LambdaUserError", WEB) == one.value("LambdaInternalError", WEB) == 0
    assert one.value("LambdaTargetProcessedBytes", WEB) == one.value("ProcessedBytes") > 0


async def test_aws_emulator_passes_multi_value_headers(
    bench: Bench, processes: FunctionProcesses, folder: str
) -> None:
    one, _, _ = await started(bench, processes, folder, MULTI_FUNCTION)
    client = await bench.client(one.gateway)
    answer = await client.get("/orders?x=1&x=2")
    assert (answer.status, answer.body) == (201, b'{"x": ["1", "2"]}')
    assert [value for name, value in answer.headers if name == b"Set-Cookie"] == [b"a=1", b"b=2"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/raises", "LambdaUnhandled"),
        ("/exits", "LambdaUnhandled"),
        ("/number", "LambdaInvalidResponse"),
        ("/text", "LambdaInvalidResponse"),
        ("/large", "LambdaResponseTooLarge"),
        ("/larger", "LambdaResponseTooLarge"),
    ],
)
async def test_failing_handler_is_502_with_its_reason_in_the_log(
    bench: Bench, processes: FunctionProcesses, folder: str, path: str, reason: str
) -> None:
    one, lines, log = await started(bench, processes, folder)
    client = await bench.client(one.gateway)
    assert (await client.get(path)).status == 502
    assert (await client.get("/orders")).status == 200
    log.flush()
    failed, served = (line for line in lines.lines if line)
    assert f' "forward" "-" "{reason}" ' in failed
    assert ' "forward" "-" "-" ' in served
    assert one.value("LambdaUserError", WEB) == 1
    assert one.value("LambdaInternalError", WEB) == 0


async def test_aws_emulator_answers_health_checks(
    bench: Bench, processes: FunctionProcesses, folder: str
) -> None:
    one, _, _ = await started(bench, processes, folder, CHECKED_FUNCTION)
    assert [str(target.state) for target in one.gateway.groups["Web"].registered] == ["healthy"]


async def test_unreachable_emulator_is_an_internal_error(
    bench: Bench, processes: FunctionProcesses, folder: str
) -> None:
    one, lines, log = await started(bench, processes, folder)
    await processes.close()
    client = await bench.client(one.gateway)
    assert (await client.get()).status == 502
    log.flush()
    assert ' "forward" "-" "LambdaConnectionError" ' in lines.lines[0]
    assert one.value("LambdaInternalError", WEB) == 1


async def test_a_function_ends_with_its_gateway(tmp_path: Path, folder: str) -> None:
    template = tmp_path / "function.yml"
    [port] = ports.free(1)
    template.write_text(FUNCTION.replace("Port: 8080", f"Port: {port}"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "--template", str(template)),
        *("--target", f"Web={folder}", "--lambda-python", str(LAMBDA_PYTHON)),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(30):
        said = await process.stderr.readuntil(b"listening on")
        process.send_signal(signal.SIGTERM)
        await process.stderr.read()
        assert await process.wait() == 0
    [emulator] = re.findall(rb"^Web: orders.answer in .*, at port (\d+)$", said, re.MULTILINE)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(emulator))


def test_handler_of_a_folder_has_a_default(tmp_path: Path) -> None:
    (tmp_path / "lambda_function.py").touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "app.py").touch()
    assert parse_folder("lambda+http://127.0.0.1:9000") is None
    assert parse_folder(f"lambda+dir:{tmp_path}") == FunctionFolder(
        tmp_path, "lambda_function.lambda_handler"
    )
    assert parse_folder(f"lambda+dir:{tmp_path}#inner.app.run") == FunctionFolder(
        tmp_path, "inner.app.run"
    )


@pytest.mark.parametrize("rest", ["", "#app.handler", "{0}#app.handler", "{0}#handler", "{0}#"])
def test_folder_without_its_handler_is_refused(tmp_path: Path, rest: str) -> None:
    with pytest.raises(FunctionProcessError, match="there is no file"):
        parse_folder("lambda+dir:" + rest.format(tmp_path))


async def test_python_without_the_runtime_is_refused(folder: str) -> None:
    with pytest.raises(FunctionProcessError, match="has no awslambdaric"):
        await FunctionProcesses(sys.executable).start({"Web": [folder]})


async def test_emulator_that_does_not_start_is_refused(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "aws-lambda-rie"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    processes = FunctionProcesses(str(LAMBDA_PYTHON))
    with pytest.raises(FunctionProcessError, match="the emulator did not start"):
        await processes.start({"Web": [folder]})
    await processes.close()


def test_folder_as_target_needs_a_lambda_target_group(folder: str) -> None:
    template = ROOT / "docs/examples/weights/web.yml"
    assert _said("--template", str(template), "--target", f"Blue={folder}") == (
        f"gateway: '{folder}' is a function, and Blue is not of type lambda\n"
    )
    assert "there is no file" in _said("--template", str(template), "--target", "Blue=lambda+dir:x")


def _said(*arguments: str) -> str:
    done = _run(("-m", "gateway", *arguments))
    assert done.returncode == 2
    return done.stderr


def _run(arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=ROOT,
    )
