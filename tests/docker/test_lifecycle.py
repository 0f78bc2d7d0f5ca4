"""Starting, stopping and upgrading a board in Compose, without losing data.

The times of starts and stops are recorded in the report (`--junitxml`), but not checked, because
they depend on the load of this machine; `make bench-docker` checks them."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.docker.load import load
from tests.docker.project import ROOT, SERVERS, Project, project, write_into_volume
from tests.eventually import eventually
from tests.pages import next_page
from topology.deployments import GATEWAY, SERVICES

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("images")]

FITS_IN = 700 * 1000 * 1000


@pytest.fixture
def board() -> Iterator[Project]:
    """A board that has never been started."""
    with project("board-tests-life", "microservices") as found:
        yield found


@dataclass(frozen=True)
class FirstStart:
    """A board that was started for the first time, in so many seconds, and what `demo` said."""

    board: Project
    seconds: float
    demo: str


@pytest.fixture(scope="module")
def first_start(images: list[str]) -> Iterator[FirstStart]:  # noqa: ARG001 - they must have been built
    """The first start of the board that runs."""
    with project("board-tests-lived-in", "microservices") as found:
        took = found.up()
        yield FirstStart(found, took, found.log("demo"))


@pytest.fixture
def running(first_start: FirstStart) -> Project:
    """A running board, which each test leaves running."""
    return first_start.board


def _threads(board: Project) -> list[int]:
    answer = board.get("/api/threads?limit=100")
    assert answer.status_code == 200, answer.text
    return [thread["id"] for thread in answer.json()]


def test_first_start_fits_in_memory_and_shows_the_demo(
    first_start: FirstStart, record_testsuite_property: Callable[[str, object], None]
) -> None:
    board = first_start.board
    assert len(_threads(board)) > 5
    assert re.search(r"^ +marit +\S{8,}$", first_start.demo, re.MULTILINE)
    used = sum(_memory(board, service) for service in (*SERVERS["microservices"], "postgres"))
    record_testsuite_property("seconds to start", first_start.seconds)
    record_testsuite_property("bytes of memory", used)
    assert used < FITS_IN


async def test_stop_fails_no_request_and_loses_no_write(
    running: Project, record_testsuite_property: Callable[[str, object], None]
) -> None:
    board = running
    before = _answered(board)
    async with load(board.url) as people:
        await people.until(50)
        began = time.monotonic()
        stopping = asyncio.create_task(asyncio.to_thread(board.compose, "stop"))
        # The gateway stops first; later connections are refused.
        await eventually(partial(_gone, board), within=30)
        people.going_on = False
        await stopping
        took = time.monotonic() - began
        answered = _answered(board) - before
        received = people.requests + 1  # with the one that started the thread
        await asyncio.to_thread(board.up)
    record_testsuite_property("seconds to stop", took)
    # The engine may accept a connection for a gateway that has stopped, and close it at once.
    assert {failure.status for failure in people.failures} <= {None}
    assert answered == received
    for service in (GATEWAY, *SERVICES):
        assert board.container(service).attrs["State"]["ExitCode"] == 0


def _answered(board: Project) -> int:
    """How many requests such as those of the load are in the gateway's log."""
    wanted = r"^(?:GET|POST) /api/(?:threads|posts|cases|users/me)"
    return len(re.findall(wanted, board.log("gateway"), re.MULTILINE))


async def _gone(board: Project) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", board.port)
    except OSError:
        return True
    writer.close()
    return False


def _memory(board: Project, service: str) -> int:
    stats: Any = board.container(service).stats(stream=False)
    return int(stats["memory_stats"]["usage"])


async def test_destroyed_board_comes_back_from_a_backup(running: Project, tmp_path: Path) -> None:
    board, file = running, str(tmp_path / "board.zip")
    await eventually(partial(_is_settled, board), within=30)
    before, volumes = _answers(board), _volumes_of_others(board)
    assert _backups(board, "backup", file).returncode == 0
    assert "stop the board first" in _backups(board, "restore", file, "--replace").stdout
    board.compose("kill")
    board.compose("down", "--volumes")
    restored = _backups(board, "restore", file)
    assert restored.returncode == 0, restored.stdout
    assert "restored the board of" in restored.stdout
    # Nothing of the backup stays anywhere else, and nothing runs.
    assert _volumes_of_others(board) == volumes
    assert {one.status for one in board.containers("postgres")} == {"exited"}
    board.up()
    assert _answers(board) == before
    assert "no demo data" in board.log("demo")


def _backups(board: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """`make backup` or `make restore`. `stdout` has its output and errors."""
    return subprocess.run(
        [sys.executable, "-m", "rollout.backups", *words],
        cwd=ROOT,
        env={**board.environment, "COMPOSE_PROJECT_NAME": board.name, "ON": "compose"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200,
    )  # fmt: skip


def _volumes_of_others(board: Project) -> set[str]:
    """The volumes that are not those of the project, such as those without a name."""
    names = {str(volume.name) for volume in board.engine.volumes.list()}
    return {name for name in names if not name.startswith(f"{board.name}_")}


async def _is_settled(board: Project) -> bool:
    """Whether threads knows all posts."""
    counted = sum(thread["postCount"] for thread in board.get("/api/threads?limit=100").json())
    shown = [len(board.get(path).json()) for path in _answers(board) if "/in-thread/" in path]
    return bool(sum(shown) == counted)


def _answers(board: Project) -> dict[str, tuple[int, str | None, bytes]]:
    """The status, validator and bytes of every list, and of each page of the posts in a thread."""
    wanted = ["/api/threads?limit=100", "/api/posts?limit=100", "/api/posts/search?q=bread"]
    wanted += [f"/api/users/{number}" for number in range(1, 10)]
    wanted += [f"/api/posts/in-thread/{thread}?limit=100" for thread in _threads(board)]
    answers = {}
    for path in wanted:
        following: str | None = path
        while following is not None:
            answer = board.get(following)
            answers[following] = (answer.status_code, answer.headers.get("etag"), answer.content)
            following = next_page(answer)
    return answers


def test_the_data_and_the_secrets_survive_down_and_up(running: Project) -> None:
    board = running
    before, secrets = _threads(board), board.secrets()
    board.compose("down")
    board.up()
    assert _threads(board) == before
    assert board.secrets() == secrets
    assert "no demo data" in board.log("demo")


def test_database_of_a_new_context_is_added_to_an_existing_volume(running: Project) -> None:
    board = running
    board.sql("postgres", "DROP DATABASE posts WITH (FORCE)")
    board.sql("postgres", "DROP ROLE posts")
    write_into_volume(board, "secrets", "posts_password", None)
    before = _threads(board)
    board.compose("down")
    board.up()
    assert _threads(board) == before
    assert board.get("/api/posts").json() == []


def test_lost_context_passwords_are_generated_again(running: Project) -> None:
    board = running
    before, secrets = _threads(board), board.secrets()
    board.compose("down")
    write_into_volume(board, "secrets", "threads_password", None)
    write_into_volume(board, "secrets", "users_service_token", None)
    board.up()
    assert _threads(board) == before
    changed = {name for name, secret in board.secrets().items() if secret != secrets[name]}
    assert changed == {"threads_password", "users_service_token"}


@pytest.mark.parametrize(
    ("name", "value", "service", "said"),
    [
        ("admin_password", None, "prepare", "the password that opens it is gone from the volume"),
        ("admin_password", "A" * 43, "bootstrap", "rejects the password"),
        ("users_service_token", "short", "prepare", "The secret users_service_token in the volume"),
    ],
    ids=["missing", "wrong", "damaged"],
)
def test_start_fails_with_the_name_of_a_missing_or_damaged_secret(
    board: Project, name: str, value: str | None, service: str, said: str
) -> None:
    _up_to(board, "bootstrap")
    board.compose("down")
    write_into_volume(board, "secrets", name, value)
    board.compose("up", "--detach", "--wait", check=False)
    assert service in board.wrong()
    assert said in board.log(service)
    assert "Traceback" not in board.log(service)


@pytest.mark.parametrize(
    ("major", "said"), [(19, "was written by PostgreSQL 19"), (17, "PostgreSQL 17")]
)
def test_a_volume_of_another_postgresql_is_refused(board: Project, major: int, said: str) -> None:
    board.compose("up", "--no-start", "prepare")
    write_into_volume(board, "database", f"{major}/docker/PG_VERSION", str(major))
    board.compose("up", "--detach", "--wait", check=False)
    assert "prepare" in board.wrong()
    assert said in board.log("prepare")
    assert f"{board.name}_database" in board.log("prepare")
    assert board.container("postgres").status == "created"


def test_database_of_a_newer_version_is_rejected(board: Project) -> None:
    _up_to(board, "migrate")
    board.sql("threads", "UPDATE alembic_version SET version_num = '9999'")
    board.compose("up", "--detach", "--wait", check=False)
    assert "migrate" in board.wrong()
    assert "The database of threads is at migration 9999" in board.log("migrate")


def _up_to(board: Project, command: str) -> None:
    """Start up to a command, and wait until it ends, for which Compose itself would not wait."""
    board.compose("up", "--detach", command)
    board.container(command).wait(timeout=60)
    assert not board.wrong()
