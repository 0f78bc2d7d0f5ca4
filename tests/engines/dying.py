"""A database client whose process can die before a commit, or right after it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from kernel.data.database import Connection, Database


def _nothing() -> None:
    pass


class DyingDatabase(Database):
    """Calls `at_point` at each point where a crash makes a difference."""

    at_point: Callable[[], None] = staticmethod(_nothing)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, with one point before its commit and one after it."""
        async with super().transaction() as connection:
            yield connection
            self.at_point()
        self.at_point()

    async def write(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """A statement, with one point before it and one after it."""
        self.at_point()
        row = await super().write(query, *arguments)
        self.at_point()
        return row
