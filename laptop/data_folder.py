"""The folder with a board's data: private, and used by one run at a time."""

import fcntl
import os
import tempfile
from pathlib import Path

from laptop.errors import CannotRunError


def make_data_folder(folder: Path) -> None:
    """Create the folder and its parents, if they do not exist.

    Only this user can enter it. Root's folder can be traversed by everyone, because PostgreSQL,
    whose cluster is in it, does not run as root; the secrets in it have their own permissions.

    Raises:
        CannotRunError: the folder cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, mode=0o700)
        if os.geteuid() == 0:
            folder.chmod(0o711)
    except FileExistsError:
        if not folder.is_dir():
            raise CannotRunError(f"{folder} is a file, and must be a folder") from None
    except OSError as error:
        raise CannotRunError(f"{folder} cannot be created: {error.strerror}") from error
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotRunError(
            f"{folder} cannot be written to ({error.strerror}): run as the user who created it, "
            "or use another folder with DATA_DIR=/elsewhere"
        ) from error


class FolderLock:
    """A lock on a folder, held through an open file (flock(2)): it ends with the process."""

    def __init__(self, folder: Path) -> None:
        """`folder` must exist by the time of `acquire()`."""
        self._path = folder / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises CannotRunError, which names the holder, if it is taken."""
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
        """Release the lock, if it is held.

        The file stays: another process may have opened it already, and would then lock a file that
        no longer exists.
        """
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
