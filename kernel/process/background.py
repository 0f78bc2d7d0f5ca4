"""Background tasks of a process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

from kernel.errors import Unavailable
from kernel.process.outage_log import OutageLog

Sleep = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def running(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these coroutines as tasks until the block ends, then cancel those that still run. Each
    must handle its own errors."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def repeat(
    attempt: Callable[[], Awaitable[float]],
    log: logging.Logger,
    work: str,
    *,
    pause: float,
    first: float = 0.0,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Call `attempt` until cancelled, `first` seconds from now for the first time. It returns after
    how many seconds to call it again; after a failure, it is called again in `pause` seconds.

    `work` is what it does, in the present participle: "rendering posts". The log has the beginning
    and the end of an outage, and the traceback of each other exception. `sleep` waits that many
    seconds.
    """
    outage = OutageLog(log, work)
    wait = first
    while True:
        if wait > 0:
            await sleep(wait)
        wait = pause
        try:
            wait = await attempt()
        except Unavailable as down:
            outage.failed(down)
        except Exception:
            log.exception("%s failed", work)
        else:
            outage.succeeded()
