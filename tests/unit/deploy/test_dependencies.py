"""The commands for AWS need no library but those of requirements/deploy.txt."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

_RUN = """
import json, runpy, sys

forbidden = set(json.loads(sys.argv.pop(1)))

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ImportError(f"{name} is not in requirements/deploy.txt")

sys.meta_path.insert(0, Refuse())
for name in sys.argv.pop(1).split(","):
    __import__(name)
sys.argv[0] = "deploy"
runpy.run_module("deploy", run_name="__main__")
"""


def _normal(name: str) -> str:
    """The normal form of a distribution's name, as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _forbidden() -> list[str]:
    """The installed modules of distributions that the deploy group does not lock."""
    lock = (ROOT / "requirements" / "deploy.txt").read_text()
    locked = {_normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    return [
        module
        for module, distributions in packages_distributions().items()
        if not {_normal(name) for name in distributions} & locked
    ]


def _modules() -> list[str]:
    """Every module of the package, so that imports inside commands count as well."""
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "deploy").rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py"}
    ]


def _help(modules: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _RUN, json.dumps(_forbidden()), ",".join(modules), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_help_needs_the_libraries_of_the_deploy_group_alone() -> None:
    done = _help(_modules())
    assert done.returncode == 0, done.stderr
    assert "destroy" in done.stdout


def test_library_of_another_group_is_refused() -> None:
    done = _help(["fastapi"])
    assert done.returncode == 1
    assert "fastapi is not in requirements/deploy.txt" in done.stderr
