"""Clients that disconnect before the gateway has a target connection, or has accepted them."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
import uvloop

from gateway.proxy.data_plane import DataPlane
from gateway.targets.target import Target
from tests.unit.gateway.complaints import Complaints
from tests.unit.gateway.support import bench_of_one_test, until


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_cancelled_connect_leaves_no_connection(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def give_up_at_every_moment() -> None:
        async with bench_of_one_test() as bench:
            gateway = await bench.gateway(await bench.target())
            (target,) = gateway.groups["Web"].registered
            for rounds in range(40):
                await give_up_after(rounds, gateway.plane, target)
            await until(lambda: not target.connections)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(give_up_at_every_moment())


async def give_up_after(rounds: int, plane: DataPlane, target: Target) -> None:
    """Starts to connect, and cancels it after that many rounds of the loop."""
    connecting = asyncio.create_task(plane.connect(target))
    for _ in range(rounds):
        await asyncio.sleep(0)
    connecting.cancel()
    with suppress(asyncio.CancelledError):
        (await connecting).close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_client_that_disconnects_before_it_is_accepted_is_no_error(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    complaints = Complaints()
    logging.getLogger("asyncio").addHandler(complaints)

    async def run() -> None:
        async with bench_of_one_test() as bench:
            gateway = await bench.gateway(await bench.target())
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", gateway.port)) as client:
                    # A reset instead of an end.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert (await (await bench.client(gateway)).get()).body == b"ok"
            await until(lambda: gateway.open_clients <= 1)

    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(run())
    finally:
        logging.getLogger("asyncio").removeHandler(complaints)
    assert not complaints.lines
