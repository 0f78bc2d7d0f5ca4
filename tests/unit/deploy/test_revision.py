"""The name of an image says which code is in it."""

import subprocess
from pathlib import Path

import pytest

from deploy.errors import CannotDeployError
from deploy.images import revision
from deploy.settings import read


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with one commit."""
    (tmp_path / "code.py").write_text("one\n")
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_revision_of_a_clean_clone_is_its_commit(clone: Path) -> None:
    name = revision.of(clone, allow_dirty=False)
    assert len(name) == 12
    assert read({"REVISION": name}).revision == name


def test_uncommitted_changes_are_rejected_by_name(clone: Path) -> None:
    (clone / "code.py").write_text("two\n")
    with pytest.raises(CannotDeployError, match=r"code\.py.*ALLOW_DIRTY=1"):
        revision.of(clone, allow_dirty=False)


@pytest.mark.parametrize("file", ["code.py", "new.py"])
def test_allowed_uncommitted_changes_are_part_of_the_revision(clone: Path, file: str) -> None:
    names = set()
    for content in ("two\n", "three\n"):
        (clone / file).write_text(content)
        names.add(revision.of(clone, allow_dirty=True))
    assert len(names) == 2
    for name in names:
        assert "-dirty" in name
        assert read({"REVISION": name}).revision == name


def test_requires_a_revision_outside_of_git(tmp_path: Path) -> None:
    with pytest.raises(CannotDeployError, match="REVISION="):
        revision.of(tmp_path, allow_dirty=True)
