"""The pool of rendering processes.

Threads would share the interpreter with the event loop, and cannot be killed
(docs/decisions/rendering.md). Only the processes import the libraries that render, which takes
60 ms.
"""

import asyncio
import logging
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from kernel.errors import FieldError, Invalid, Unavailable
from kernel.process.spans.tracer import span
from services.posts.markup.frames import HEADER, HTML, REFUSAL, TEXT, frame

log = logging.getLogger("board.markup")

_WORKER = "services.posts.markup.worker"
_ROOT = Path(__file__).parents[3]
_LONGEST_WAIT = 8.0
_LONGEST_ANSWER = 15.0  # a busy machine may need long for a second of CPU time
_LONGEST_END = 2.0


class WorkerDied(Exception):
    """A worker ended in the middle of a text. `status` is its exit status: minus the number of the
    signal that ended it, if one did."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class RenderPool:
    """Renders posts in a few processes, at most one text of each user at a time, so that one user
    cannot occupy all of them."""

    def __init__(self, workers: Sequence["_Worker"]) -> None:
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for each in workers:
            self._idle.put_nowait(each)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @classmethod
    @asynccontextmanager
    async def open(cls, public_origin: str, size: int) -> AsyncIterator["RenderPool"]:
        """A pool of `size` processes, for the board at this origin."""
        command = [sys.executable, "-m", _WORKER, public_origin]
        async with cls.of_command(command, size) as pool:
            yield pool

    @classmethod
    @asynccontextmanager
    async def of_command(cls, command: Sequence[str], size: int) -> AsyncIterator["RenderPool"]:
        """A pool of `size` processes of a program with the protocol of `frames`. They end with the
        block."""
        async with AsyncExitStack() as stack:
            workers = [_Worker(command) for _ in range(size)]
            for each in workers:
                stack.push_async_callback(each.close)
                await each.start()
            yield cls(workers)

    async def render(self, text: str, user: int) -> str:
        """The HTML of a post of this user. Raises `Invalid` for a text that cannot be a post, and
        `Unavailable` if no process becomes free or none can be started."""
        with span("render"):
            return await self._in_turn(text, user)

    async def _in_turn(self, text: str, user: int) -> str:
        turn = self._turns.setdefault(user, asyncio.Lock())
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                await turn.acquire()
        except TimeoutError as error:
            raise Unavailable(_BUSY) from error
        try:
            return await self._render(text)
        finally:
            turn.release()

    async def _render(self, text: str) -> str:
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                free = await self._idle.get()
        except TimeoutError as error:
            raise Unavailable(_BUSY) from error
        try:
            kind, content = await self._answer(free, text)
        finally:
            self._idle.put_nowait(free)
        if kind == HTML:
            return content
        if kind == REFUSAL:
            raise Invalid(FieldError("/text", content))
        raise RuntimeError(f"a text could not be rendered:\n{content}")

    async def _answer(self, free: "_Worker", text: str) -> tuple[bytes, str]:
        try:
            try:
                return await free.ask(text)
            except WorkerDied as death:
                if death.status == -signal.SIGPROF:
                    raise
                log.warning("a rendering process ended by itself (%s); starting another", death)
                return await free.ask(text)
        except WorkerDied as death:
            if death.status == -signal.SIGPROF:
                return REFUSAL, "This text takes too long to render. Make it simpler."
            raise Unavailable("The text could not be rendered. Try again shortly.") from death
        except (OSError, TimeoutError) as error:
            raise Unavailable("The text could not be rendered. Try again shortly.") from error


class _Worker:
    """One process, which is restarted after it has ended."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: Process | None = None

    async def start(self) -> Process:
        """The running process. It does not get this process's environment, which has secrets."""
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, cwd=_ROOT, env={}
            )
        return self._process

    async def ask(self, text: str) -> tuple[bytes, str]:
        """Send a text, and return the kind and the content of the answer. Raises `WorkerDied`, and
        `TimeoutError` if there is none in time. A process that did not answer completely is not
        used again."""
        process = await self.start()
        try:
            async with asyncio.timeout(_LONGEST_ANSWER):
                return await _exchange(process, text)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self._process = None
            raise WorkerDied(await _end(process)) from error
        except BaseException:
            self._process = None
            _kill(process)
            raise

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            await _end(self._process)


async def _exchange(process: Process, text: str) -> tuple[bytes, str]:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    assert process.stdout is not None  # noqa: S101 - likewise
    process.stdin.write(frame(TEXT, text))
    await process.stdin.drain()
    kind, size = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
    return kind, (await process.stdout.readexactly(size)).decode()


async def _end(process: Process) -> int:
    """Close the process's input, kill it if it does not end, and return its exit status."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    process.stdin.close()
    try:
        async with asyncio.timeout(_LONGEST_END):
            return await process.wait()
    except TimeoutError:
        _kill(process)
        return await process.wait()


def _kill(process: Process) -> None:
    try:
        process.kill()
    except ProcessLookupError:
        pass  # it has ended


_BUSY = "Too many texts are being rendered. Try again shortly."
