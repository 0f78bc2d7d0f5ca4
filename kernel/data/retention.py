"""Deletes expired rows in small batches, in the background."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from kernel.data.database import Database
from kernel.data.idempotency import LIFETIME
from kernel.process.background import repeat
from kernel.process.clock import Clock

log = logging.getLogger("board.retention")

_BATCH = 1_000
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Rule:
    """Deletes rows of `table` whose `created_at` is older than `lifetime`. The column needs an
    index."""

    table: str
    lifetime: timedelta


IDEMPOTENCY_KEYS = Rule("idempotency_keys", LIFETIME)


class Retention:
    """Applies the rules of one database every `interval` seconds, possibly in several processes."""

    def __init__(
        self, database: Database, rules: Sequence[Rule], clock: Clock, interval: float = 600.0
    ) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._interval = interval

    async def run(self) -> None:
        """Delete until cancelled. Begins after one interval, because a previous version of the
        board that still runs may need the rows."""
        interval = self._interval
        await repeat(self._attempt, log, "deleting old rows", pause=interval, first=interval)

    async def _attempt(self) -> float:
        return _PAUSE if await self.delete_batches() else self._interval

    async def delete_batches(self) -> int:
        """Delete at most 1,000 rows of each table. Returns how many. Raises `Unavailable`."""
        return sum([await self._delete_batch(rule) for rule in self._rules])

    async def _delete_batch(self, rule: Rule) -> int:
        rows = await self._database.rows(
            delete_statement(rule.table), self._clock() - rule.lifetime, _BATCH
        )
        return len(rows)


def delete_statement(table: str) -> str:
    """The statement that deletes at most $2 rows created before $1, the oldest first, without
    locked ones."""
    return f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE created_at <= $1 ORDER BY created_at
            LIMIT $2 FOR UPDATE SKIP LOCKED
        ))
        RETURNING true
    """  # noqa: S608 - a table of ours
