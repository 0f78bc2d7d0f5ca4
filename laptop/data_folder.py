"""The folder that keeps a board's data: made private, and used by one run at a time."""

import fcntl
import os
import tempfile
from pathlib import Path

from laptop.errors import CannotRunError


def make_data_folder(folder: Path) -> None:
    """Make the folder, and those above it, when it is not there.

    For this user only; but root's can be passed through, because the server that has its data in
    there does not run as root. What is secret in it is closed by itself. CannotRunError when it
    cannot be made, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, mode=0o700)
        if os.geteuid() == 0:
            folder.chmod(0o711)
    except FileExistsError:
        if not folder.is_dir():
            raise CannotRunError(f"{folder} is a file, and must be a folder") from None
    except OSError as error:
        raise CannotRunError(f"{folder} cannot be made: {error.strerror}") from error
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotRunError(
            f"{folder} cannot be written to ({error.strerror}): run as the user who made it, "
            "or use another folder with DATA_DIR=/elsewhere"
        ) from error


class FolderLock:
    """A lock on a folder, held through an open file (flock(2)): it ends with the process."""

    def __init__(self, folder: Path) -> None:
        """`folder` must exist by the time of `acquire()`."""
        self._path = folder / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; CannotRunError, naming the holder, when another process has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise CannotRunError(
                f"{self._path.parent} is in use by another run (process {holder}): "
                "stop that one, or use another folder with DATA_DIR=/elsewhere"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; nothing happens when it is not held. The file stays: removing it would race."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
