"""The engine on AWS: Step Functions executes the state machine, and this process does its tasks.

What has to be started or answered is stored with the case and sent afterwards, again if need be.
Each task is a message on a queue. The database is the truth: an execution that is gone, or has
given up because nobody worked for too long, is started again, and its steps find what is done.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from kernel.data.database import Connection, Database
from kernel.errors import Unavailable
from kernel.process.broadcast import Broadcast
from kernel.process.clock import Clock
from kernel.process.outage_log import OutageLog
from services.cases.engines.aws import AwsWorkflow, Ended, QueueMessage, TaskGone
from services.cases.engines.definition import WORK
from services.cases.engines.remote_store import RemoteExecution, RemoteStore
from services.cases.engines.steps import (
    TaskMessage,
    failure,
    first_input,
    output,
    plain_cause,
    run_step,
)
from services.cases.workflow import CaseTasks, Outcome

log = logging.getLogger("board.cases")

LOOK_EVERY: Final = timedelta(minutes=15)
"""How often a running execution is checked."""

_LEASE: Final = timedelta(seconds=60)
_STEP_SECONDS: Final = 20.0
_IDLE: Final = 60.0
_PAUSE: Final = 2.0
_LOST_BY: Final = ("States.Timeout", "States.HeartbeatTimeout", "SQS.")
"""Errors of an execution that could not reach this service in time: a pause is enough."""


class StepFunctionsEngine:
    """Implements `CaseWorkflow`. Several processes may work at one queue."""

    def __init__(
        self,
        database: Database,
        aws: AwsWorkflow,
        tasks: CaseTasks,
        clock: Clock,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        self._store = RemoteStore(database)
        self._aws = aws
        self._tasks = tasks
        self._clock = clock
        self._look_every = look_every
        self._due = Broadcast()

    def wake(self, payload: str = "") -> None:
        """Look for executions that are due: the callback of the channel `CHANNEL`."""
        self._due.notify(payload)

    async def start(self, connection: Connection, case: int) -> None:
        """Begin the case's execution, in the caller's transaction."""
        await self._store.create(connection, case, self._clock())

    async def answer(self, connection: Connection, case: int, outcome: Outcome) -> None:
        """Complete the case's `Work on Case` if it waits, in the caller's transaction."""
        await self._store.answer(connection, case, output(case, outcome), self._clock())

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_due())
            group.create_task(self._run_queue())

    async def _run_due(self) -> None:
        outage = OutageLog(log, "the work on cases")
        while True:
            waiter = self._due.waiter()
            pause = _PAUSE
            try:
                while await self.run_one():
                    pass
                due = await self._store.next_due()
                outage.succeeded()
                pause = _IDLE if due is None else (due - self._clock()).total_seconds()
            except Unavailable as down:
                outage.failed(down)
            except Exception:
                log.exception("a case could not go on")
            await waiter.wait(min(max(pause, 0.0), _IDLE))

    async def _run_queue(self) -> None:
        outage = OutageLog(log, "the queue of tasks")
        while True:
            try:
                await self.work_all(await self._aws.receive())
                outage.succeeded()
            except Unavailable as down:
                outage.failed(down)
                await asyncio.sleep(_PAUSE)
            except Exception:
                log.exception("a task of a case could not be done")
                await asyncio.sleep(_PAUSE)

    async def work_all(self, messages: Sequence[QueueMessage]) -> None:
        """Do the tasks in these messages at the same time, so that none becomes visible again while
        it waits for another. Raises the first failure when all have been tried."""
        tried = await asyncio.gather(*map(self.work, messages), return_exceptions=True)
        for failed in tried:
            if isinstance(failed, BaseException):
                raise failed

    async def run_one(self) -> bool:
        """Do the next action for the execution that has been due for longest. Returns False if none
        was due. Raises `Unavailable`."""
        execution = await self._store.claim(self._clock(), _LEASE)
        if execution is None:
            return False
        if not execution.started:
            await self._aws.start(execution.name, json.dumps(first_input(execution.case)))
            await self._store.started(execution, self._clock() + self._look_every)
        elif execution.answer is not None and execution.token is not None:
            await self._send(execution.token, execution.answer)
            await self._store.sent(execution, self._clock() + self._look_every)
        else:
            await self._look(execution)
        return True

    async def work(self, message: QueueMessage) -> None:
        """Do the task in a message. A message that cannot be read stays, and goes to the
        dead-letter queue. Raises `Unavailable`."""
        try:
            task = TaskMessage.parse(json.loads(message.body))
        except ValueError as error:
            log.error("a message on the queue of cases cannot be read: %s", error)  # noqa: TRY400
            return
        try:
            # Also checks whether the execution still waits for this task.
            await self._aws.heartbeat(task.token)
            if await self._store.is_open(task.case):
                await self._carry_out(task)
        except TaskGone:
            log.info("nobody waits for %s of case %d any more", task.state, task.case)
        await self._aws.delete(message)

    async def _carry_out(self, task: TaskMessage) -> None:
        if task.state == WORK:
            # First, so that a decision at this moment finds it.
            await self._store.set_token(task.case, task.token)
        try:
            async with asyncio.timeout(_STEP_SECONDS):
                found = await run_step(self._tasks, task)
        except TimeoutError:
            late = Unavailable(f"{task.state} took longer than {_STEP_SECONDS:g} s.")
            await self._aws.fail(task.token, *failure(late))
        except Exception as error:
            expected = isinstance(error, Unavailable)
            log.warning("%s failed: %r", task.state, error, exc_info=not expected)
            await self._aws.fail(task.token, *failure(error))
        else:
            if found is not None:
                await self._aws.succeed(task.token, json.dumps(found))

    async def _send(self, token: str, answer: str) -> None:
        try:
            await self._aws.succeed(token, answer)
        except TaskGone:
            # Its time limit came first. The next `Work on Case` finds the decision.
            log.info("nobody waits for a decision any more")

    async def _look(self, execution: RemoteExecution) -> None:
        ended = await self._aws.ended(execution.name)
        now = self._clock()
        if ended is None:
            await self._store.look_again(execution, now + self._look_every)
        elif ended.status == "SUCCEEDED":
            await self._store.look_again(execution, None)
        elif _is_lost(ended):
            log.info("%s is lost (%s) and starts again", execution.name, ended.error)
            await self._store.lost(execution, now)
        else:
            step = f"{execution.name} failed"
            cause = plain_cause(ended.cause)
            await self._tasks.fail(execution.case, step, ended.error, cause)
            await self._store.look_again(execution, None)


def _is_lost(ended: Ended) -> bool:
    """Whether the execution ended although no step failed."""
    return ended.status != "FAILED" or ended.error.startswith(_LOST_BY)
