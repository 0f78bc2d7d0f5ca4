"""`make start`, `shift` and `stop` on a board that runs, while requests arrive."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import httpx
import pytest

from tests.children import child_running
from tests.deployments import ROOT, Run, processes
from tests.eventually import eventually
from topology.contexts import CONTEXTS
from topology.deployments import MONOLITH, PAGE, SERVICES, calls_of

ALONE: Final = next(context for context in CONTEXTS if not context.calls)
"""A context whose service needs no other: starting it takes the least."""


@pytest.fixture(scope="module")
def run() -> Run:  # type: ignore[misc]  # a generator
    """The monolith, beside which these tests start services."""
    with processes(MONOLITH) as running:
        yield running


def rollout(run: Run, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_")
    } | {"DATA_DIR": str(run.log.parent / "data"), "ON": "laptop", **variables}
    return subprocess.run(
        [sys.executable, "-m", "rollout", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def carried_out(run: Run, command: str, **variables: str) -> str:
    done = rollout(run, command, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def server_of(http: httpx.AsyncClient) -> str:
    """The server of a response to a request for what ALONE serves to everybody."""
    response = await http.get(ALONE.open_path)
    return response.headers["X-Served-By"].partition("/")[0]


def refused(run: Run, command: str, **variables: str) -> str:
    done = rollout(run, command, **variables)
    assert done.returncode == 1, done.stdout
    return done.stderr


@asynccontextmanager
async def requests(run: Run) -> AsyncIterator[Counter[str]]:
    """Sends several requests a second to every context, and counts the servers of the responses."""
    seen: Counter[str] = Counter()
    paths = ["/", *(context.open_path for context in CONTEXTS)]
    stop = asyncio.Event()

    async def send() -> None:
        async with httpx.AsyncClient(base_url=run.board.url, timeout=15, trust_env=False) as http:
            while not stop.is_set():
                for path in paths:
                    response = await http.get(path)
                    good = response.status_code == 200
                    by = response.headers.get("X-Served-By", "?").partition("/")[0]
                    seen[by if good else f"{path}: {response.status_code}"] += 1
                # Slow enough to leave processor time to the servers that start.
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await stop.wait()

    sending = asyncio.create_task(send())
    try:
        yield seen
    finally:
        stop.set()
        await sending


@pytest.mark.twice  # `make strangle`, a step of .ci/run, does the same under more load
@pytest.mark.timeout(180)
async def test_board_grows_from_a_monolith_into_services_and_back(run: Run) -> None:
    """Every command is carried out while requests arrive, and none of them fails."""
    async with requests(run) as seen:
        # The page's service starts with those that it calls.
        for service in (PAGE, *(name for name in SERVICES if name not in (PAGE, *calls_of(PAGE)))):
            await asyncio.to_thread(carried_out, run, "start", CONTEXT=service)
        for service in SERVICES:
            await asyncio.to_thread(carried_out, run, "shift", CONTEXT=service, SHARE="37")
            await asyncio.to_thread(carried_out, run, "shift", CONTEXT=service, SHARE="100")
        await asyncio.to_thread(carried_out, run, "stop", CONTEXT=MONOLITH)
        seen.clear()

        async def all_seen() -> bool:
            return {*SERVICES} <= {*seen}

        await eventually(all_seen)
        assert {*seen} == {*SERVICES}
        await asyncio.to_thread(carried_out, run, "start", CONTEXT=MONOLITH)
        for service in SERVICES:
            await asyncio.to_thread(carried_out, run, "shift", CONTEXT=service, SHARE="0")
        for service in reversed(SERVICES):
            await asyncio.to_thread(carried_out, run, "stop", CONTEXT=service)
    assert {*seen} == {*SERVICES, MONOLITH}


async def test_the_first_request_follows_a_shift(run: Run) -> None:
    carried_out(run, "start", CONTEXT=ALONE.name)
    began = time.monotonic()
    carried_out(run, "shift", CONTEXT=ALONE.name, SHARE="100")
    async with httpx.AsyncClient(base_url=run.board.url, timeout=15, trust_env=False) as http:
        assert await server_of(http) == ALONE.name
        assert (await http.get("/shares.json")).json()[ALONE.name] == 100
        print(f"until the first request followed: {time.monotonic() - began:.2f} s")  # noqa: T201
        carried_out(run, "shift", CONTEXT=ALONE.name, SHARE="0")
        assert await server_of(http) == MONOLITH
        assert (await http.get("/shares.json")).json()[ALONE.name] == 0
    carried_out(run, "stop", CONTEXT=ALONE.name)


def test_impossible_operation_is_refused_and_changes_nothing(run: Run) -> None:
    before = carried_out(run, "shares")
    service = SERVICES[0]
    assert "SHARE=101: it must be a whole number" in refused(
        run, "shift", CONTEXT=service, SHARE="101"
    )
    assert f"{service} does not run" in refused(run, "shift", CONTEXT=service, SHARE="10")
    assert f"{service} is not running" in refused(run, "stop", CONTEXT=service)
    assert "monolith still gets 100 %" in refused(run, "stop", CONTEXT=MONOLITH)
    assert "monolith is running already" in refused(run, "start", CONTEXT=MONOLITH)
    assert carried_out(run, "shares") == before


def test_share_is_moved_to_a_service_that_does_not_run_if_that_is_forced(run: Run) -> None:
    carried_out(run, "shift", CONTEXT="web", SHARE="100", FORCE="1")
    assert httpx.get(f"{run.board.url}/", trust_env=False).status_code == 503
    carried_out(run, "shift", CONTEXT="web", SHARE="0")
    assert httpx.get(f"{run.board.url}/", trust_env=False).status_code == 200


async def test_gateway_that_ends_unexpectedly_restarts_with_the_shares_and_targets(
    run: Run,
) -> None:
    carried_out(run, "start", CONTEXT=ALONE.name)
    before = carried_out(run, "shift", CONTEXT=ALONE.name, SHARE="100")
    gateway = child_running(run.process.pid, "-m gateway")
    os.kill(gateway, signal.SIGKILL)

    async def restarted() -> bool:
        # While it restarts, the command is refused.
        return rollout(run, "shares").stdout == before

    await eventually(restarted, within=30)
    assert child_running(run.process.pid, "-m gateway") != gateway
    async with httpx.AsyncClient(base_url=run.board.url, timeout=15, trust_env=False) as http:
        assert await server_of(http) == ALONE.name
    carried_out(run, "shift", CONTEXT=ALONE.name, SHARE="0")
    carried_out(run, "stop", CONTEXT=ALONE.name)


def test_command_during_another_is_refused(run: Run) -> None:
    environment = {**os.environ, "DATA_DIR": str(run.log.parent / "data"), "ON": "laptop"}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "rollout", "start"],
            cwd=ROOT, env=environment | {"CONTEXT": ALONE.name}, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    starting = start()
    try:
        sentence = ""
        while starting.poll() != 0 and "is not finished yet" not in sentence:
            if starting.poll() is not None:  # it was refused during a shift
                starting = start()
            sentence = rollout(run, "shift", CONTEXT=SERVICES[0], SHARE="0").stderr
        assert f"make start CONTEXT={ALONE.name} is not finished yet" in sentence
    finally:
        assert starting.wait(60) == 0
    carried_out(run, "stop", CONTEXT=ALONE.name)
