"""The databases of the board of this machine, which may run or not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from laptop.errors import CannotRunError
from laptop.postgres import postmaster_file
from laptop.run import database_urls, embedded
from laptop.settings import Settings


@contextmanager
def board_databases(
    run: Settings, *, running: bool
) -> Iterator[tuple[Mapping[str, str], str | None]]:
    """The databases' URLs, and the administrator's where known, on a server that runs meanwhile.

    `running`: the board must exist, and may run. Otherwise it must not run. Raises
    `CannotRunError`.
    """
    if run.database_urls:
        yield run.database_urls, run.admin_database_url
        return
    if running and not run.data_folder.exists():
        raise CannotRunError(f"there is no board in {run.data_folder}")
    server, secrets = embedded(run.data_folder)
    if running and postmaster_file.socket_folder(server.cluster) is not None:
        server.attach()
        yield database_urls(server, secrets), server.admin_url
        return
    with server:
        yield database_urls(server, secrets), server.admin_url
