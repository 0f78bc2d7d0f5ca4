"""Runs the commands of the lesson as somebody at a terminal would."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from tests.eventually import eventually_blocking
from tests.lesson.pages import PORTS, Command, Step, Stop, begins, matches
from tests.repository import ROOT

_COMMAND_SECONDS: Final = 240.0
_START_SECONDS: Final = 150.0
_STOP_SECONDS: Final = 40.0


class Terminals:
    """The terminals of one person who works through the lesson.

    `ports` has the port on which each port of the pages is here. `environment` is added to every
    command's environment.
    """

    def __init__(
        self, ports: Mapping[str, str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self._ports = ports
        self._environment = {
            name: value
            for name, value in os.environ.items()
            # A command must be for the board that the lesson has started.
            if not name.startswith(("AWS_", "MAKE", "MFLAGS", "COMPOSE_"))
        } | dict(environment)
        self._folder = folder
        self._background: list[_Started] = []
        self._meanwhile: list[_Started] = []

    def play(self, step: Step) -> None:
        """Carry out one step. AssertionError if a command does not do what its page says."""
        if isinstance(step, Stop):
            self.end_meanwhile()
            self._background.pop().interrupt()
        elif step.how == "background":
            started = self._start(step)
            self._background.append(started)
            wanted = step.output or ""
            try:
                eventually_blocking(
                    lambda: begins(wanted, started.output) or started.has_ended,
                    within=_START_SECONDS,
                )
            finally:
                assert begins(wanted, started.output), different(step, started.output)
        elif step.how == "meanwhile":
            self._meanwhile.append(self._start(step))
        else:
            self._run(step)

    def end_meanwhile(self) -> None:
        """Wait for what runs meanwhile, and compare its output. The end of a page, and Ctrl-C, wait
        for it."""
        while self._meanwhile:
            started = self._meanwhile.pop()
            status = started.wait(_COMMAND_SECONDS)
            assert status == 0, different(started.command, started.output)
            _compare(started.command, started.output)

    def close(self) -> None:
        """Stop everything that still runs."""
        for started in (*self._meanwhile, *reversed(self._background)):
            started.interrupt()

    def _run(self, command: Command) -> None:
        started = self._start(command)
        status = started.wait(_COMMAND_SECONDS)
        what = f"exit status {status}\n{different(command, started.output)}"
        assert (status != 0) == (command.how == "fails"), what
        _compare(command, started.output)

    def _start(self, command: Command) -> "_Started":
        return _Started(command, self._environment, self._folder, self._ports)


class _Started:
    """A command that was started, in a session of its own."""

    def __init__(
        self,
        command: Command,
        environment: Mapping[str, str],
        folder: Path,
        ports: Mapping[str, str],
    ) -> None:
        self.command = command
        self._ports = ports
        text = command.text
        for port, here in ports.items():
            text = text.replace(f"localhost:{port}", f"localhost:{here}")
            text = text.replace(f"PORT={port}", f"PORT={here}")
        handle, name = tempfile.mkstemp(dir=folder)
        self._path = Path(name)
        with os.fdopen(handle, "wb") as output:
            self._process = self._popen(text, environment, output)

    @staticmethod
    def _popen(
        text: str, environment: Mapping[str, str], output: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            ["bash", "-c", text],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        """What it has printed so far, with the ports of the pages."""
        text = self._path.read_text("utf-8", errors="replace")
        for port, here in self._ports.items():
            text = text.replace(f"localhost:{here}", f"localhost:{port}")
            text = text.replace(f"port {here}", f"port {port}")
        return text

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def wait(self, seconds: float) -> int:
        """Wait until it ends, and return its exit status. Stops it after so many seconds."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.interrupt()
            raise AssertionError(
                f"{self.command} has not ended after {seconds:g} s\n{self.output}"
            ) from None

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait until it has ended."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise AssertionError(f"{self.command} did not stop after Ctrl-C") from None


def _compare(command: Command, output: str) -> None:
    assert matches(command.output or "", output), different(command, output)


def different(command: Command, output: str) -> str:
    """What a page says a command prints, and what it printed."""
    return f"{command}\n--- the page ---\n{command.output or ''}--- here ---\n{output}"


@contextmanager
def terminals(ports: Mapping[str, str], environment: Mapping[str, str]) -> Iterator[Terminals]:
    """The terminals, until everything in them was stopped."""
    assert ports.keys() == set(PORTS)
    with tempfile.TemporaryDirectory() as folder:
        made = Terminals(ports, environment, Path(folder))
        try:
            yield made
        finally:
            made.close()
