"""What a context's database contains: tables, in an order in which they can be filled, and
sequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

REVISIONS = "alembic_version"
"""The table in which Alembic stores the newest migration."""


@dataclass(frozen=True)
class Table:
    """A table, and those of its columns that are stored and not generated from others."""

    name: str
    columns: tuple[str, ...]


async def find_revision(connection: Connection) -> str | None:
    """The newest migration of the database, or None if it was never migrated."""
    if not await connection.fetchval("SELECT to_regclass('public.alembic_version') IS NOT NULL"):
        return None
    revision: str | None = await connection.fetchval(
        "SELECT version_num FROM public.alembic_version"
    )
    return revision


async def revision_of(connection: Connection) -> str:
    """The newest migration of the database. Raises `ValueError` if it was never migrated."""
    revision = await find_revision(connection)
    if revision is None:
        raise ValueError("The database was never migrated: there is nothing to back up.")
    return revision


async def tables_of(connection: Connection, schema: str = "public") -> list[Table]:
    """The tables of a schema except Alembic's, each after those that it refers to.

    Raises `ValueError` if tables refer to each other in a circle.
    """
    rows = await connection.fetch(
        """
        SELECT c.relname AS name,
            array(
                SELECT a.attname::text FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND a.attgenerated = '' ORDER BY a.attnum
            ) AS columns,
            array(
                SELECT DISTINCT r.relname::text FROM pg_constraint f
                JOIN pg_class r ON r.oid = f.confrelid
                WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid
            ) AS refers_to
        FROM pg_class c
        WHERE c.relnamespace = to_regnamespace($2) AND c.relkind = 'r' AND c.relname <> $1
        ORDER BY c.relname
        """,
        REVISIONS,
        schema,
    )
    waiting = {row["name"]: row for row in rows}
    ordered: list[Table] = []
    while waiting:
        ready = [
            name for name, row in waiting.items() if not waiting.keys() & set(row["refers_to"])
        ]
        if not ready:
            raise ValueError(f"Tables refer to each other in a circle: {', '.join(waiting)}")
        ordered += [Table(name, tuple(waiting.pop(name)["columns"])) for name in ready]
    return ordered


async def sequences_of(connection: Connection) -> Mapping[str, int]:
    """The last number of each sequence of the schema `public` that has been used."""
    rows = await connection.fetch(
        "SELECT sequencename, last_value FROM pg_sequences "
        "WHERE schemaname = 'public' AND last_value IS NOT NULL"
    )
    return {row["sequencename"]: row["last_value"] for row in rows}
