"""Runs cases until all have ended: `python -m tests.engines.killed_main URL CASE [POINT]`.

It starts the case, unless CASE is 0, and makes each decision that is waited for: first "not
resolved", then "resolved". At the given point it kills itself with SIGKILL. It prints the number of
points that it has passed.
"""

import asyncio
import os
import signal
import sys

from kernel.process.clock import utc_now
from services.cases.engines.definition import AfterEscalation, load_case_workflow
from services.cases.engines.embedded import EmbeddedEngine, Lease
from services.cases.engines.execution_store import ExecutionStore
from tests.engines.dying import DyingDatabase
from tests.engines.ledger import LedgerTasks
from tests.engines.playing import begin, decide, find, waits

_LEASE = Lease(work=0.3, takeover=0.5)


async def _run(url: str, case: int, kill_at: int) -> int:
    passed = 0

    def count() -> None:
        nonlocal passed
        passed += 1
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async with DyingDatabase.open(url) as database:
        tasks = LedgerTasks(database)
        machine = load_case_workflow(AfterEscalation.LOOP)
        engine = EmbeddedEngine(database, machine, tasks, utc_now, _LEASE)
        assert isinstance(database, DyingDatabase)
        database.at_point = count
        if case:
            await begin(engine, database, case)
        while True:
            while await engine.run_one():
                pass
            if not await _decide_all(engine, tasks):
                due = await ExecutionStore(database).next_due()
                if due is None:
                    return passed
                await asyncio.sleep(max((due - utc_now()).total_seconds(), 0))


async def _decide_all(engine: EmbeddedEngine, tasks: LedgerTasks) -> bool:
    """Make a decision that is waited for. Returns whether there was one."""
    rows = await tasks.database.rows("SELECT case_id FROM executions WHERE due_at IS NOT NULL")
    waiting = [row["case_id"] for row in rows if waits(await find(tasks.database, row["case_id"]))]
    for case in waiting:
        row = await tasks.database.row(
            "SELECT message LIKE '%escalating%' AS second FROM ledger_cases WHERE case_id = $1",
            case,
        )
        await decide(engine, tasks, case, resolved=row is not None and row["second"])
    return bool(waiting)


def main() -> None:
    """Run, and print the number of points."""
    url, case, *point = sys.argv[1:]
    sys.stdout.write(str(asyncio.run(_run(url, int(case), int(point[0]) if point else 0))))


if __name__ == "__main__":
    main()
