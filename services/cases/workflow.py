"""The interface between cases and the engine that runs their workflow.

The state machine of infra/case-workflow.asl.json has one task for each method of `CaseTasks` but
`fail`, which the engine calls for an execution that has failed. The database of cases is the
truth: an engine only decides which task is next, and a task that has been done already changes
nothing.
"""

from typing import NamedTuple, Protocol

from kernel.data.database import Connection


class Outcome(NamedTuple):
    """The result of `Work on Case`: whether the case is resolved, and the case's message."""

    resolved: bool
    message: str


class CaseWorkflow(Protocol):
    """Starts and continues executions; the engines implement it."""

    async def start(self, connection: Connection, case: int) -> None:
        """Start the case's execution, in the caller's transaction: no case exists without one."""

    async def answer(self, connection: Connection, case: int, outcome: Outcome) -> None:
        """Complete the case's waiting `Work on Case`, in the transaction that stores the decision.
        Does nothing if the execution does not wait there: `CaseTasks.work` then finds the
        decision."""


class CaseTasks(Protocol):
    """What the states do; `services.cases.tasks.Tasks` implements it, and the engines call it.

    Each task may be called again. `step` identifies one entry into one state: a retry of a task has
    the same step, the next entry into the same state another. The methods return the case's message
    so far, such as `Case 001: opened...assigned...`. They raise `kernel.errors.Unavailable` for
    what may work on the next attempt, and any other error for what will not."""

    async def open(self, case: int, step: str) -> str:
        """`Open Case`."""

    async def assign(self, case: int, step: str) -> str:
        """`Assign Case`: to the moderator with the fewest open cases."""

    async def work(self, case: int, step: str) -> Outcome | None:
        """`Work on Case`: a person's decision; None if the state has to wait for one."""

    async def close(self, case: int, step: str) -> str:
        """`Close Case`: carry out the decision, only once however often this is called."""

    async def escalate(self, case: int, step: str) -> str:
        """`Escalate Case`: to tier 2, assigned to the admin with the fewest open cases. Also after
        the time limit of `work`."""

    async def fail(self, case: int, step: str, error: str, cause: str) -> None:
        """The execution has failed: show it on the case, which ends."""
