"""The contexts' databases on a PostgreSQL that only tests use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from board.bootstrap import bootstrap
from board.migrate import migrate
from laptop.postgres.server import PostgresServer
from laptop.postgres.throwaway import throwaway
from tests import data_folders
from topology.contexts import CONTEXT_NAMES


@dataclass(frozen=True)
class Databases:
    """A running server and the URL of each context's database on it."""

    server: PostgresServer
    urls: Mapping[str, str]


@contextmanager
def running_server() -> Iterator[Databases]:
    """A new server; `prepare` creates its databases."""
    with throwaway(data_folders.parent()) as server:
        urls = {
            context: server.url(context, context, f"{context}-secret") for context in CONTEXT_NAMES
        }
        yield Databases(server, urls)


async def prepare(databases: Databases) -> None:
    """Create the roles and databases, and migrate them."""
    await bootstrap(databases.server.admin_url, databases.urls)
    await migrate(databases.urls)
