"""A database client at which a process dies: before a commit, or right after it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from kernel.data.database import Connection, Database


def _nothing() -> None:
    pass


class DyingDatabase(Database):
    """Calls `at_point` at each point where it matters whether the process goes on."""

    at_point: Callable[[], None] = staticmethod(_nothing)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, with a point in front of its commit and one after it."""
        async with super().transaction() as connection:
            yield connection
            self.at_point()
        self.at_point()

    async def write(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """A statement, with a point in front of it and one after it."""
        self.at_point()
        row = await super().write(query, *arguments)
        self.at_point()
        return row
