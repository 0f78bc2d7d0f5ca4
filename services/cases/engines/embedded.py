"""The embedded engine: executes the state machine in this process, durably.

Each transition is committed before the next begins. A task is called between two transitions,
without an open database transaction. If the process dies during the task, another process calls it
again after the lease, with the same step. A waiting case is a row with the time of its limit."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kernel.data.database import Connection, Database
from kernel.errors import Unavailable
from kernel.process.broadcast import Broadcast
from kernel.process.clock import Clock
from kernel.process.outage_log import OutageLog
from services.cases.engines.definition import WORK
from services.cases.engines.execution_store import ExecutionStore
from services.cases.engines.steps import (
    TaskMessage,
    failure,
    first_input,
    output,
    plain_cause,
    run_step,
)
from services.cases.workflow import CaseTasks, Outcome
from workflow.record import Called, Execution, Status
from workflow.states import Machine
from workflow.transition import (
    Call,
    Event,
    Proceed,
    ProceedAt,
    StaleToken,
    TaskDelivered,
    TaskFailed,
    TaskSucceeded,
    Transition,
    advance,
    start,
)
from workflow.values import Json

log = logging.getLogger("board.cases")

_NAME: Final = "case-workflow"
_AT_ONCE: Final = 4
_IDLE: Final = 60.0
_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Lease:
    """Seconds that a process may work on a task, and until another process tries it, which must be
    longer."""

    work: float = 20.0
    takeover: float = 30.0


class EmbeddedEngine:
    """Implements `CaseWorkflow`. Several processes may run executions of one database."""

    def __init__(
        self,
        database: Database,
        machine: Machine,
        tasks: CaseTasks,
        clock: Clock,
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._store = ExecutionStore(database)
        self._machine = machine
        self._tasks = tasks
        self._clock = clock
        self._lease = lease or Lease()
        self._due = Broadcast()

    def wake(self, payload: str = "") -> None:
        """Look for executions that are due: the callback of the channel `CHANNEL`."""
        self._due.notify(payload)

    async def start(self, connection: Connection, case: int) -> None:
        """Begin the case's execution, in the caller's transaction."""
        now = self._clock()
        started = start(self._machine, _NAME, f"case-{case}", first_input(case), now)
        await self._store.create(connection, case, started, now)
        await self._store.notify(connection)

    async def answer(self, connection: Connection, case: int, outcome: Outcome) -> None:
        """Complete the case's `Work on Case` if it waits, in the caller's transaction."""
        execution = await self._store.select_for_update(connection, case)
        if execution is None or execution.state != WORK:
            return
        phase = execution.phase
        if not isinstance(phase, Called) or execution.status is not Status.RUNNING:
            return
        event = TaskSucceeded(phase.token, output(case, outcome))
        await self._advance(connection, case, execution, event)
        await self._store.notify(connection)

    async def run(self) -> None:
        """Run executions until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE - 1):
                group.create_task(self._run_due(idle=_IDLE))
            await self._run_due(idle=_IDLE)

    async def _run_due(self, idle: float) -> None:
        outage = OutageLog(log, "the work on cases")
        while True:
            waiter = self._due.waiter()
            try:
                while await self.run_one():
                    pass
                due = await self._store.next_due()
                outage.succeeded()
            except Unavailable as down:
                outage.failed(down)
                due = self._clock() + timedelta(seconds=_PAUSE)
            except Exception:
                log.exception("a case could not go on")
                due = self._clock() + timedelta(seconds=_PAUSE)
            pause = idle if due is None else (due - self._clock()).total_seconds()
            await waiter.wait(min(max(pause, 0.0), idle))

    async def run_one(self) -> bool:
        """Do one transition of the execution that has been due for longest, and the task that it
        calls. Returns False if none was due. Raises `Unavailable`."""
        now = self._clock()
        async with self._database.transaction() as connection:
            claimed = await self._store.claim(connection, now)
            if claimed is None:
                return False
            case, execution = claimed
            call = await self._proceed(connection, case, execution, now)
        if execution.status is Status.FAILED:
            await self._report(case, execution)
        elif call is not None:
            await self._carry_out(case, call)
        return True

    async def _proceed(
        self, connection: Connection, case: int, execution: Execution, now: datetime
    ) -> Call | None:
        """Do the next transition of a due execution. Returns the task that it calls."""
        if execution.status is Status.RUNNING and execution.state in self._machine.states:
            return _call(await self._advance(connection, case, execution, Proceed()))
        if execution.status is Status.RUNNING:
            # The state is from another version of the definition, and only that version can
            # continue.
            log.error("case %d is in the state %r, which is unknown here", case, execution.state)
        await self._store.set_due(connection, case, self._takeover(now))
        return None

    async def _carry_out(self, case: int, call: Call) -> None:
        event = await self._event(call)
        async with self._database.transaction() as connection:
            execution = await self._store.select_for_update(connection, case)
            if execution is None:
                return
            try:
                await self._advance(connection, case, execution, event)
            except StaleToken:
                log.info("case %d went on without an answer of %s", case, call.state)

    async def _event(self, call: Call) -> Event:
        try:
            async with asyncio.timeout(self._lease.work):
                found = await run_step(self._tasks, TaskMessage.parse(_body(call.input)))
        except TimeoutError:
            late = Unavailable(f"{call.state} took longer than {self._lease.work:g} s.")
            return TaskFailed(call.token, *failure(late))
        except Exception as error:
            expected = isinstance(error, Unavailable)
            log.warning("%s failed: %r", call.state, error, exc_info=not expected)
            return TaskFailed(call.token, *failure(error))
        return TaskDelivered(call.token) if found is None else TaskSucceeded(call.token, found)

    async def _advance(
        self, connection: Connection, case: int, execution: Execution, event: Event
    ) -> Transition:
        """Do and store the next transition. Raises `StaleToken`."""
        now = self._clock()
        transition = advance(self._machine, execution, event, now)
        await self._store.save(connection, case, transition, now, self._next(transition, now))
        return transition

    def _next(self, transition: Transition, now: datetime) -> datetime | None:
        """When the execution is due again."""
        if transition.execution.status is Status.FAILED:
            return now
        if _call(transition) is not None:
            return self._takeover(now)
        moments = [one.at for one in transition.commands if isinstance(one, ProceedAt)]
        return min(moments, default=None)

    def _takeover(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._lease.takeover)

    async def _report(self, case: int, execution: Execution) -> None:
        """Show a failed execution on its case. If that fails, it is tried again later."""
        error, cause = execution.error or "", execution.cause or ""
        await self._tasks.fail(case, f"{execution.name} failed", error, plain_cause(cause))
        async with self._database.transaction() as connection:
            await self._store.set_due(connection, case, None)


def _call(transition: Transition) -> Call | None:
    return next((one for one in transition.commands if isinstance(one, Call)), None)


def _body(given: Json) -> Json:
    """The message that Step Functions would put on the queue."""
    return given.get("MessageBody") if isinstance(given, Mapping) else None
