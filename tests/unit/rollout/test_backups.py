"""`make backup` and `make restore` of a board in Compose: what runs in which container, and what is
refused. `docker` is a script that records its arguments."""

import json
import stat
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.backups import ComposeBackups
from containers.errors import CannotStartError
from rollout import backups
from rollout.errors import CannotRollOutError
from rollout.place import COMPOSE, LAPTOP

DOCKER = """\
import json, pathlib, shutil, sys
folder, words = pathlib.Path(__file__).parent, sys.argv[1:]
state = json.loads((folder / "state").read_text())
with (folder / "commands").open("a") as commands:
    commands.write(json.dumps(words) + "\\n")
if "ps" in words:
    print("\\n".join(state["running"]))
elif words[0] == "image":
    sys.exit(0 if state["image"] else 1)
elif "backup" in words:
    sys.stdout.buffer.write((folder / "content").read_bytes())
    sys.exit(state["status"])
elif "restore" in words:
    with (folder / "received").open("wb") as received:
        shutil.copyfileobj(sys.stdin.buffer, received)
    sys.exit(state["status"])
"""


@dataclass(frozen=True)
class FakeDocker:
    """A folder with a `docker` and what it knows and was asked."""

    folder: Path
    content: bytes

    @property
    def environment(self) -> Mapping[str, str]:
        return {"PATH": str(self.folder), "DATA_DIR": str(self.folder / "data")}

    @property
    def backups(self) -> ComposeBackups:
        return ComposeBackups(self.environment)

    @property
    def commands(self) -> list[list[str]]:
        """What it was asked, except for what runs."""
        lines = (self.folder / "commands").read_text().splitlines()
        return [words for words in map(json.loads, lines) if "ps" not in words]

    def knows(self, running: Sequence[str], *, image: bool = True, status: int = 0) -> None:
        """Let these services run, the operator's image exist, and its commands end like this."""
        state = {"running": running, "image": image, "status": status}
        (self.folder / "state").write_text(json.dumps(state))


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    """A board that runs in Compose, and whose backup has one member."""
    folder = tmp_path / "docker"
    folder.mkdir()
    program = folder / "docker"
    program.write_text(f"#!{sys.executable}\n{DOCKER}")
    program.chmod(0o755)
    with zipfile.ZipFile(folder / "content", "w") as archive:
        archive.writestr("manifest.json", "{}" * 1000)
    made = FakeDocker(folder, (folder / "content").read_bytes())
    made.knows(["gateway", "postgres", "users"])
    return made


RUN = ["compose", "--profile", "*", "run", "--rm", "-T"]
STOP = ["compose", "--profile", "*", "stop", "postgres"]


def test_backup_is_the_output_of_a_container_in_a_file_of_the_user(
    docker: FakeDocker, tmp_path: Path
) -> None:
    file = tmp_path / "board.zip"
    assert docker.backups.backup(file) == 0
    assert file.read_bytes() == docker.content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert docker.commands == [[*RUN, "--no-deps", "migrate", "backup", "-"]]


def test_backup_never_replaces_a_file(docker: FakeDocker, tmp_path: Path) -> None:
    file = tmp_path / "board.zip"
    file.write_text("yesterday's")
    with pytest.raises(CannotStartError, match="exists already: name another file"):
        docker.backups.backup(file)
    assert file.read_text() == "yesterday's"


def test_failed_backup_leaves_no_file(docker: FakeDocker, tmp_path: Path) -> None:
    docker.knows(["postgres"], status=1)
    file = tmp_path / "board.zip"
    assert docker.backups.backup(file) == 1
    assert not file.exists()


@pytest.mark.parametrize("damaged", ["end", "middle"])
def test_backup_that_is_damaged_on_its_way_is_no_backup(
    docker: FakeDocker, tmp_path: Path, damaged: str
) -> None:
    content = docker.content[:-1] if damaged == "end" else docker.content.replace(b"{}", b"{-", 1)
    (docker.folder / "content").write_bytes(content)
    file = tmp_path / "board.zip"
    with pytest.raises(CannotStartError, match="did not arrive whole"):
        docker.backups.backup(file)
    assert not file.exists()


@pytest.mark.parametrize("replace", [False, True])
def test_restore_is_the_input_of_a_container_with_a_volume_for_it(
    docker: FakeDocker, tmp_path: Path, replace: bool
) -> None:
    docker.knows(["postgres"])
    file = tmp_path / "board.zip"
    file.write_bytes(docker.content)
    assert docker.backups.restore(file, replace=replace) == 0
    assert (docker.folder / "received").read_bytes() == docker.content
    scratch = ["--volume", "/scratch", "--env", "TMPDIR=/scratch"]
    words = ["restore", "-", *(["--replace"] if replace else [])]
    assert docker.commands == [[*RUN, "--no-deps", *scratch, "migrate", *words]]


@pytest.mark.parametrize("server", ["web", "monolith"])
def test_restore_of_a_board_that_runs_is_refused(
    docker: FakeDocker, tmp_path: Path, server: str
) -> None:
    docker.knows(["postgres", server])
    file = tmp_path / "board.zip"
    file.write_bytes(docker.content)
    with pytest.raises(CannotStartError, match=f"{server} run: stop the board first, make down"):
        docker.backups.restore(file, replace=True)
    assert not (docker.folder / "received").exists()


def test_restore_without_a_file_starts_nothing(docker: FakeDocker, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        docker.backups.restore(tmp_path / "none.zip", replace=False)
    assert not (docker.folder / "commands").exists()


@pytest.mark.parametrize("status", [0, 1])
def test_database_that_did_not_run_is_stopped_again(
    docker: FakeDocker, tmp_path: Path, status: int
) -> None:
    docker.knows([], status=status)
    assert docker.backups.backup(tmp_path / "board.zip") == status
    [_, run, stop] = docker.commands
    assert (run, stop) == ([*RUN, "migrate", "backup", "-"], STOP)


def test_missing_image_is_built_before_a_project_runs_for_the_first_time(
    docker: FakeDocker, tmp_path: Path
) -> None:
    docker.knows([], image=False)
    file = tmp_path / "board.zip"
    file.write_bytes(docker.content)
    assert docker.backups.restore(file, replace=False) == 0
    [_, build, run, stop] = docker.commands
    assert build == ["compose", "--profile", "*", "build", "prepare"]
    assert (run[:6], stop) == (RUN, STOP)


@pytest.mark.parametrize(
    ("on", "in_compose", "here", "place"),
    [
        ("", True, False, COMPOSE),
        ("", False, True, LAPTOP),
        ("", False, False, LAPTOP),
        ("compose", False, True, COMPOSE),
        ("laptop", True, False, LAPTOP),
    ],
)
def test_board_is_the_one_that_exists_or_that_on_names(
    docker: FakeDocker, on: str, in_compose: bool, here: bool, place: str
) -> None:
    docker.knows(["postgres"] if in_compose else [])
    if here:
        (docker.folder / "data").mkdir()
    assert backups.place({**docker.environment, "ON": on}, docker.backups) == place


def test_choice_between_two_boards_is_left_to_the_user(docker: FakeDocker) -> None:
    (docker.folder / "data").mkdir()
    with pytest.raises(CannotRollOutError, match="add ON=laptop or ON=compose"):
        backups.place(docker.environment, docker.backups)


def test_without_docker_the_board_is_on_this_machine(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "DATA_DIR": str(tmp_path)}
    assert backups.place(environment, ComposeBackups(environment)) == LAPTOP


@pytest.mark.parametrize(
    ("on", "sentence"),
    [("aws", "snapshots of the database are the backups"), ("moon", "ON=moon: it must be one of")],
)
def test_other_places_are_refused_before_anything_runs(
    docker: FakeDocker, on: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {**docker.environment, "ON": on}
    assert backups.main(["backup", "board.zip"], environment) == 2
    assert f"make backup: {sentence}" in capsys.readouterr().err.replace("on AWS, ", "")
    assert not (docker.folder / "commands").exists()
