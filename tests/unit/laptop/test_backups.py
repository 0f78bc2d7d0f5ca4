"""`make backup` and `make restore` on the PostgreSQL of this machine."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from board.bootstrap import bootstrap
from board.migrate import migrate
from laptop.run import database_urls, embedded
from tests import data_folders
from tests.deployments import ROOT


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that PostgreSQL's user can enter."""
    with tempfile.TemporaryDirectory(prefix="board-backup-", dir=data_folders.parent()) as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


def run(data: Path, *words: str, program: str = "backups") -> subprocess.CompletedProcess[str]:
    """Run `python -m laptop.commands.PROGRAM ...` on a data folder, as `make` does."""
    return subprocess.run(
        [sys.executable, "-m", f"laptop.commands.{program}", *words],
        cwd=ROOT, env={**os.environ, "DATA_DIR": str(data)},
        capture_output=True, text=True, timeout=150,
    )  # fmt: skip


async def people(url: str, *new: str) -> list[str]:
    """Everybody who is registered, after these were."""
    connection = await asyncpg.connect(url)
    for name in new:
        await connection.execute(
            "INSERT INTO users (username, name, bio, password_hash, created_at) "
            "VALUES ($1, '', '', '', now())",
            name,
        )
    rows = await connection.fetch("SELECT username FROM users ORDER BY id")
    await connection.close()
    return [row["username"] for row in rows]


@pytest.mark.timeout(180)  # eight programs, two of which make a PostgreSQL
def test_a_board_moves_to_another_folder(folder: Path) -> None:
    here, there, file = folder / "here", folder / "there", folder / "board.zip"
    server, secrets = embedded(here)
    with server:
        urls = database_urls(server, secrets)

        async def fill() -> None:
            await bootstrap(server.admin_url, urls)
            await migrate(urls)
            await people(urls["users"], "ines", "marit")

        asyncio.run(fill())
        checked = run(here, "migrate", "--check", program="operator")
        assert (checked.returncode, checked.stderr) == (0, "")
        assert "The databases are those of this version." in checked.stdout
        running = run(here, "backup", str(folder / "while-it-runs.zip"))
        assert running.returncode == 0, running.stderr
        refused = run(here, "restore", str(folder / "while-it-runs.zip"), "--replace")
        assert refused.returncode == 2
        assert "in use by another run" in refused.stderr
    stopped = run(here, "backup", str(file))
    assert stopped.returncode == 0, stopped.stderr
    restored = run(there, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    server, secrets = embedded(there)
    with server:
        found = asyncio.run(people(database_urls(server, secrets)["users"]))
    assert found == ["ines", "marit"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("backup", ""), "Name the file"),
        (("restore",), "Name the file"),
        (("backup", "board.zip"), "there is no board in"),
    ],
)
def test_refuses_before_anything_starts(folder: Path, words: tuple[str, ...], message: str) -> None:
    refused = run(folder / "none", *words)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert not (folder / "none").exists()


def test_commands_are_for_an_existing_board_only(folder: Path) -> None:
    refused = run(folder / "none", "migrate", "--check", program="operator")
    assert refused.returncode == 2
    assert "there is no board in" in refused.stderr
    assert not (folder / "none").exists()
