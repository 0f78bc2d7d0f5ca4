"""The visitors of a board, and clients that follow its event streams."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from strangle.history import History
from strangle.load.client import Client
from strangle.load.recorder import Recorder
from strangle.load.streams import StreamClient
from strangle.load.visitors import Visitors

_STREAMS: Final = 8
_OPEN_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Crowd:
    """Visitors who have arrived, and what they send and record."""

    client: Client
    recorder: Recorder
    visitors: Visitors

    @property
    def history(self) -> History:
        """Everything that was recorded."""
        return self.recorder.history

    @property
    def moderator_token(self) -> str:
        """The session of the moderator among them."""
        assert self.visitors.moderator is not None  # noqa: S101 - they have arrived
        return self.visitors.moderator.token


@asynccontextmanager
async def crowd(
    port: int, grant_admin: Callable[[str], Coroutine[Any, Any, None]]
) -> AsyncIterator[Crowd]:
    """Let visitors arrive at the board on that port, and open event streams, until the block ends.
    `grant_admin` makes a user an admin. Raises CannotPlayError if they cannot sign in."""
    client, history = Client(port), History()
    recorder = Recorder(client, history)
    visitors = Visitors(recorder, random.Random(1))  # noqa: S311 - a load, not a secret
    await visitors.arrive(grant_admin)
    threads = [*visitors.growing, visitors.moderated]
    streams = [
        StreamClient(port, threads[number % len(threads)], history) for number in range(_STREAMS)
    ]
    following = [asyncio.create_task(one.run()) for one in streams]
    try:
        for one in streams:
            async with asyncio.timeout(_OPEN_SECONDS):
                await one.opened.wait()
        yield Crowd(client, recorder, visitors)
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        client.close()
