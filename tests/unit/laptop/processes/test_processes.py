"""Child processes, tested with real ones: their output, their end, and that none is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from laptop.errors import CannotRunError
from laptop.log import MergedLog
from laptop.processes import die_with_parent
from laptop.processes.process import Process, Program, describe_exit, run_once
from laptop.processes.supervised import RestartBudget, SupervisedProcess
from tests.eventually import eventually, eventually_blocking

IsRunning = Callable[[int], bool]

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")


class Recorded:
    """A log that is written to a file and can be read back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.log = MergedLog(self._descriptor, names=["child"], colour=False)

    def text(self) -> str:
        """The text that has been written so far."""
        return self.path.read_text()

    def everything(self) -> str:
        """Close the log, and return everything that was logged."""
        self.log.close()
        return self.text()

    def close(self) -> None:
        self.log.close()
        os.close(self._descriptor)


@pytest.fixture
async def recorded(tmp_path: Path) -> AsyncIterator[Recorded]:
    made = Recorded(tmp_path / "log")
    yield made
    made.close()


def program(text: str, *arguments: str) -> Program:
    code = textwrap.dedent(text)
    command = (sys.executable, "-I", "-S", "-u", "-c", code, *arguments)
    return Program("child", command, {"PATH": os.defpath}, Path("/"))


async def until(condition: Callable[[], object], what: str) -> None:
    async def holds() -> bool:
        return bool(condition())

    await eventually(holds, what=what)


IGNORES_SIGTERM = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf")
    time.sleep(60)
"""


async def test_all_output_is_logged_before_the_end_is_reported(recorded: Recorded) -> None:
    process = Process(
        program("import sys; print('out'); sys.stderr.write('err'); sys.exit(7)"), recorded.log
    )
    assert await process.wait() == 7
    assert recorded.text() == "child | out\nchild | err\n"
    assert process.last_lines == "out\nerr"


async def test_stop_lets_the_process_finish(recorded: Recorded) -> None:
    process = Process(
        program(
            """
            import signal, sys, time
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("finished")))
            print("ready")
            time.sleep(60)
            """
        ),
        recorded.log,
    )
    await until(lambda: "ready" in recorded.text(), "the process is ready")
    assert await process.stop(patience=10) == 0
    assert "finished" in recorded.text()
    assert await process.stop(patience=10) == 0


async def test_process_that_does_not_stop_is_killed_and_logged(recorded: Recorded) -> None:
    process = Process(program(IGNORES_SIGTERM), recorded.log)
    await until(lambda: "deaf" in recorded.text(), "the process ignores SIGTERM")
    assert await process.stop(patience=0.1) == -signal.SIGKILL
    assert "did not stop within 0.1 s and is killed" in recorded.everything()


async def test_kill_and_stop_together_lose_no_exit_code(recorded: Recorded) -> None:
    processes = [Process(program("import time; time.sleep(60)"), recorded.log) for _ in range(8)]
    for process in processes:
        process.kill()
    async with asyncio.timeout(20):
        codes = [await process.stop(30) for process in processes]
    assert codes == [-signal.SIGKILL] * 8


@linux_only
async def test_children_of_a_process_end_with_it(recorded: Recorded, is_running: IsRunning) -> None:
    process = Process(
        program(
            """
            import subprocess, sys
            print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
            """
        ),
        recorded.log,
    )
    assert await process.wait() == 0
    left = int(process.last_lines)
    await until(lambda: not is_running(left), "the grandchild has ended")


async def test_process_does_not_get_the_terminals_ctrl_c(recorded: Recorded) -> None:
    process = Process(program("import time; time.sleep(60)"), recorded.log)
    assert os.getsid(process.pid) == process.pid
    await process.stop(patience=10)


async def test_failed_command_raises_with_its_output(
    recorded: Recorded,
) -> None:
    await run_once(program("print('done')"), recorded.log)
    with pytest.raises(CannotRunError) as failed:
        await run_once(program("import sys; sys.exit('no such database')"), recorded.log)
    assert str(failed.value) == ("child failed: exit code 1. Its last lines:\n    no such database")


async def test_a_cancelled_command_is_stopped_first(
    recorded: Recorded, is_running: IsRunning
) -> None:
    command = program("import os, time; print(os.getpid()); time.sleep(60)")
    running = asyncio.create_task(run_once(command, recorded.log))
    await until(lambda: "\n" in recorded.text(), "the command runs")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not is_running(int(recorded.text().split("|")[1]))


async def test_missing_program_is_logged(recorded: Recorded) -> None:
    missing = Program("child", ("/no/such/program",), {}, Path("/"))
    with pytest.raises(CannotRunError, match="/no/such/program: No such file or directory"):
        await run_once(missing, recorded.log)


async def test_a_supervised_process_is_restarted_when_it_ends(
    recorded: Recorded, tmp_path: Path
) -> None:
    text = """
        import os, pathlib, sys, time
        path = pathlib.Path(sys.argv[1])
        path.write_text((path.read_text() if path.exists() else "") + "x")
        if path.read_text() == "x":
            print("last words")
            os._exit(3)
        print("second life")
        time.sleep(60)
    """
    supervised = SupervisedProcess(
        program(text, str(tmp_path / "lives")), recorded.log, restart_after=0.01
    )
    supervised.start()
    supervised.establish()
    supervising = asyncio.create_task(supervised.supervise())
    await until(lambda: "second life" in recorded.text(), "it was restarted")
    assert "child | child ended unexpectedly: exit code 3. Its last lines:\n" in recorded.text()
    assert "child |     last words\n" in recorded.text()
    assert "child | restarted child\n" in recorded.text()
    await supervised.stop(patience=10)
    async with asyncio.timeout(20):
        await supervising


async def test_a_process_that_ends_during_the_start_is_not_restarted(recorded: Recorded) -> None:
    supervised = SupervisedProcess(program("import sys; sys.exit('bad setting')"), recorded.log)
    supervised.start()
    with pytest.raises(CannotRunError, match=r"exit code 1\. Its last lines:\n    bad setting"):
        await supervised.supervise()


async def test_process_that_ends_six_times_in_a_minute_is_not_restarted(recorded: Recorded) -> None:
    supervised = SupervisedProcess(program("print('once more')"), recorded.log, restart_after=0.0)
    supervised.start()
    supervised.establish()
    with pytest.raises(CannotRunError, match="child ended six times within a minute"):
        await supervised.supervise()
    assert recorded.text().count("child | once more\n") == 6


async def test_a_stop_during_the_pause_before_a_restart_prevents_it(recorded: Recorded) -> None:
    supervised = SupervisedProcess(program("print('once')"), recorded.log, restart_after=60)
    supervised.start()
    supervised.establish()
    supervising = asyncio.create_task(supervised.supervise())
    await until(lambda: "ended unexpectedly" in recorded.text(), "it has ended")
    await supervised.stop(patience=1)
    async with asyncio.timeout(20):
        await supervising
    assert "restarted" not in recorded.everything()


def test_restarts_are_counted_over_a_sliding_minute() -> None:
    times = iter([0.0, 10.0, 20.0, 30.0, 40.0, 59.9, 60.0, 60.0])
    budget = RestartBudget(lambda: next(times))
    assert [budget.spend() for _ in range(8)] == [True] * 5 + [False, True, False]


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "ended by SIGKILL"), (-250, "by signal 250")],
)
def test_exit_is_described_in_words(code: int, words: str) -> None:
    assert words in describe_exit(code)


@linux_only
def test_process_gets_sigterm_when_its_parent_is_killed(is_running: IsRunning) -> None:
    parent_code = """
import asyncio, os, sys, time
from pathlib import Path
from laptop.log import MergedLog
from laptop.processes.process import Process, Program

async def main():
    log = MergedLog(1, names=[], colour=False)
    child = Program("child", (sys.executable, "-c", "import time; time.sleep(60)"), {}, Path("/"))
    print(Process(child, log).pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
    eventually_blocking(lambda: not is_running(child), what="the child has ended")


@linux_only
def test_program_does_not_start_if_its_parent_has_ended() -> None:
    command = die_with_parent.command(["/bin/echo", "started"], death_signal=signal.SIGTERM)
    place = command.index(str(os.getpid()))
    command[place] = "1"
    result = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "the process that started this one has ended" in result.stderr


def test_program_starts_with_default_signal_handlers(tmp_path: Path) -> None:
    ignored = tmp_path / "ignored"
    command = die_with_parent.command(
        ["/bin/sh", "-c", f"kill -PIPE $$; echo survived > {ignored}"],
        death_signal=signal.SIGTERM,
    )
    assert subprocess.run(command, timeout=10).returncode == -signal.SIGPIPE
    assert not ignored.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_a_program_can_be_started_as_another_user() -> None:
    command = die_with_parent.command(
        ["/usr/bin/id"], death_signal=signal.SIGTERM, account=(65534, 65533, [65533, 65532])
    )
    result = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert "uid=65534" in result.stdout
    assert "gid=65533" in result.stdout
    assert "65532" in result.stdout
    assert "root" not in result.stdout
