"""`postmaster.pid`: the file in which a running PostgreSQL server describes itself.

It is in the cluster's folder. Its lines (src/include/utils/pidfile.h): process id, cluster, start
time, port, socket folder, address, shared memory, state. `pg_ctl` waits for a server's start in the
same way.
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
    """The process id in the file; None if there is no file, or no number in it yet."""
    try:
        return int(_lines(cluster)[0])
    except (IndexError, ValueError):
        return None


def is_ready(cluster: Path, process: int) -> bool:
    """Whether the server with that process id reports that it accepts connections."""
    lines = _lines(cluster)
    if len(lines) <= _STATE_LINE or lines[0] != str(process):
        return False
    return lines[_STATE_LINE].strip() == "ready"


def socket_folder(cluster: Path) -> Path | None:
    """The folder with the socket of the cluster's running server; None if no server is ready."""
    process = process_id(cluster)
    if process is None or not is_ready(cluster, process) or not _is_postmaster(process, cluster):
        return None
    return Path(_lines(cluster)[_SOCKET_LINE])


def stop_leftover(cluster: Path, *, patience: float = 10.0) -> int | None:
    """Stop a server that an earlier run left on `cluster`. Returns its process id, or None.

    Requests a fast shutdown, and an immediate one after `patience` seconds. If the process id in
    the file now belongs to another process, that process is left alone. The caller must hold the
    data folder's lock.

    Raises:
        CannotRunError: the server still runs `patience` seconds after the second request.
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
        # The postmaster's working directory is its cluster. A zombie has none.
        working = Path(f"/proc/{process}/cwd").stat()
        own = cluster.stat()
    except OSError:
        return False
    same = (working.st_dev, working.st_ino) == (own.st_dev, own.st_ino)
    # The kernel adds " (deleted)" if the program's file has been replaced since.
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
    """Replace a process id that now belongs to another process by this process's id.

    A new server refuses to start while the file names a living process of its user, except its own
    parent, which this process will be. The rest of the file stays: it names the shared memory by
    which the server recognises sessions that outlived a dead server.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    path = cluster / FILE_NAME
    _, separator, rest = path.read_text(encoding="utf-8", errors="replace").partition("\n")
    # Written in place, so that the file still belongs to the server's user.
    path.write_text(f"{os.getpid()}{separator}{rest}", encoding="utf-8")
