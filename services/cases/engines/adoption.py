"""Takes over cases of Step Functions, in a deployment that no longer uses it.

An engine for Step Functions checks each of its executions every quarter of an hour. An execution
that was not checked for an hour is abandoned: the embedded engine starts it again. Its tasks find
what has been done.
"""

import logging
from datetime import timedelta
from typing import Final

from kernel.data.database import Database
from kernel.process.background import repeat
from kernel.process.clock import Clock
from services.cases.engines.remote_store import RemoteStore
from services.cases.workflow import CaseWorkflow

log = logging.getLogger("board.cases")

ABANDONED_AFTER: Final = timedelta(hours=1)


class Adoption:
    """Takes over abandoned executions, beginning an hour after the start of the process: after a
    pause, an engine for Step Functions needs time to check its own."""

    def __init__(self, database: Database, engine: CaseWorkflow, clock: Clock) -> None:
        self._database = database
        self._store = RemoteStore(database)
        self._engine = engine
        self._clock = clock

    async def run(self) -> None:
        """Take over until cancelled."""
        hour = ABANDONED_AFTER.total_seconds()
        await repeat(self._attempt, log, "taking over abandoned cases", pause=hour, first=hour)

    async def _attempt(self) -> float:
        await self.adopt()
        return ABANDONED_AFTER.total_seconds()

    async def adopt(self) -> int:
        """Take over the abandoned executions. Returns their number. Raises `Unavailable`."""
        async with self._database.transaction() as connection:
            cases = await self._store.give_up(connection, self._clock() - ABANDONED_AFTER)
            for case in cases:
                await self._engine.start(connection, case)
        return len(cases)
