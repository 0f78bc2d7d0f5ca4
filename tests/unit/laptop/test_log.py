"""The merged log writes whole lines with the name of their process, for any bytes at any speed."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from laptop.log import MergedLog, wants_colour

NAMES = ["board", "users", "gateway"]


class Output:
    """A log that writes to a file."""

    def __init__(self, path: Path, *, colour: bool = False) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        self.log = MergedLog(self._descriptor, names=NAMES, colour=colour)

    def end(self) -> bytes:
        self.log.close()
        os.close(self._descriptor)
        return self._path.read_bytes()


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "log")


def stream(*chunks: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    for chunk in chunks:
        reader.feed_data(chunk)
    reader.feed_eof()
    return reader


async def test_every_line_starts_with_its_process_in_a_column(output: Output) -> None:
    await output.log.follow("users", stream(b"one\ntw", b"o\n"))
    output.log.say("gateway", "three\nfour")
    assert output.end() == b"users   | one\nusers   | two\ngateway | three\ngateway | four\n"


async def test_last_line_without_a_line_end_gets_one(output: Output) -> None:
    await output.log.follow("users", stream(b"cut of"))
    assert output.end() == b"users   | cut of\n"


async def test_empty_lines_are_kept_and_carriage_returns_removed(output: Output) -> None:
    await output.log.follow("users", stream(b"\r\n\na\r\n"))
    assert output.end() == b"users   | \nusers   | \nusers   | a\n"


async def test_invalid_utf_8_is_logged_unchanged(output: Output) -> None:
    last: deque[bytes] = deque(maxlen=2)
    await output.log.follow("users", stream(b"\xff\xfe \x80\n"), last)
    assert output.end() == b"users   | \xff\xfe \x80\n"
    assert [*last] == [b"\xff\xfe \x80"]


async def test_a_long_line_is_kept_whole(output: Output) -> None:
    line = b"0123456789" * 50_000
    await output.log.follow("users", stream(line + b"\n"))
    assert output.end() == b"users   | " + line + b"\n"


async def test_endless_line_is_split_without_loss(output: Output) -> None:
    await output.log.follow("users", stream(b"x" * 3_000_000))
    written = output.end()
    assert written.count(b"x") == 3_000_000
    assert max(len(line) for line in written.split(b"\n")) < 1_200_000


async def test_last_lines_are_stored(output: Output) -> None:
    last: deque[bytes] = deque(maxlen=2)
    await output.log.follow("users", stream(b"a\nb\nc\nd"), last)
    assert [*last] == [b"c", b"d"]
    output.end()


async def test_each_process_has_its_own_colour_on_a_terminal(tmp_path: Path) -> None:
    output = Output(tmp_path / "log", colour=True)
    for name in NAMES:
        output.log.say(name, "text")
    lines = output.end().splitlines()
    colours = {line.split(b"m")[0] for line in lines}
    assert len(colours) == 3
    assert all(line.endswith(b"\x1b[0mtext") for line in lines)


@pytest.mark.parametrize(
    ("terminal", "environment", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
    ],
)
def test_colour_is_used_on_terminals_without_no_color(
    terminal: bool, environment: dict[str, str], colour: bool
) -> None:
    assert wants_colour(terminal, environment) is colour


async def test_busy_process_does_not_delay_another_ones_lines(
    output: Output,
) -> None:
    class Flood(asyncio.StreamReader):
        """An endless output."""

        async def read(self, n: int = -1) -> bytes:
            return b"flood\n" * (n // 6)

    flooding = asyncio.create_task(output.log.follow("gateway", Flood()))
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await output.log.follow("users", stream(b"heard\n"))
    flooding.cancel()
    assert b"users   | heard\n" in output.end()


@pytest.fixture
def full_pipe() -> tuple[int, int]:
    """A full pipe: writing blocks until somebody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


async def test_unread_output_blocks_only_the_log(
    full_pipe: tuple[int, int],
) -> None:
    reader, writer = full_pipe
    log = MergedLog(writer, names=NAMES, colour=False)
    log.say("board", "said")
    following = asyncio.create_task(log.follow("users", stream(b"line\n")))
    done, _ = await asyncio.wait([following], timeout=0.1)
    assert not done
    log.close(timeout=0.05)
    # When it is read, all lines arrive in order.
    await asyncio.to_thread(drain, reader, lambda text: text.endswith(b"users   | line\n"))
    async with asyncio.timeout(20):
        await following
    os.close(reader)
    os.close(writer)


async def test_closed_output_stops_neither_the_log_nor_the_process(
    full_pipe: tuple[int, int],
) -> None:
    reader, writer = full_pipe
    os.close(reader)
    log = MergedLog(writer, names=NAMES, colour=False)
    async with asyncio.timeout(20):
        await log.follow("users", stream(b"one\n", b"two\n"))
    log.close()
    os.close(writer)


def drain(reader: int, enough: Callable[[bytes], bool]) -> None:
    text = b""
    while not enough(text):
        text = (text + os.read(reader, 65_536))[-1000:]
    assert b"board   | said\n" in text
