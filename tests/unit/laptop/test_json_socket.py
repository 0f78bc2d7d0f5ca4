"""The control socket of a run: commands in, results or sentences out."""

import asyncio
import json
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from laptop import control, json_socket
from laptop.errors import CannotRunError, RefusedOperationError
from laptop.json_socket import CommandServer, send
from laptop.postgres import socket_folder
from tests.eventually import eventually


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is short enough for a socket, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="board-", dir="/tmp") as name:
        yield Path(name)


async def handle(request: Mapping[str, Any]) -> object:
    if request.get("command") == "refuse":
        raise RefusedOperationError("This is refused")
    return {"received": request}


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(CommandServer(path, handle).serve())

    async def listens() -> bool:
        return task.done() or json_socket.listens(path)

    await eventually(listens)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(path: Path, request: Mapping[str, object]) -> Any:
    return await asyncio.to_thread(send, path, request, seconds=5.0)


async def test_command_gets_its_result_and_only_the_owner_can_send_one(short: Path) -> None:
    path = short / "run"
    async with serving(path):
        assert await ask(path, {"command": "x", "n": 1}) == {"received": {"command": "x", "n": 1}}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_refusal_is_a_sentence(short: Path) -> None:
    async with serving(short / "run"):
        with pytest.raises(RefusedOperationError, match="This is refused"):
            await ask(short / "run", {"command": "refuse"})


@pytest.mark.parametrize("line", [b"no json\n", b"[]\n", b"\xff\n", b"7\n"])
async def test_request_that_is_no_object_is_refused(short: Path, line: bytes) -> None:
    async with serving(short / "run"):
        reader, writer = await asyncio.open_unix_connection(short / "run")
        writer.write(line)
        response = json.loads(await reader.read())
        writer.close()
        assert "is not" in response["problems"][0]


async def test_socket_of_a_killed_run_is_replaced(short: Path) -> None:
    path = short / "run"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    async with serving(path):
        assert (await ask(path, {}))["received"] == {}


async def test_socket_of_another_run_is_not_taken_over(short: Path) -> None:
    path = short / "run"
    async with serving(path):
        with pytest.raises(CannotRunError, match="belongs to another run"):
            await CommandServer(path, handle).serve()
        assert (await ask(path, {}))["received"] == {}


async def test_running_board_is_found_in_its_data_folder(short: Path) -> None:
    assert control.find(short) is None
    folder = socket_folder.choose(short, None, short, control.CONTROL)
    assert control.find(short) is None
    async with serving(folder / control.RUN_SOCKET):
        found = control.find(short)
        assert found is not None
        state = await asyncio.to_thread(found.send, "state", a=1)
        assert state == {"received": {"command": "state", "a": 1}}


async def test_board_with_a_long_data_folder_is_found(short: Path) -> None:
    data_folder = short / ("long" * 30)
    data_folder.mkdir()
    assert control.find(data_folder) is None
    folder = socket_folder.choose(data_folder, None, short, control.CONTROL)
    async with serving(folder / control.RUN_SOCKET):
        assert control.find(data_folder) is not None
