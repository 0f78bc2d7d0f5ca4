"""Searches the logs of a board for the secrets that its tests know."""

import asyncio
import secrets

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import visiting


async def logged_secrets(board: Board) -> set[str]:
    """The secrets that the logs of a board contain. Waits until the lines of all requests that were
    answered before have been written."""
    logs = board.logs
    assert logs is not None, "nobody knows where this board logs to"
    last = f"/api/threads/the-last-one-{secrets.token_hex(4)}"
    async with visiting(board) as http:
        assert (await http.get(last)).status_code == 404

    async def everything() -> str | None:
        text = await asyncio.to_thread(logs.read)
        return text if text.count(last) >= logs.lines else None

    text = await eventually(everything, within=30, what=f"{logs.lines} lines with {last}")
    return board.secrets.found_in(text)
