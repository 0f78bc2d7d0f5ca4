"""A whole run, with the real PostgreSQL and the real runner, around stand-ins for the board."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

import laptop
import topology
from laptop import ports
from laptop.run import embedded
from tests import data_folders
from tests.eventually import eventually_blocking
from topology.contexts import CONTEXT_NAMES
from topology.deployments import SERVICES

SERVICE_NAMES = {f"{name}-1" for name in SERVICES}

SERVER = """
import os, signal, socket, time

def note(what):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{what} {os.getpid()}\\n")

def serve(name, port, before_the_end=lambda: None):
    def end(*_):
        before_the_end()
        note(f"stopped {name}")
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
    time.sleep(float(os.environ.get("SLOW", "0")))
    with socket.create_server(("127.0.0.1", port)) as server:
        note(f"serving {name}")
        while True:
            connection, _ = server.accept()
            with connection:
                if connection.recv(65536).startswith(b"GET /crash "):
                    print("about to crash")
                    os._exit(3)
                connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
"""

SERVICE = """
import os, stand_in
if os.environ.get("BROKEN") == os.environ["INSTANCE"]:
    raise SystemExit("this cannot work")
stand_in.serve(os.environ["INSTANCE"], int(os.environ["PORT"]))
"""

GATEWAY = """
import sys, stand_in
port = next(word for word in sys.argv if word.startswith("ListenerPort="))
stand_in.serve("gateway", int(port.partition("=")[2]))
"""

BOARD = """
import sys, stand_in
stand_in.note("board " + sys.argv[1])
"""


class Runner:
    """`python -m laptop` in a folder whose services, gateway and board are stand-ins."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes = root / "notes"
        self.log = root / "log"
        self.port = ports.free(1, but=0)[0]
        self.process: subprocess.Popen[bytes] | None = None
        for package in (laptop, topology):
            source = Path(package.__file__ or "").parent
            shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("*.pyc"))
        files = {"stand_in.py": SERVER, "gateway.py": GATEWAY, "board.py": BOARD}
        for name in CONTEXT_NAMES:
            files[f"services/{name}/main.py"] = SERVICE
        for name in ("web", "monolith"):
            files[f"{name}/main.py"] = SERVICE
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def start_without_postgres(
        self, output: int | None = None, **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start a run with database URLs, which the stand-ins never open."""
        urls = {
            f"{name.upper()}_DATABASE_URL": f"postgresql://{name}:x@db.example.com/{name}"
            for name in CONTEXT_NAMES
        }
        return self.start(output=output, **urls, **environment)

    def start(
        self, *arguments: str, output: int | None = None, **environment: str
    ) -> subprocess.Popen[bytes]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "laptop", *arguments],
                cwd=self.root,
                env=inherited
                | {"PORT": str(self.port), "NOTES": str(self.notes), "DATA_DIR": "data"}
                | environment,
                stdout=log if output is None else output,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def started(self) -> dict[str, int]:
        """The ids of the processes that served, by name; after a restart, the last one."""
        return self._noted("serving")

    def stopped(self) -> list[str]:
        return [*self._noted("stopped")]

    def board_commands(self) -> list[str]:
        return [*self._noted("board")]

    def postgres(self) -> int:
        return int((self.root / "data/postgres/postmaster.pid").read_text().split("\n")[0])

    def text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def _noted(self, what: str) -> dict[str, int]:
        text = self.notes.read_text() if self.notes.exists() else ""
        return {m[1]: int(m[2]) for m in re.finditer(rf"^{what} (\S+) (\d+)$", text, re.MULTILINE)}


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder with a cluster, to be copied, which is much faster than creating one."""
    with tempfile.TemporaryDirectory(prefix="board-test-", dir=data_folders.parent()) as name:
        Path(name).chmod(0o711)
        server, _ = embedded(Path(name) / "data")
        with server:
            pass
        yield server.data_folder


@pytest.fixture
def with_data(runner: "Runner", data: Path) -> None:
    """Copy the data folder of an earlier run to the runner."""
    # Unlike shutil, cp keeps the owners.
    subprocess.run(["/bin/cp", "-a", data, runner.root], check=True)


@pytest.fixture
def runner(folder: Path) -> Iterator[Runner]:
    made = Runner(folder)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.send_signal(signal.SIGTERM)
        made.process.wait(20)


IsRunning = Callable[[int], bool]


def until_up(runner: Runner) -> None:
    try:
        eventually_blocking(lambda: "The board is up" in runner.text(), what="the board is up")
    except AssertionError as error:
        error.add_note(runner.text())
        raise


def test_a_run_starts_serves_and_stops_in_order(runner: Runner, is_running: IsRunning) -> None:
    process = runner.start()
    until_up(runner)
    assert f"http://localhost:{runner.port}" in runner.text()
    assert runner.board_commands() == ["bootstrap", "migrate", "demo"]
    running = [*runner.started().values(), runner.postgres()]
    assert "creating a PostgreSQL cluster" in runner.text()
    assert len(running) == len(SERVICES) + 2  # the gateway and PostgreSQL
    assert all(is_running(one) for one in running)

    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert runner.stopped()[0] == "gateway"
    assert {*runner.stopped()} == {"gateway", *SERVICE_NAMES}
    assert runner.text().endswith("stopped\n")
    assert not any(is_running(one) for one in running)


@pytest.mark.usefixtures("with_data")
def test_a_later_run_uses_the_same_data_and_passwords(runner: Runner) -> None:
    secrets = (runner.root / "data/secrets.json").read_bytes()
    runner.start()
    until_up(runner)
    assert "starting PostgreSQL ..." in runner.text()
    assert "creating a PostgreSQL cluster" not in runner.text()
    assert (runner.root / "data/secrets.json").read_bytes() == secrets


def test_the_monolith_runs_alone_behind_the_gateway(runner: Runner) -> None:
    runner.start_without_postgres(DEPLOYMENT="monolith")
    until_up(runner)
    assert {*runner.started()} == {"gateway", "monolith-1"}


def test_the_strangler_runs_both_deployments(runner: Runner) -> None:
    runner.start_without_postgres(DEPLOYMENT="strangler")
    until_up(runner)
    assert {*runner.started()} == {"gateway", "monolith-1", *SERVICE_NAMES}


def test_a_server_can_run_in_two_processes(runner: Runner) -> None:
    runner.start_without_postgres(DEPLOYMENT="monolith", COPIES="2")
    until_up(runner)
    assert {*runner.started()} == {"gateway", "monolith-1", "monolith-2"}


def test_no_postgresql_is_started_if_database_urls_are_set(runner: Runner) -> None:
    runner.start_without_postgres()
    until_up(runner)
    assert runner.board_commands() == ["migrate", "demo"]
    assert not (runner.root / "data/postgres").exists()


def test_crashed_service_is_logged_with_its_last_lines_and_restarted(runner: Runner) -> None:
    runner.start_without_postgres()
    until_up(runner)
    crashed = runner.started()["gateway"]
    with pytest.raises(OSError):  # noqa: PT011 - closed or reset, depending on the crash
        urllib.request.urlopen(f"http://127.0.0.1:{runner.port}/crash", timeout=5)
    eventually_blocking(
        lambda: runner.started()["gateway"] != crashed, what="the gateway serves again"
    )
    eventually_blocking(lambda: "restarted gateway" in runner.text(), what="the log says so")
    assert "gateway ended unexpectedly: exit code 3. Its last lines:" in runner.text()
    assert "    about to crash" in runner.text()
    with urllib.request.urlopen(f"http://127.0.0.1:{runner.port}/", timeout=5) as answer:
        assert answer.read() == b"ok"


@pytest.mark.usefixtures("with_data")
def test_crashed_postgresql_is_logged_and_restarted(runner: Runner) -> None:
    process = runner.start()
    until_up(runner)
    crashed = runner.postgres()
    os.kill(crashed, signal.SIGKILL)
    eventually_blocking(
        lambda: "restarted PostgreSQL" in runner.text(), what="PostgreSQL runs again"
    )
    assert "PostgreSQL ended unexpectedly: ended by SIGKILL" in runner.text()
    assert runner.postgres() != crashed
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


@pytest.mark.usefixtures("with_data")
def test_service_that_cannot_start_ends_the_run_with_its_output(
    runner: Runner, is_running: IsRunning
) -> None:
    process = runner.start(BROKEN="threads-1")
    assert process.wait(20) == 1
    assert "threads ended unexpectedly: exit code 1" in runner.text()
    assert "    this cannot work" in runner.text()
    assert not any(is_running(one) for one in runner.started().values())
    assert not (runner.root / "data/postgres/postmaster.pid").exists()


def test_a_run_can_be_stopped_at_any_moment_of_its_start(
    runner: Runner, is_running: IsRunning
) -> None:
    moments: list[Callable[[], object]] = [
        lambda: (runner.root / "data/lock").exists(),
        lambda: [*runner.root.glob("data/postgres.incomplete-*/cluster")],
        lambda: (runner.root / "data/postgres/postmaster.pid").exists(),
        lambda: "bootstrap" in runner.board_commands(),
        lambda: "users-1" in runner.started(),
    ]
    for moment in moments:
        runner.notes.unlink(missing_ok=True)
        process = runner.start(SLOW="0.3")
        eventually_blocking(moment, within=60, what=f"moment {moments.index(moment)}")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0, runner.text()
        assert "Traceback" not in runner.text()
        assert runner.text().endswith("stopped\n")
        assert not any(is_running(one) for one in runner.started().values())
        assert not (runner.root / "data/postgres/postmaster.pid").exists()


def test_open_stream_does_not_delay_the_stop(
    runner: Runner,
) -> None:
    drains = """
import os, pathlib, time
def drain():
    while "stopped users-1" not in pathlib.Path(os.environ["NOTES"]).read_text():
        time.sleep(0.01)
"""
    call = 'int(port.partition("=")[2])'
    assert call in GATEWAY
    (runner.root / "gateway.py").write_text(drains + GATEWAY.replace(call, f"{call}, drain"))
    process = runner.start_without_postgres()
    until_up(runner)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    stopped = runner.stopped()
    assert stopped.index("gateway") > stopped.index("users-1")
    assert "killed" not in runner.text()


def test_second_signal_kills_processes_that_do_not_stop(
    runner: Runner, is_running: IsRunning
) -> None:
    stubborn = SERVER.replace('note(f"stopped {name}")', "return")
    assert stubborn != SERVER
    (runner.root / "stand_in.py").write_text(stubborn)
    process = runner.start_without_postgres()
    until_up(runner)
    process.send_signal(signal.SIGINT)
    eventually_blocking(lambda: "stopping the gateway" in runner.text(), what="it is stopping")
    process.send_signal(signal.SIGINT)
    # Less than the 12 s that a service may take to stop.
    assert process.wait(10) == 0
    assert not any(is_running(one) for one in runner.started().values())


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
@pytest.mark.usefixtures("with_data")
def test_no_process_survives_a_killed_run(runner: Runner, is_running: IsRunning) -> None:
    process = runner.start()
    until_up(runner)
    running = [*runner.started().values(), runner.postgres()]
    process.kill()
    process.wait()
    eventually_blocking(
        lambda: not any(is_running(one) for one in running), what="every process has ended"
    )


def test_taken_port_is_reported_with_its_process_before_anything_starts(runner: Runner) -> None:
    with socket.create_server(("127.0.0.1", runner.port)):
        process = runner.start()
        assert process.wait(10) == 1
    assert f"port {runner.port} is taken" in runner.text()
    assert f"process {os.getpid()}" in runner.text()
    assert f"make run PORT={runner.port + 1}" in runner.text()
    assert not (runner.root / "data").exists()


@pytest.mark.usefixtures("with_data")
def test_a_second_run_on_the_same_data_is_refused(runner: Runner) -> None:
    first = runner.start()
    until_up(runner)
    runner.port = ports.free(1, but=runner.port)[0]
    second = runner.start()
    assert second.wait(10) == 1
    assert f"is in use by another run (process {first.pid})" in runner.text()
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0


def test_run_is_rejected_if_the_passwords_of_its_data_are_missing(runner: Runner) -> None:
    (runner.root / "data/postgres").mkdir(parents=True)
    assert runner.start().wait(10) == 1
    assert "secrets.json is missing" in runner.text()
    assert not (runner.root / "data/secrets.json").exists()


def test_invalid_settings_exit_with_code_2(runner: Runner) -> None:
    assert runner.start("--port", "eighty").wait(10) == 2
    assert "PORT=eighty" in runner.text()


def test_run_with_an_unread_log_can_be_stopped(runner: Runner) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 65_536)
    except BlockingIOError:
        os.set_blocking(writer, True)
    process = runner.start_without_postgres(output=writer)
    eventually_blocking(lambda: "gateway" in runner.started(), what="the gateway serves")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    os.close(reader)
    os.close(writer)


def test_the_environment_of_a_service_has_no_variable_of_another(runner: Runner) -> None:
    (runner.root / "services/users/main.py").write_text(
        "import json, os, pathlib\n"
        "pathlib.Path('users.json').write_text(json.dumps(dict(os.environ)))\n" + SERVICE
    )
    runner.start_without_postgres(PGPASSWORD="leak", LIMIT_OF_SOMETHING="7")
    until_up(runner)
    environment: Mapping[str, str] = json.loads((runner.root / "users.json").read_text())
    assert environment["USERS_DATABASE_URL"].startswith("postgresql://users:")
    assert environment["INSTANCE"] == "users-1"
    assert environment["LIMIT_OF_SOMETHING"] == "7"
    assert not environment.keys() & {"THREADS_DATABASE_URL", "POSTS_SERVICE_TOKEN", "PGPASSWORD"}
