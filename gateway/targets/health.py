"""Health checks, with the request that an ALB sends."""

import asyncio
from typing import Final

import httptools

from gateway.routing.settings import FunctionSettings, HealthCheckSettings
from gateway.targets.function_client import invoke
from gateway.targets.function_event import (
    InvalidAnswerError,
    health_check_event,
    status_of,
)
from gateway.targets.target import Address, CheckResult, HealthReason, Target
from gateway.targets.target_group import TargetGroup

_MAX_ANSWER: Final = 32 * 1024
_READ: Final = 4096
_DEFAULT_PORT: Final = 80


def check_request(settings: HealthCheckSettings, address: Address) -> bytes:
    """The bytes of one check, as captured from an ALB. Host has no port if it is 80."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    if address.port != _DEFAULT_PORT:
        host = f"{host}:{address.port}"
    return (
        f"GET {settings.path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        "User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n"
    ).encode()


async def check(settings: HealthCheckSettings, address: Address) -> CheckResult:
    """Checks a target once, over a new connection. Never raises."""
    if settings.port is not None:
        address = Address(address.host, settings.port)
    try:
        async with asyncio.timeout(settings.timeout):
            status = await _status(settings, address)
    except TimeoutError:
        return CheckResult(False, HealthReason.TIMEOUT, "Request timed out")
    except OSError as error:
        why = error.strerror or str(error)
        return CheckResult(False, HealthReason.FAILED, f"Health checks failed: {why}")
    if status is None:
        return CheckResult(False, HealthReason.FAILED, "Health checks failed: no HTTP response")
    return _matched(settings, status)


async def check_function(
    settings: HealthCheckSettings, target: Target, function: FunctionSettings
) -> CheckResult:
    """Checks a function once, with an event. Never raises."""
    made = health_check_event(function, settings.path)
    try:
        async with asyncio.timeout(settings.timeout), target.invocations:
            status = status_of(await invoke(target.address.host, target.address.port, made))
    except TimeoutError:
        return CheckResult(False, HealthReason.TIMEOUT, "Request timed out")
    except (OSError, InvalidAnswerError) as error:
        return CheckResult(False, HealthReason.FAILED, f"Health checks failed: {error}")
    return _matched(settings, status)


def _matched(settings: HealthCheckSettings, status: int) -> CheckResult:
    if status not in settings.matcher:
        return CheckResult(
            False, HealthReason.CODE_MISMATCH, f"Health checks failed with these codes: [{status}]"
        )
    return CheckResult(True)


async def _status(settings: HealthCheckSettings, address: Address) -> int | None:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(check_request(settings, address))
        status_reader = _StatusReader()
        received = 0
        while received <= _MAX_ANSWER:
            data = await reader.read(_READ)
            if not data:
                return None
            received += len(data)
            try:
                status_reader.feed(data)
            except httptools.HttpParserError:
                # What follows the head does not matter, even if it is malformed.
                return status_reader.status
            if status_reader.status is not None:
                return status_reader.status
        return None
    finally:
        writer.transport.abort()


class _StatusReader:
    """``status`` is that of the first response that is not informational (1xx)."""

    def __init__(self) -> None:
        self.status: int | None = None
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parses the next bytes. Raises httptools.HttpParserError."""
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        if self.status is None and status >= 200:
            self.status = status


class HealthChecks:
    """Checks the targets of one group: each immediately after registration, then every interval.

    Every check is a task of its own, so no check waits for another one, not even for the previous
    one of the same target.
    """

    def __init__(self, group: TargetGroup) -> None:
        self._group = group
        self._schedules: dict[Target, asyncio.Task[None]] = {}
        self._checks: set[asyncio.Task[None]] = set()
        self._checked: dict[Target, asyncio.Event] = {}

    def start(self, target: Target) -> None:
        """Starts to check ``target``."""
        self._checked[target] = asyncio.Event()
        self._schedules[target] = asyncio.create_task(self._run(target))

    def stop(self, target: Target) -> None:
        """Stops checking ``target``."""
        self._schedules.pop(target).cancel()
        self._checked.pop(target).set()

    async def first_results(self) -> None:
        """Returns once every registered target has had a result, whatever it was."""
        for event in tuple(self._checked.values()):
            await event.wait()

    async def close(self) -> None:
        """Stops all checks."""
        tasks = [*self._schedules.values(), *self._checks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._schedules.clear()

    async def _run(self, target: Target) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            task = asyncio.create_task(self._check(target))
            self._checks.add(task)
            task.add_done_callback(self._checks.discard)
            due += self._group.settings.health_check.interval
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _check(self, target: Target) -> None:
        settings = self._group.settings.health_check
        if target.function is None:
            result = await check(settings, target.address)
        elif settings.enabled:
            result = await check_function(settings, target, target.function)
        else:
            result = CheckResult(True)
        if target in self._schedules:
            self._group.record(target, result)
            self._checked[target].set()
