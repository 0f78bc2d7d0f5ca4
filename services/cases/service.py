"""What people can do with cases: report a post, look at cases, and decide them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from kernel.contracts import Actor, Posts, UserModeration, Users
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Page
from kernel.errors import Forbidden, NotFound, Policy
from kernel.process.clock import Clock
from services.cases.model import STATES, Case, Choice, NewReport, Reason, State, check_may_ban
from services.cases.workflow import CaseWorkflow

ReportWrite = IdempotentWrite[tuple[Case, bool]]
"""The write of a report: the case, and whether it is new."""


class Store(Protocol):
    """What `CaseService` needs of its store; `services.cases.store.CaseStore` has it in
    PostgreSQL."""

    async def check_replay(self, write: ReportWrite, user: int, now: datetime) -> None: ...

    async def report(
        self,
        new: NewReport,
        now: datetime,
        policy: Policy,
        write: ReportWrite,
        workflow: CaseWorkflow,
    ) -> tuple[Case, bool]: ...

    async def find(self, case: int, reporter: int | None) -> Case | None: ...

    async def list(
        self, states: Sequence[State], reporter: int | None, limit: int, after: str | None
    ) -> Page[Case]: ...

    async def count(self) -> Mapping[State, int]: ...

    async def decide(
        self,
        case: int,
        actor: int,
        choice: Choice,
        now: datetime,
        allow: Callable[[Case], None],
        workflow: CaseWorkflow,
    ) -> Case | None: ...


class CaseService:
    """The rules of cases. Every method raises `Unauthenticated`, `Banned`, and `Unavailable` when a
    context that must be asked is down."""

    def __init__(
        self,
        store: Store,
        users: Users,
        moderation: UserModeration,
        posts: Posts,
        workflow: CaseWorkflow,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._store = store
        self._users = users
        self._moderation = moderation
        self._posts = posts
        self._workflow = workflow
        self._clock = clock
        self._policy = policy

    async def report(
        self, token: str, post: int, reason: Reason, note: str | None, write: ReportWrite
    ) -> tuple[Case, bool]:
        """Report a post. Returns its open case, and whether that is new. Raises `NotFound` for a
        post that is not there or has been removed, `Forbidden` for one's own, and
        `TooManyRequests`."""
        actor = await self._users.authenticate(token)
        now = self._clock()
        await self._store.check_replay(write, actor.id, now)  # before what may have changed since
        found = await self._posts.post_for_case(post)
        if found.removed:
            raise NotFound("There is no such post.")
        if found.author == actor.id:
            raise Forbidden("Nobody can report their own post. Edit or delete it.")
        new = NewReport(post, found.author, found.thread, actor.id, reason, note)
        return await self._store.report(new, now, self._policy, write, self._workflow)

    async def list(
        self, token: str, state: State | None, limit: int, after: str | None
    ) -> tuple[bool, Page[Case]]:
        """All cases for moderators, those that they have reported for others, the newest first; and
        whether the caller moderates."""
        actor = await self._users.authenticate(token)
        states = STATES if state is None else (state,)
        page = await self._store.list(states, _reporter(actor), limit, after)
        return actor.moderates, page

    async def count(self, token: str) -> Mapping[State, int]:
        """The number of cases in each state, for moderators. Raises `Forbidden`."""
        actor = await self._users.authenticate(token)
        if not actor.moderates:
            raise Forbidden("This is for moderators.")
        return await self._store.count()

    async def show(self, token: str, case: int) -> tuple[bool, Case]:
        """The case, and whether the caller moderates. Raises `NotFound` if there is none, or if the
        caller neither moderates nor has reported it."""
        actor = await self._users.authenticate(token)
        found = await self._store.find(case, _reporter(actor))
        return actor.moderates, _found(found)

    async def decide(
        self, token: str, case: int, choice: Choice, check_seen: Callable[[Case], None]
    ) -> Case:
        """Decide the case. `check_seen` raises unless this is the case that the caller has seen.
        Raises `Forbidden` unless the caller may decide it, and may ban the author if they want to;
        `NotFound`; `Conflict` if it has been decided or has ended; `Invalid` for an action without
        a resolution."""
        actor = await self._users.authenticate(token)
        if not actor.moderates:
            raise Forbidden("This is for moderators.")
        choice.check()
        roles = (
            {one.id: one.role for one in await self._moderation.moderators()}
            if choice.action == "ban-author"
            else {}
        )

        def allow(found: Case) -> None:
            found.check_may_decide(actor)
            if choice.action == "ban-author":
                check_may_ban(actor, roles.get(found.author, "member"))
            check_seen(found)
            found.check_undecided()

        now = self._clock()
        decided = await self._store.decide(case, actor.id, choice, now, allow, self._workflow)
        return _found(decided)


def _reporter(actor: Actor) -> int | None:
    return None if actor.moderates else actor.id


def _found(case: Case | None) -> Case:
    if case is None:
        raise NotFound("There is no such case.")
    return case
