"""Waits for a paused database: Aurora at zero capacity refuses connections while it resumes, which
takes about 15 seconds, or 30 and more after a day (Aurora User Guide, Scaling to Zero ACUs)."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

log = logging.getLogger("board.waking")

_PAUSE: Final = 2.0
_CONNECT_TIMEOUT: Final = 10.0
_NOT_AWAKE: Final = (OSError, TimeoutError, asyncpg.CannotConnectNowError,
                     asyncpg.PostgresConnectionError)  # fmt: skip


class Waking(BaseSettings):
    """How long to wait for a database to resume, in seconds; 0 for one that is never paused."""

    model_config = SettingsConfigDict(frozen=True)

    database_wakes_within: float = Field(default=0, ge=0, le=600)


Connect = Callable[[str], Awaitable[None]]
"""Connects to a URL, and closes the connection."""


async def connect_once(url: str) -> None:
    """Connect, and close the connection. Raises asyncpg's errors, `OSError` and
    `TimeoutError`."""
    connection = await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT)
    await connection.close()


async def wait_until_awake(
    url: str,
    within: float,
    connect: Connect = connect_once,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Wait until the server at the URL accepts connections.

    Also returns if the server refuses the connection for a reason that does not go away by waiting,
    such as a wrong password: the caller's own connection will report it. After `within` seconds,
    raises the error of the last attempt.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    said = False
    while True:
        try:
            await connect(url)
        except ssl.SSLError:
            # The server answers, but its certificate is wrong.
            return
        except _NOT_AWAKE as error:
            if loop.time() - began >= within:
                raise
            if not said:
                said = True
                log.info(
                    "the database does not answer yet (%s); it may be waking up: waiting up to "
                    "%d seconds", str(error) or type(error).__name__, within,
                )  # fmt: skip
            await sleep(_PAUSE)
        except asyncpg.PostgresError:
            return
        else:
            return
