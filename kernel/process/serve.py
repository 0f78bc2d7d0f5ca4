"""Runs a process: listens, serves until it is asked to stop, drains, stops.

This module owns the `uvicorn.Server`, because uvicorn by itself refuses connections 0.2 s after
SIGTERM and informs the application last, while a load balancer continues to send requests until its
health checks have failed.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from kernel.process import logs
from kernel.process.drain import Drain
from kernel.process.lifecycle import Lifecycle
from kernel.process.protocol import ShortcutProtocol
from kernel.process.settings import ProcessSettings

log = logging.getLogger("board.serve")

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s for which a load balancer keeps idle connections open. The side that sends
requests must close first, or a request could arrive at a closed connection."""

LONGEST_REQUEST_SECONDS = 10
"""How long requests in flight may take after draining."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals are handled below


@asynccontextmanager
async def listening(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on a bound socket until the block ends, then let requests in flight finish."""
    config = uvicorn.Config(
        app,
        http=ShortcutProtocol,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=LONGEST_REQUEST_SECONDS,
    )
    # Connections inherit it. asyncio, unlike uvloop, sets it only on sockets that were created with
    # the number of TCP, and then each body waits up to 40 ms for an acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield  # connections wait in the socket's backlog until the server has started
    finally:
        server.should_exit = True
        await serving


Application = Callable[[Lifecycle], AbstractAsyncContextManager[ASGIApp]]
"""A composition root: opens what the process needs, yields the application, and closes it."""


def run(application: Application, settings: ProcessSettings, process: str) -> None:
    """Run the process with this name: serve until SIGTERM or SIGINT, then drain and stop."""
    with logs.batched(settings.log_format), _exporting_spans(process, settings):
        _run_event_loop(_run(application, settings))


def _exporting_spans(process: str, settings: ProcessSettings) -> AbstractContextManager[None]:
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        return contextlib.nullcontext()
    from kernel.process.spans.export import exporting  # imports OpenTelemetry

    headers, ratio = settings.otel_exporter_otlp_headers, settings.otel_traces_sampler_arg
    return exporting(process, settings.instance, endpoint, headers, ratio)


def _run_event_loop(main: Coroutine[object, object, None]) -> None:
    try:
        import uvloop  # not available on every platform
    except ModuleNotFoundError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def exempt_from_garbage_collection() -> None:
    """Exempt all objects that exist now. Those of a process that has started stay until its end,
    and looking through them takes 80 ms, during which nobody is answered."""
    gc.collect()
    gc.freeze()


async def _run(application: Application, settings: ProcessSettings) -> None:
    lifecycle = Lifecycle()
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, lifecycle.drain)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    gc.disable()  # takes 60 ms of the start of the monolith, and finds little
    async with application(lifecycle) as app:
        exempt_from_garbage_collection()
        gc.enable()
        drain = Drain(app, loop.time)
        async with listening(drain, listener):
            log.info("serving on %s:%d", *listener.getsockname()[:2])
            await lifecycle.wait_until_draining()
            log.info("asked to stop; draining for up to %g s", settings.drain_seconds)
            await drain.wait(settings.drain_seconds, settings.drain_silence_seconds)
    log.info("stopped")
