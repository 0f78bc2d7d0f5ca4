"""The embedded PostgreSQL requires passwords, has its data to itself, and ends with its run."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from laptop.errors import CannotRunError
from laptop.postgres import account, postmaster_file, socket_folder
from laptop.postgres.install import find_install
from laptop.postgres.server import ADMIN, PostgresServer
from laptop.postgres.throwaway import throwaway
from tests.eventually import eventually_blocking

PASSWORD = "correct horse/battery?staple&host=elsewhere"

IsRunning = Callable[[int], bool]

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up being root")


def made(folder: Path, **arguments: Path) -> PostgresServer:
    return PostgresServer(folder, admin_password=PASSWORD, durable=False, **arguments)


def process_of(server: PostgresServer) -> int:
    process = postmaster_file.process_id(server.cluster)
    assert process is not None
    return process


def copy(server: PostgresServer, folder: Path) -> None:
    """Copy the cluster to another data folder."""
    # Unlike shutil, cp keeps the owners.
    subprocess.run(["/bin/cp", "-a", server.cluster, folder], check=True)


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresServer]:
    """A stopped server with a cluster, for tests that start it and stop it again."""
    with tempfile.TemporaryDirectory(prefix="board-test-") as name:
        Path(name).chmod(0o711)
        server = made(Path(name))
        server.start()
        server.stop()
        yield server


async def test_only_the_right_password_is_accepted(server: PostgresServer) -> None:
    assert await ask(server.admin_url, "SELECT current_user") == ADMIN
    for wrong in ("", "guess"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server.url("postgres", ADMIN, wrong), "SELECT 1")


async def test_passwords_are_stored_as_scram_and_required_from_everyone(
    server: PostgresServer,
) -> None:
    rules = [
        line.split()
        for line in (server.cluster / "pg_hba.conf").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert rules
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}
    question = "SELECT rolpassword FROM pg_authid WHERE rolname = current_user"
    stored = await ask(server.admin_url, question)
    assert str(stored).startswith("SCRAM-SHA-256$")


async def test_a_password_may_have_any_character(cluster: PostgresServer) -> None:
    with cluster:
        assert await ask(cluster.admin_url, "SELECT 'in'") == "in"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("max_connections", "200"),
        ("server_encoding", "UTF8"),
        ("fsync", "off"),
        ("is_superuser", "on"),
    ],
)
async def test_server_has_the_settings_of_the_board(
    server: PostgresServer, setting: str, value: str
) -> None:
    assert await ask(server.admin_url, f"SHOW {setting}") == value


async def test_collation_is_the_same_on_every_system(server: PostgresServer) -> None:
    question = (
        "SELECT concat(datlocprovider, ' ', datlocale) FROM pg_database WHERE datname = 'postgres'"
    )
    assert await ask(server.admin_url, question) == "b C.UTF-8"
    assert await ask(server.admin_url, "SELECT lower('ÅSA')") == "åsa"


async def test_server_is_durable_by_default(cluster: PostgresServer) -> None:
    with PostgresServer(cluster.data_folder, admin_password=PASSWORD) as durable:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(durable.admin_url, f"SHOW {setting}") == "on"


async def test_data_survives_a_stop(cluster: PostgresServer) -> None:
    with cluster:
        await ask(cluster.admin_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with cluster:
        assert await ask(cluster.admin_url, "SELECT answer FROM kept") == 42


async def test_a_stop_ends_open_sessions_at_once(cluster: PostgresServer) -> None:
    cluster.start()
    connection = await asyncpg.connect(cluster.admin_url)
    process = process_of(cluster)
    cluster.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()
    cluster.stop()


def test_the_server_never_gets_the_terminals_ctrl_c(server: PostgresServer) -> None:
    process = process_of(server)
    assert os.getsid(process) == process


@root_only
def test_the_server_never_runs_as_root(server: PostgresServer) -> None:
    assert Path(f"/proc/{process_of(server)}").stat().st_uid != 0


def test_only_the_servers_user_can_read_the_cluster_and_use_the_socket(
    server: PostgresServer,
) -> None:
    for folder in (server.cluster, server.data_folder / "socket"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.log.stat().st_mode) == 0o600


async def test_attach_finds_only_a_running_server(
    server: PostgresServer, cluster: PostgresServer
) -> None:
    visitor = PostgresServer(server.data_folder, admin_password=server._admin_password)
    visitor.attach()
    assert await ask(visitor.admin_url, "SELECT 'found'") == "found"
    with pytest.raises(CannotRunError, match="no board runs on"):
        PostgresServer(cluster.data_folder, admin_password=PASSWORD).attach()


def test_a_second_server_on_the_same_data_is_refused(server: PostgresServer) -> None:
    second = made(server.data_folder)
    with pytest.raises(CannotRunError, match=f"in use by another run .process {os.getpid()}"):
        second.start()
    second.stop()
    assert process_of(server)


def test_a_server_left_by_an_earlier_run_is_stopped(
    cluster: PostgresServer, is_running: IsRunning
) -> None:
    who = account.for_server(cluster.cluster)
    leftover = subprocess.Popen(
        [
            find_install() / "bin/postgres",
            "-D",
            cluster.cluster,
            "-c",
            "listen_addresses=",
            "-k",
            ".",
        ],
        user=None if who is None else who.uid,
        cwd=cluster.cluster,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not postmaster_file.is_ready(cluster.cluster, leftover.pid):
        assert leftover.poll() is None
    with cluster:
        assert process_of(cluster) != leftover.pid
        assert not is_running(leftover.pid)
    assert leftover.wait(5) == 0


def test_other_process_with_a_dead_servers_id_is_left_alone(
    cluster: PostgresServer,
) -> None:
    who = account.for_server(cluster.cluster)
    stranger = subprocess.Popen(
        ["/bin/sleep", "60"], user=None if who is None else who.uid, cwd="/"
    )
    try:
        left = cluster.cluster / postmaster_file.FILE_NAME
        left.write_text(f"{stranger.pid}\n{cluster.cluster}\n1\n5432\n\n\n  1  1\nready   \n")
        with cluster:
            assert process_of(cluster) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@linux_only
def test_the_server_ends_when_its_parent_is_killed(
    cluster: PostgresServer, is_running: IsRunning
) -> None:
    program = (
        "import sys, time, pathlib; from laptop.postgres.server import PostgresServer\n"
        "PostgresServer(pathlib.Path(sys.argv[1]), admin_password='', durable=False).start()\n"
        "print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(cluster.data_folder)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        process = process_of(cluster)
        parent.kill()
    eventually_blocking(lambda: not is_running(process), what="the server has ended")


def test_postmaster_is_recognised_without_proc_file_system(server: PostgresServer) -> None:
    process = process_of(server)
    assert postmaster_file._is_postmaster_by_ps(process, server.cluster)
    assert not postmaster_file._is_postmaster_by_ps(process, Path("/elsewhere"))
    assert not postmaster_file._is_postmaster_by_ps(os.getpid(), server.cluster)


def test_interrupted_initdb_leaves_no_incomplete_cluster(folder: Path) -> None:
    server = made(folder)
    failures: list[BaseException] = []

    def start() -> None:
        try:
            server.start()
        except CannotRunError as error:
            failures.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    eventually_blocking(
        lambda: [*folder.glob("postgres.incomplete-*/cluster/base")], what="initdb is at work"
    )
    server.abandon()
    thread.join(10)
    assert [str(failure) for failure in failures] == ["initdb was interrupted"]
    assert not server.cluster.exists()

    rubbish = folder / "postgres.incomplete-0"
    rubbish.mkdir()
    with server:
        assert server.cluster.exists()
        assert not rubbish.exists()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(
    folder: Path, cluster: PostgresServer
) -> None:
    copy(cluster, folder)
    server = made(folder)
    with (server.cluster / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(CannotRunError, match='unrecognized configuration parameter "no_such_sett'):
        server.start()
    # Nothing is left that would prevent the next start.
    (server.cluster / "postgresql.conf").write_text("")
    with server:
        pass


def test_cluster_of_another_version_is_rejected_with_both_versions(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres/PG_VERSION").write_text("16\n")
    with pytest.raises(CannotRunError, match=r"created by PostgreSQL 16; this is PostgreSQL 18"):
        made(folder).start()


def test_folder_that_is_not_a_cluster_is_rejected_and_kept(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres/novel.txt").write_text("chapter one")
    with pytest.raises(CannotRunError, match="not a PostgreSQL cluster"):
        made(folder).start()
    assert (folder / "postgres/novel.txt").read_text() == "chapter one"


@root_only
def test_data_folder_that_the_servers_user_cannot_enter_is_rejected(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(CannotRunError) as refused:
        made(closed / "data").start()
    assert f"cannot enter {closed}," in str(refused.value)
    assert f"chmod o+x {closed}," in str(refused.value)
    assert "DATA_DIR=/elsewhere" in str(refused.value)


@root_only
def test_program_folder_that_the_servers_user_cannot_enter_is_rejected(folder: Path) -> None:
    install = folder / "venv/pginstall18"
    for part in ("bin", "lib", "share"):
        (install / part).mkdir(parents=True)
    (folder / "venv").chmod(0o750)
    with pytest.raises(CannotRunError, match=f"chmod o.x {folder / 'venv'},"):
        made(folder, install=install).start()


def test_closed_folder_considers_owner_group_and_others(folder: Path) -> None:
    inner = folder / "outer/inner"
    inner.mkdir(parents=True)
    outer = inner.parent
    owner, group = outer.stat().st_uid, outer.stat().st_gid
    stranger = account.Account("stranger", uid=owner + 1, gid=group + 1, groups=(group + 1,))
    member = account.Account("member", uid=owner + 1, gid=group, groups=(group,))
    outer.chmod(0o710)
    assert account.closed_folder(inner, stranger) == outer
    assert account.closed_folder(inner, member) is None
    # For a member of the group, the group's bits count, not those of others.
    outer.chmod(0o701)
    assert account.closed_folder(inner, stranger) is None
    assert account.closed_folder(inner, member) == outer


async def test_too_long_socket_path_is_replaced_by_a_stored_short_one(
    folder: Path, cluster: PostgresServer
) -> None:
    long = folder / ("deep" * 30)
    long.mkdir(mode=0o711)
    copy(cluster, long)
    server = made(long, temporary=folder)
    with server:
        first = (long / "socket-folder").read_text().strip()
        assert Path(first).parent == folder
        assert await ask(server.admin_url, "SELECT 1") == 1
    with server:
        assert (long / "socket-folder").read_text().strip() == first


def test_stored_socket_folder_of_another_user_is_not_used(folder: Path) -> None:
    long = folder / ("deep" * 30)
    long.mkdir()
    first = socket_folder.choose(long, None, folder)
    assert socket_folder.choose(long, None, folder) == first
    first.chmod(0o770)
    second = socket_folder.choose(long, None, folder)
    assert second != first
    other = folder / "elsewhere"
    other.mkdir(mode=0o700)
    second.rmdir()
    second.symlink_to(other)
    assert socket_folder.choose(long, None, folder) not in (first, second, other)


@pytest.mark.parametrize("name", ["with space", "comma,comma", "col:on", "ünicode"])
def test_socket_path_with_url_characters_is_not_used(name: str) -> None:
    assert socket_folder.fits(Path("/srv/data"))
    assert not socket_folder.fits(Path("/srv") / name)


def test_longest_accepted_socket_path_can_be_bound(folder: Path) -> None:
    room = socket_folder.LONGEST_PATH - len(str(folder)) - len(socket_folder.SOCKET_NAME) - 2
    fitting = folder / ("x" * room)
    fitting.mkdir()
    assert socket_folder.fits(fitting)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(fitting / socket_folder.SOCKET_NAME))
    assert not socket_folder.fits(folder / ("x" * (room + 1)))
    with socket.socket(socket.AF_UNIX) as refused, pytest.raises(OSError, match="too long"):
        refused.bind(str(folder / ("x" * (room + 1)) / socket_folder.SOCKET_NAME))


def test_throwaway_server_leaves_no_files(is_running: IsRunning) -> None:
    with throwaway() as server:
        process, folder = process_of(server), server.data_folder
        assert is_running(process)
    assert not is_running(process)
    assert not folder.exists()


def test_missing_wheel_is_reported() -> None:
    program = (
        "import sys\n"
        "sys.path = [p for p in sys.path if 'site-packages' not in p]\n"
        "from laptop.postgres.install import find_install\n"
        "find_install()"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "PostgreSQL 18 is not installed here" in result.stderr
