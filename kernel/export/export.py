"""Reads all rows of a context that are about one user, page by page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from kernel.contracts import Users
from kernel.data.database import Database
from kernel.data.paging import Cursor, Page, page
from kernel.errors import MalformedRequest

_POSITION: Final = 3
"""The keys of a cursor: the number of the part, and its sort keys, or how many rows were read."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a table that are about a user, with all columns except `without`.

    `condition` is SQL in which `$1` is the user's id. `order` are one or two columns of positive
    integers by which an index finds the rows, or, with `few`, any columns: then the rows before a
    page are read again, so there must be few of them. `source` is what follows FROM, if that is not
    the table alone.
    """

    table: str
    condition: str
    order: tuple[str, ...]
    without: tuple[str, ...] = ()
    few: bool = False
    source: str | None = None

    def query(self) -> str:
        """The statement for at most $4 rows after the position ($2, $3), with their positions."""
        names = [f"{self.table}.{column}" for column in self.order]
        if self.few:
            first = f"row_number() OVER (ORDER BY {', '.join(names)})"
            after, skip = "true", "OFFSET $2"
        elif len(names) == 1:
            first, after, skip = names[0], f"{names[0]} > $2", ""
        else:
            first, after, skip = names[0], f"({', '.join(names)}) > ($2, $3::bigint)", ""
        second = names[1] if len(names) == 2 and not self.few else "$3::bigint"
        return f"""
            SELECT {first} AS first, {second} AS second,
                to_jsonb({self.table}) - '{{{",".join(self.without)}}}'::text[] AS row
            FROM {self.source or self.table}
            WHERE ({self.condition}) AND {after}
            ORDER BY {", ".join(names)} LIMIT $4 {skip}
        """  # noqa: S608 - constants of the context


IDEMPOTENCY_KEYS: Final = Part(
    "idempotency_keys", "user_id = $1", ("method", "path", "key"),
    without=("digest", "headers", "body"), few=True,
)  # fmt: skip
"""Responses stay stored for a repeated request. What they contain is in other tables."""

ALLOWANCES: Final = Part("allowances", "subject = $1::bigint::text", ("policy",), few=True)
LAST_DONE: Final = Part("last_done", "user_id = $1", ("policy",), few=True)

NOTICES: Final = Part(
    "moderation_log", "user_id = $1 AND user_id <> moderator", ("id",), without=("moderator", "key")
)
"""What moderators did to the user: without their names, so that nobody takes it personally."""


class Row(NamedTuple):
    """A row, with the values of its columns. `keys` is its position, `size` that in bytes."""

    table: str
    row: Mapping[str, object]
    keys: tuple[int, ...]
    size: int


class Export:
    """Reads what a context stores of a user: the rows of `parts`, one part after the other."""

    def __init__(self, database: Database, users: Users, parts: Sequence[Part]) -> None:
        self._database = database
        self._users = users
        self._parts = parts
        self._queries = [part.query() for part in parts]

    async def own(self, token: str, limit: int, after: str | None) -> Page[Row]:
        """A page of what is stored of the caller. Raises `Unauthenticated`, `Banned`,
        `MalformedRequest` for a cursor of another list, and `Unavailable`."""
        actor = await self._users.authenticate(token)
        return await self.of_user(actor.id, limit, after)

    async def of_user(self, user: int, limit: int, after: str | None) -> Page[Row]:
        """A page of what is stored of a user. Raises `MalformedRequest` for a cursor of another
        list, and `Unavailable`."""
        kind = f"export-of-{user}"
        position = (0, 0, 0) if after is None else Cursor.decode(after, kind, _POSITION).keys
        if min(position) < 0:
            raise MalformedRequest("The cursor in ?after= belongs to another list.")
        number, first, second = position
        found: list[Row] = []
        for place in range(number, len(self._parts)):
            found += await self._rows(place, user, first, second, limit + 1 - len(found))
            if len(found) > limit:
                break
            first = second = 0
        return page(found, limit, kind, lambda row: row.keys, lambda row: row.size)

    async def _rows(
        self, place: int, user: int, first: int, second: int, limit: int
    ) -> Sequence[Row]:
        table = self._parts[place].table
        rows = await self._database.rows(self._queries[place], user, first, second, limit)
        return [
            Row(
                table,
                json.loads(row["row"]),
                (place, row["first"], row["second"]),
                len(row["row"].encode()),
            )
            for row in rows
        ]
