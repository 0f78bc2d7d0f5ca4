"""`postmaster.pid`: what a running PostgreSQL server tells about itself in its cluster.

Its lines (src/include/utils/pidfile.h): process id, cluster, start time, port, socket folder,
address, shared memory, state. `pg_ctl` waits on it in the same way.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from laptop.errors import CannotRunError

FILE_NAME = "postmaster.pid"

_SOCKET_LINE = 4
_STATE_LINE = 7


def process_id(cluster: Path) -> int | None:
    """The process id in the file; None when there is no file, or no number in it yet."""
    try:
        return int(_lines(cluster)[0])
    except (IndexError, ValueError):
        return None


def is_ready(cluster: Path, process: int) -> bool:
    """Whether the server with that process id says that it takes connections."""
    lines = _lines(cluster)
    if len(lines) <= _STATE_LINE or lines[0] != str(process):
        return False
    return lines[_STATE_LINE].strip() == "ready"


def socket_folder(cluster: Path) -> Path | None:
    """Where the running server of that cluster has its socket; None when none is ready there."""
    process = process_id(cluster)
    if process is None or not is_ready(cluster, process) or not _is_postmaster(process, cluster):
        return None
    return Path(_lines(cluster)[_SOCKET_LINE])


def stop_leftover(cluster: Path, *, patience: float = 10.0) -> int | None:
    """Stop a server that an earlier run left on `cluster`; its process id, or None if none ran.

    Asks for a fast shutdown, after `patience` seconds for an immediate one, and after as many
    again raises CannotRunError. A process that has merely come to bear the number is left alone.
    The caller must hold the data folder's lock.
    """
    process = process_id(cluster)
    if process is None or process <= 0:
        return None
    if not _is_postmaster(process, cluster):
        _disown(cluster, process)
        return None
    for shutdown in (signal.SIGINT, signal.SIGQUIT):
        try:
            os.kill(process, shutdown)
        except ProcessLookupError:
            return process
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not _is_postmaster(process, cluster):
                return process
            time.sleep(0.02)
    raise CannotRunError(
        f"a PostgreSQL server of an earlier run (process {process}) does not stop: kill it"
    )


def _lines(cluster: Path) -> list[str]:
    try:
        return (cluster / FILE_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _is_postmaster(process: int, cluster: Path) -> bool:
    if sys.platform == "linux":
        return _is_postmaster_by_proc(process, cluster)
    else:
        return _is_postmaster_by_ps(process, cluster)


def _is_postmaster_by_proc(process: int, cluster: Path) -> bool:
    try:
        program = Path(f"/proc/{process}/exe").readlink().name
        # The postmaster works in its cluster. A zombie has no folder any more.
        working = Path(f"/proc/{process}/cwd").stat()
        own = cluster.stat()
    except OSError:
        return False
    same = (working.st_dev, working.st_ino) == (own.st_dev, own.st_ino)
    # The kernel marks the program of a process whose file was replaced meanwhile.
    return same and program.removesuffix(" (deleted)") == "postgres"


def _is_postmaster_by_ps(process: int, cluster: Path) -> bool:
    listing = subprocess.run(  # noqa: S603 - no shell, and the one argument is a number
        ["/bin/ps", "-ww", "-o", "stat=", "-o", "command=", "-p", str(process)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, command = listing.stdout.strip().partition(" ")
    return not state.startswith("Z") and "postgres" in command and f"-D {cluster}" in command


def _disown(cluster: Path, process: int) -> None:
    """Make the server see that the number in the file, borne by another process, means nothing.

    A new server refuses to start while the number belongs to any living process of its user
    except its parent. So the number becomes its parent's, ours; the rest of the file stays, since
    by the shared memory named there the server recognises sessions that outlived a dead server.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    path = cluster / FILE_NAME
    _, separator, rest = path.read_text(encoding="utf-8", errors="replace").partition("\n")
    # In place, so that the file goes on belonging to the server's user.
    path.write_text(f"{os.getpid()}{separator}{rest}", encoding="utf-8")
