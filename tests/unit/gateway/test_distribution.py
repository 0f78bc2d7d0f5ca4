"""The gateway as a distribution of its own."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GATEWAY = ROOT / "gateway"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=GATEWAY,
        check=True,
        capture_output=True,
        timeout=60,
    )
    [built] = folder.glob("*.whl")
    return built


def test_distribution_contains_exactly_the_gateways_modules(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(ROOT).as_posix() for path in GATEWAY.rglob("*.py")}
    assert names == modules


def test_distribution_has_the_gateways_dependencies() -> None:
    own = tomllib.loads((GATEWAY / "pyproject.toml").read_text())["project"]
    here = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert own["dependencies"] == here["dependency-groups"]["gateway"]
    assert own["requires-python"] == here["project"]["requires-python"]


def test_distribution_installs_the_command_alb(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [entry] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "alb = gateway.__main__:command" in archive.read(entry).decode()
    program = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); sys.argv[0] = 'alb'; "
        "from gateway.__main__ import command; sys.exit(command())"
    )
    template = ROOT / "tests/unit/gateway/template/shapes/redirects/web.yml"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, "check", "--template", template],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Balancer can be run",
        "  Listener (HTTP 80): 3 rules and the default rule",
    ]
