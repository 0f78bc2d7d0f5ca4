"""Starts, logs and stops one child process."""

import asyncio
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from laptop.errors import CannotRunError
from laptop.log import MergedLog
from laptop.processes import die_with_parent

_LINES_SHOWN = 10


@dataclass(frozen=True)
class Program:
    """A program to run. `environment` is its whole environment, `folder` its working directory."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


class Process:
    """One running process, in a session of its own, whose output goes to the log.

    On Linux, it gets SIGTERM when the thread that created this object ends.
    """

    def __init__(self, program: Program, log: MergedLog) -> None:
        """Start the process; needs a running event loop.

        If the program does not exist, the process logs that and ends with code 1. OSError if the
        Python interpreter that starts it cannot be run.
        """
        self.program = program
        self._log = log
        self._last_lines: deque[bytes] = deque(maxlen=_LINES_SHOWN)
        self._reaping = threading.Lock()
        self._popen = subprocess.Popen(  # noqa: S603 - no shell, and our own arguments
            die_with_parent.command(list(program.command), death_signal=signal.SIGTERM),
            cwd=program.folder,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal reaches only the parent, which stops all processes in order.
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._life = asyncio.create_task(self._live(), name=f"life of {program.name}")

    @property
    def last_lines(self) -> str:
        """The last ten lines of its output so far."""
        return b"\n".join(self._last_lines).decode("utf-8", "surrogateescape")

    async def wait(self) -> int:
        """Wait until it has ended and its output is logged.

        Returns its exit code, or minus the number of the signal that ended it.
        """
        return await asyncio.shield(self._life)

    async def stop(self, patience: float) -> int:
        """Send SIGTERM, and SIGKILL after `patience` seconds. Returns what `wait()` returns."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience):
                return await self.wait()
        except TimeoutError:
            self._log.say(self.program.name, f"did not stop within {patience:g} s and is killed")
            self.kill()
            return await self.wait()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Send SIGSTOP: it does nothing until `thaw()`, and its connections stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Send SIGCONT: it continues after `freeze()`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with self._reaping:
            if self._popen.returncode is None:
                os.kill(self.pid, number)

    async def _live(self) -> int:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[int] = loop.create_future()
        # A thread blocked in waitpid costs nothing and works on every system.
        threading.Thread(
            target=self._reap, args=(loop, ended), name=f"wait for {self.pid}", daemon=True
        ).start()
        output = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(output), self._popen.stdout
        )
        following = asyncio.create_task(
            self._log.follow(self.program.name, output, self._last_lines)
        )
        try:
            code = await ended
            # Log the rest of the output, for a second at most: the log's reader may have stopped.
            await asyncio.wait([following], timeout=1.0)
            return code
        finally:
            following.cancel()
            transport.close()

    def _reap(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[int]) -> None:
        if hasattr(os, "waitid"):
            # Its id is not reused before it is reaped, so no signal reaches another process.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            with self._reaping:
                # Also ends the processes that it has started and left behind.
                os.killpg(self.pid, signal.SIGKILL)
                code = self._popen.wait()
        else:
            code = self._popen.wait()
        try:
            loop.call_soon_threadsafe(_settle, ended, code)
        except RuntimeError:
            # The loop was closed in the meantime, so nobody is waiting.
            pass


async def run_once(program: Program, log: MergedLog) -> None:
    """Run a program until it ends. If the caller is cancelled, the program is stopped first.

    Raises:
        CannotRunError: the exit code is not 0; the message has the last lines of the output.
    """
    process = Process(program, log)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await process.stop(patience=3.0)
        raise
    if code != 0:
        message = f"{program.name} failed: {describe_exit(code)}"
        if process.last_lines:
            message += f". Its last lines:\n{indented(process.last_lines)}"
        raise CannotRunError(message)


def describe_exit(code: int) -> str:
    """Describe an exit code; if a signal ended the process, `code` is minus its number."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def indented(text: str) -> str:
    """Indent each line of `text` by four spaces."""
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _settle(future: asyncio.Future[int], code: int) -> None:
    if not future.done():
        future.set_result(code)
