"""The data folder is private, writable, and used by one run at a time."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from laptop.data_folder import FolderLock, make_data_folder
from laptop.errors import CannotRunError


@contextmanager
def as_someone_else() -> Iterator[None]:
    """Switch to another user, because root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_new_folder_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    make_data_folder(folder)
    # The server's user must be able to traverse root's folder, but not to list it.
    assert stat.S_IMODE(folder.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert [*folder.iterdir()] == []


def test_existing_folder_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    make_data_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_data_folder_that_is_a_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(CannotRunError, match="data is a file"):
        make_data_folder(tmp_path / "data")
    with pytest.raises(CannotRunError, match="data/inner cannot be created: Not a directory"):
        make_data_folder(tmp_path / "data/inner")


def test_read_only_folder_is_rejected_with_its_path(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    with as_someone_else(), pytest.raises(CannotRunError, match=f"{closed} cannot be written to"):
        make_data_folder(closed)


def test_a_lock_is_held_until_it_is_released(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.acquire()
    with pytest.raises(CannotRunError, match=f"in use by another run .process {os.getpid()}"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    second.release()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from laptop.data_folder import FolderLock\n"
        "FolderLock(pathlib.Path(sys.argv[1])).acquire(); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert ended.returncode == 9
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.release()


def test_no_child_inherits_the_lock(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.acquire()
    assert lock._descriptor is not None
    assert not os.get_inheritable(lock._descriptor)
    lock.release()
