"""Checks that a port of this machine is free, and finds free ones."""

import errno
import random
import socket

from laptop.errors import CannotRunError

# Below the ports that Linux (from 32768), macOS and the BSDs (from 49152) assign to outgoing
# connections, one of which could take a port between this check and its use.
_QUIET = range(20_000, 32_000)
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def check_free(port: int, setting: str = "PORT") -> None:
    """Raise CannotRunError if `port` of localhost is taken; it names the process that has it.

    `setting` is that of the port. Checks IPv4 and IPv6, because browsers try both for `localhost`.
    """
    for family, address in _LOOPBACK:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                # As servers do, so that connections in TIME_WAIT do not count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
                probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotRunError(
                    f"port {port} is taken{_by_whom(port)}: stop that process, "
                    f"or use another port: make run {setting}={_another(port)}"
                ) from None
            if error.errno == errno.EACCES:
                raise CannotRunError(
                    f"port {port} needs privileges that this user does not have: "
                    "use a port above 1023: make run PORT=8080"
                ) from None
            if family == socket.AF_INET6:
                # This machine has no IPv6, so nothing can listen on it either.
                continue
            raise CannotRunError(f"port {port} cannot be used: {error.strerror}") from error


def free(count: int, *, but: int = 0) -> list[int]:
    """Return `count` different ports of 127.0.0.1 on which nothing listens, and never `but`.

    Raises:
        CannotRunError: fewer ports are free.
    """
    found: list[int] = []
    for port in random.sample(_QUIET, len(_QUIET)):
        if len(found) == count:
            return found
        if port != but and _can_be_bound(port):
            found.append(port)
    raise CannotRunError(f"fewer than {count} ports from {_QUIET[0]} to {_QUIET[-1]} are free")


def _can_be_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _another(port: int) -> int:
    return port + 1 if port < 65_535 else 8080


def _by_whom(port: int) -> str:
    """` by NAME (process N)`, or an empty string if the process cannot be determined."""
    try:
        import psutil  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        # A dependency of the wheel with the embedded PostgreSQL; the board itself does not need it.
        return ""
    try:
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN
            if listening and connection.laddr.port == port and connection.pid is not None:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        # On macOS, only root sees the connections of other users.
        return ""
    return ""
