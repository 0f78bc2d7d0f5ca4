"""`make traffic`: a steady stream of requests that read the board on this machine.

The load is open-loop: requests are sent at fixed times, whether or not earlier ones were answered,
because people do not wait for each other either. A request's time counts from when it was due, so
a pause of the board shows in the times.

"""

import asyncio
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import httpx

from rollout.errors import CannotRollOutError
from topology.contexts import CONTEXTS

MAX_RATE: Final = 200
"""The most requests per second: with more, this process would be the bottleneck."""
MAX_SECONDS: Final = 3600
MAX_OPEN: Final = 400
"""The most requests that may wait for a response. Further ones are not sent, and count as
failed."""

_TIMEOUT: Final = 10.0
_PATHS: Final = ("/", *(context.open_path for context in CONTEXTS))


@dataclass(frozen=True)
class Plan:
    """`rate` requests per second, for `seconds`, to the board on `port` of this machine."""

    rate: int
    seconds: int
    port: int


@dataclass
class Seen:
    """The results of a period: milliseconds of the requests with a status below 400, the reasons
    why the others failed, and the servers that answered."""

    sent: int = 0
    milliseconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    servers: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Seen") -> None:
        """Add the results of another period."""
        self.sent += other.sent
        self.milliseconds += other.milliseconds
        self.failures += other.failures
        self.servers += other.servers


def read(environment: Mapping[str, str]) -> Plan:
    """Read RATE, SECONDS and PORT; an empty variable counts as unset. Raises CannotRollOutError."""

    def number(name: str, default: int, most: int) -> int:
        value = environment.get(name) or str(default)
        if value.isascii() and value.isdigit() and 1 <= int(value) <= most:
            return int(value)
        raise CannotRollOutError(f"{name}={value}: it must be a whole number from 1 to {most}")

    return Plan(
        number("RATE", 20, MAX_RATE),
        number("SECONDS", 60, MAX_SECONDS),
        number("PORT", 8080, 65_535),
    )


@asynccontextmanager
async def client(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the board on this machine."""
    limits = httpx.Limits(max_connections=MAX_OPEN, max_keepalive_connections=50)
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(
        base_url=url, limits=limits, timeout=_TIMEOUT, trust_env=False
    ) as http:
        yield http


async def run(plan: Plan, http: httpx.AsyncClient, say: Callable[[str], None]) -> Seen:
    """Send the requests, and print a line each second. Returns the results, up to then if it is
    cancelled. Raises CannotRollOutError if no board answers the first request."""
    try:
        await http.get(_PATHS[1])
    except httpx.HTTPError as error:
        raise CannotRollOutError(f"no board answers on port {plan.port}: make run") from error
    total, second = Seen(), Seen()
    open_requests: set[asyncio.Task[None]] = set()
    began = time.perf_counter()

    def report(elapsed: int) -> None:
        nonlocal second
        say(f"{elapsed:>4} s  {line(second)}")
        total.add(second)
        second = Seen()

    async def send(path: str, due: float) -> None:
        reason, server = await _answer(http, path)
        if reason is not None:
            second.failures[reason] += 1
            return
        second.servers[server] += 1
        second.milliseconds.append((time.perf_counter() - due) * 1000)

    paths = cycle(_PATHS)
    reported = 0
    with suppress(asyncio.CancelledError):
        for number in range(plan.rate * plan.seconds):
            due = began + number / plan.rate
            await asyncio.sleep(due - time.perf_counter())
            while number >= (reported + 1) * plan.rate:
                reported += 1
                report(reported)
            second.sent += 1
            if len(open_requests) >= MAX_OPEN:
                second.failures["not sent, too many wait already"] += 1
                continue
            task = asyncio.create_task(send(next(paths), due))
            open_requests.add(task)
            task.add_done_callback(open_requests.discard)
        await asyncio.gather(*open_requests)
    for task in open_requests:
        task.cancel()
    report(reported + 1)
    return total


async def _answer(http: httpx.AsyncClient, path: str) -> tuple[str | None, str]:
    """The reason why a request failed, or None, and the server that answered."""
    try:
        response = await http.get(path)
    except httpx.HTTPError as error:
        return type(error).__name__, ""
    if response.status_code >= httpx.codes.BAD_REQUEST:
        return str(response.status_code), ""
    named = response.headers.get("X-Served-By") or "somebody"
    return None, named.partition("/")[0]


def line(seen: Seen) -> str:
    """The results in one line."""
    times = seen.milliseconds or [0.0]
    servers = ", ".join(f"{name} {count}" for name, count in sorted(seen.servers.items()))
    return (
        f"{seen.sent} sent, {sum(seen.failures.values())} failed, "
        f"median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms"
        f" | {servers or 'no answer'}"
    )


def summary(seen: Seen) -> str:
    """The results of the whole load, with the reasons of failures."""
    times = sorted(seen.milliseconds) or [0.0]
    slow = times[min(len(times) - 1, round(len(times) * 0.99))]
    failed = ", ".join(f"{reason} ({count})" for reason, count in seen.failures.most_common())
    return (
        f"In all: {seen.sent} sent, {sum(seen.failures.values())} failed, "
        f"median {statistics.median(times):.0f} ms, 99 of 100 within {slow:.0f} ms"
        + (f"\nFailed: {failed}" if failed else "")
    )


async def _main(plan: Plan) -> None:
    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    say(f"{plan.rate} requests a second for {plan.seconds} s. Ctrl-C stops.")
    async with client(plan.port) as http:
        say(summary(await run(plan, http, say)))


def main() -> int:
    """Run. Returns 0, and 1 if no board answers or a setting is invalid."""
    try:
        asyncio.run(_main(read(os.environ)))
    except CannotRollOutError as refused:
        sys.stderr.write(f"make traffic: {refused}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
