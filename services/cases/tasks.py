"""The tasks of a case's workflow, one for each state that does something. The engine may call a
task again, for example after a crash; the repetition then changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kernel.contracts import Posts, Role, ThreadModeration, UserModeration
from kernel.errors import NotFound
from kernel.process.clock import Clock
from services.cases.model import ENDED, Case, Decision, Step, opening
from services.cases.workflow import Outcome

_LONGEST_NOTE = 500


class Store(Protocol):
    """What `Tasks` needs of its store; `services.cases.task_store.TaskStore` implements it with
    PostgreSQL."""

    async def find(self, case: int) -> Case: ...

    async def enter(self, case: int, step: Step, now: datetime) -> Case: ...

    async def assign(
        self, case: int, step: Step, candidates: Sequence[int], now: datetime
    ) -> Case: ...

    async def escalate(
        self, case: int, step: Step, candidates: Sequence[int], now: datetime
    ) -> Case: ...


class Tasks:
    """Implements `services.cases.workflow.CaseTasks`. Other contexts are called before a
    transaction, never inside it."""

    def __init__(
        self,
        store: Store,
        users: UserModeration,
        threads: ThreadModeration,
        posts: Posts,
        clock: Clock,
    ) -> None:
        self._store = store
        self._users = users
        self._threads = threads
        self._posts = posts
        self._clock = clock

    async def open(self, case: int, step: str) -> str:
        """Record that the case was opened, and return its message so far."""
        opened = Step(step, "opened", opening(case))
        return (await self._store.enter(case, opened, self._clock())).message

    async def assign(self, case: int, step: str) -> str:
        """Assign the case to the moderator with the fewest open cases, or to an admin if there are
        no moderators."""
        candidates = await self._candidates(case, ("moderator", "admin"))
        assigned = Step(step, "assigned", "assigned...")
        return (await self._store.assign(case, assigned, candidates, self._clock())).message

    async def work(self, case: int, step: str) -> Outcome | None:
        """The outcome of the moderator's decision, or of the case if it has already ended; None
        while nobody has decided."""
        found = await self._store.find(case)
        if found.answer is None and found.state not in ENDED:
            # `enter` reads the case again, in a transaction: a decision since `find` is not missed.
            found = await self._store.enter(case, Step(step, "working", ""), self._clock())
        if found.state in ENDED:
            return Outcome(found.state == "closed", found.message)
        answer = found.answer
        return None if answer is None else Outcome(answer.resolved, found.message)

    async def close(self, case: int, step: str) -> str:
        """Carry out the decision, once, and close the case. Raises `ValueError` for a case that is
        not resolved."""
        found = await self._store.find(case)
        if found.state in ENDED:
            return found.message
        if found.answer is None or not found.answer.resolved:
            raise ValueError(f"Case {case} is not resolved.")
        note = await self._carry_out(found, found.answer)
        closed = Step(step, "closed", "closed.", note)
        return (await self._store.enter(case, closed, self._clock())).message

    async def escalate(self, case: int, step: str) -> str:
        """Move the case to tier 2 and assign it to the admin with the fewest open cases."""
        candidates = await self._candidates(case, ("admin",))
        escalated = Step(step, "escalated", "escalating.")
        return (await self._store.escalate(case, escalated, candidates, self._clock())).message

    async def fail(self, case: int, step: str, error: str, cause: str) -> None:
        """Record on the case that its execution failed, which ends it."""
        note = f"{error}: {cause}"[:_LONGEST_NOTE]
        await self._store.enter(case, Step(step, "failed", "", note), self._clock())

    async def _candidates(self, case: int, roles: Sequence[Role]) -> Sequence[int]:
        """The ids of everybody who may be assigned: all users with the first role, or with the next
        one if the first has none. The author of the post is left out, because nobody decides about
        their own post."""
        found = await self._store.find(case)
        moderators = await self._users.moderators()
        for role in roles:
            ids = [one.id for one in moderators if one.role == role and one.id != found.author]
            if ids:
                return ids
        return []

    async def _carry_out(self, case: Case, decision: Decision) -> str | None:
        """Act in the moderator's name; because of the key, only once even if this is repeated.
        Returns the note for the case, if there is one."""
        reason = decision.note or f"Reported: {case.reason}"
        key = f"case-{case.id}"
        try:
            if decision.action == "remove-post":
                await self._posts.remove_post(case.post, decision.by, reason, key)
            elif decision.action == "lock-thread":
                await self._threads.lock_thread(case.thread, decision.by, reason, key)
            elif decision.action == "ban-author":
                await self._users.ban_user(case.author, decision.by, reason, key)
        except NotFound:
            return "There was nothing left to do."
        return None
