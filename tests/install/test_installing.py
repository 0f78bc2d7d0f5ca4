"""The gateway's own distribution, installed as its guide says; the packages that it needs come from
the package index."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from laptop import ports
from tests.eventually import eventually_blocking
from tests.repository import ROOT, files

pytestmark = pytest.mark.timeout(300)

PIPX = ROOT / ".venv" / "install" / "bin" / "pipx"
SECONDS = 200
TEMPLATE = ROOT / "docs" / "examples" / "weights" / "web.yml"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Installs the versions that are tested here."""
    locked = (ROOT / "requirements" / "gateway.txt").read_text(encoding="ascii")
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("\n".join(re.findall(r"^\S+==[^\s;\\]+", locked, re.MULTILINE)))
    return {
        **os.environ,
        "PIP_CONSTRAINT": str(constraints),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_MAN_DIR": str(tmp_path / "man"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
    }


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files that the gateway is installed from, outside this repository."""
    root = tmp_path / "board"
    for file in files():
        if file.parts[0] in ("gateway", "kernel", "pyproject.toml"):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, root / file)
    return root


def run(*command: str | Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fresh(folder: Path) -> Path:
    """The bin folder of a new virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=SECONDS)
    return folder / "bin"


def check_runs(alb: Path, environment: dict[str, str]) -> None:
    """Checks and runs a load balancer with the installed command."""
    said = run(alb, "check", "--template", TEMPLATE, environment=environment)
    assert said.startswith("Balancer can be run\n")
    [port] = ports.free(1)
    with running(alb, port) as url:

        def answered() -> int | None:
            try:
                return httpx.get(url).status_code
            except httpx.TransportError:
                return None

        # The listener answers by itself, because its target group has no target.
        assert eventually_blocking(answered) == 503


@contextmanager
def running(alb: Path, port: int) -> Iterator[str]:
    process = subprocess.Popen([alb, "run", "--template", TEMPLATE, "--listen", f"Listener={port}"])
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_pip_installs_the_gateway_from_a_path(
    tmp_path: Path, copy: Path, environment: dict[str, str]
) -> None:
    bin_folder = fresh(tmp_path / "venv")
    run(bin_folder / "pip", "install", "--quiet", copy / "gateway", environment=environment)
    check_runs(bin_folder / "alb", environment)
    # From another folder, where no package of the board is importable by its path.
    done = subprocess.run(
        [bin_folder / "python", "-I", "-c", "import gateway, kernel"],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        cwd=tmp_path,
    )
    assert "No module named 'kernel'" in done.stderr


def test_pip_installs_the_gateway_from_a_git_address(
    tmp_path: Path, copy: Path, environment: dict[str, str]
) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for arguments in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*identity, "commit", "--quiet", "--message", "All"),
    ):
        run("git", "-C", copy, *arguments, environment=environment)
    bin_folder = fresh(tmp_path / "venv")
    address = f"git+file://{copy}#subdirectory=gateway"
    run(bin_folder / "pip", "install", "--quiet", address, environment=environment)
    check_runs(bin_folder / "alb", environment)


def test_pipx_installs_the_gateway_from_a_path(
    tmp_path: Path, copy: Path, environment: dict[str, str]
) -> None:
    run(PIPX, "install", "--quiet", copy / "gateway", environment=environment)
    check_runs(tmp_path / "bin" / "alb", environment)
