"""What statements can meet in a schema, and whether those for one schema work on another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from board.tables import REVISIONS, Connection

_COLUMNS = """
    SELECT relname AS of, attname AS name, attnum AS number,
           format_type(atttypid, atttypmod) AS type, attnotnull AS required,
           attgenerated <> '' AS generated,
           atthasdef OR attidentity <> '' AS filled
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')
      AND attnum > 0 AND NOT attisdropped AND relname <> $2
    ORDER BY relname, attnum
"""
_RULES = """
    SELECT relname AS of, pg_get_constraintdef(pg_constraint.oid) AS rule, conkey AS about
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE relnamespace = to_regnamespace($1) AND contype <> 'n' AND relname <> $2
    UNION
    SELECT relname,
           'UNIQUE INDEX ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''),
           indkey::int2[]
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = to_regnamespace($1) AND indisunique AND relname <> $2
"""
_INDEXES = """
    SELECT i.relname AS name, t.relname AS of
    FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
    WHERE t.relnamespace = to_regnamespace($1) AND t.relname <> $2
    ORDER BY i.relname
"""


@dataclass(frozen=True)
class Column:
    """What a column takes. `filled`: it has a value if a statement does not name it."""

    type: str
    required: bool
    generated: bool
    filled: bool


@dataclass(frozen=True)
class Schema:
    """Columns by table and name; the rules of tables, each with the columns that it is about; and
    indexes with their tables."""

    columns: Mapping[tuple[str, str], Column]
    rules: Mapping[tuple[str, str], frozenset[tuple[str, str]]]
    indexes: Mapping[str, str]

    @property
    def tables(self) -> frozenset[str]:
        """The names of its tables."""
        return frozenset(table for table, _ in self.columns)


async def read_schema(connection: Connection, name: str = "public") -> Schema:
    """The schema of that name, without Alembic's table."""
    rows = await connection.fetch(_COLUMNS, name, REVISIONS)
    columns = {
        (row["of"], row["name"]): Column(
            row["type"], row["required"], row["generated"], row["filled"]
        )
        for row in rows
    }
    numbers = {(row["of"], row["number"]): row["name"] for row in rows}
    rules = {
        (row["of"], row["rule"]): frozenset(
            (row["of"], numbers[row["of"], number]) for number in row["about"] if number
        )
        for row in await connection.fetch(_RULES, name, REVISIONS)
    }
    indexes = {row["name"]: row["of"] for row in await connection.fetch(_INDEXES, name, REVISIONS)}
    return Schema(columns, rules, indexes)


def breaks(before: Schema, after: Schema) -> Iterator[str]:
    """Why code that was written for `before` may fail on `after`, a phrase for each reason."""
    for (table, name), was in before.columns.items():
        now = after.columns.get((table, name))
        column = f"{table}.{name}"
        if now is None:
            yield f"{column} is gone"
            continue
        if now.type != was.type:
            yield f"{column} is {now.type}, and was {was.type}"
        if now.required and not was.required:
            yield f"{column} must have a value now"
        if now.generated and not was.generated:
            yield f"{column} cannot be written any more"
        if was.filled and not now.filled and now.required:
            yield f"{column} has no default any more"
    for (table, name), new in after.columns.items():
        added = table in before.tables and (table, name) not in before.columns
        if added and new.required and not (new.filled or new.generated):
            yield f"{table}.{name} is new, and must have a value"
    for (table, rule), about in after.rules.items():
        # The old code leaves a new column empty, which every rule accepts.
        known = table in before.tables and (table, rule) not in before.rules
        if known and about <= set(before.columns):
            yield f"{table} has a new rule: {rule}"


def additions(before: Schema, after: Schema) -> Iterator[str]:
    """The tables that `after` has in addition, and the columns and indexes of the other tables."""
    for table in sorted(after.tables - before.tables):
        yield f"the table {table}"
    for table, name in after.columns:
        if table in before.tables and (table, name) not in before.columns:
            yield f"the column {table}.{name}"
    for index, table in after.indexes.items():
        if table in before.tables and index not in before.indexes:
            yield f"an index of {table}, {index}"
