"""The lock files in requirements/ and npm's pin everything, with hashes and without an index's
address."""

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
# Environments for development, which are never shipped.
TOOLS = {
    "audit",
    "dev",
    "lock",
    "lint-images",
    "lint-javascript",
    "lint-templates",
    "rehearsal",
    "install",
    "lambda",
}
NPM_LOCK = ROOT / "package-lock.json"
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]


def _pins(lock: Path) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE):
        pins.setdefault(name, set()).add(version)
    return pins


def _names(group: str) -> set[str]:
    names: set[str] = set()
    for entry in GROUPS[group]:
        if isinstance(entry, str):
            names.add(re.split(r"[\[<>=~!;]", entry)[0].strip())
        else:
            names |= _names(entry["include-group"])
    return names


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    logical = lock.read_text().replace("\\\n", " ").splitlines()
    assert logical
    for line in logical:
        assert re.match(r"[a-z0-9-]+==\S+", line), line
        assert "--hash=sha256:" in line, line
        assert "://" not in line, line


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_file_has_every_library_of_its_group(lock: Path) -> None:
    assert _names(lock.stem) <= _pins(lock).keys()


@pytest.mark.parametrize(
    "lock", [lock for lock in LOCKS if lock.stem not in TOOLS], ids=lambda lock: lock.stem
)
def test_shipped_versions_are_the_tested_versions(lock: Path) -> None:
    tested = _pins(ROOT / "requirements" / "dev.txt")
    for name, versions in _pins(lock).items():
        assert versions <= tested[name], name


def test_every_npm_package_is_pinned_with_its_hash_and_without_an_address() -> None:
    packages = json.loads(NPM_LOCK.read_text())["packages"]
    tools = packages.pop("")["devDependencies"]
    assert tools == json.loads((ROOT / "package.json").read_text())["devDependencies"]
    for name, version in tools.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_everything_that_is_shipped_is_audited() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [audited] = re.findall(r"^AUDITED := (.*)$", makefile, re.MULTILINE)
    assert "pip-audit --strict" in makefile, "or a package that cannot be looked up would pass"

    def pinned(locks: Iterable[Path]) -> set[tuple[str, str]]:
        pins = (_pins(lock).items() for lock in locks)
        return {(name, version) for each in pins for name, found in each for version in found}

    shipped = [lock for lock in LOCKS if lock.stem not in TOOLS]
    assert pinned(ROOT / "requirements" / f"{name}.txt" for name in audited.split()) == pinned(
        shipped
    )
