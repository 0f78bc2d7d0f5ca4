"""Fakes of what cases takes: its stores, its workflow, and what it may ask of other contexts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from kernel.contracts import Moderator, ReportedPost, Role
from kernel.data.paging import Page
from kernel.errors import Failure, NotFound, Policy
from services.cases.model import ENDED, STATES, Case, Choice, Decision, NewReport, State, Step
from services.cases.service import ReportWrite
from services.cases.workflow import CaseWorkflow, Outcome
from tests.unit.fakes import NOON

AUTHOR, REPORTER, MODERATOR, ADMIN = 10, 11, 12, 13
POST, THREAD = 20, 30

OPEN = Case(
    id=7, post=POST, author=AUTHOR, thread=THREAD, state="working", reason="spam", note=None,
    reporters=[REPORTER], assignee=MODERATOR, tier=1, round=1, decision=None, decided_round=0,
    message="Case 007: opened...assigned...", created_at=NOON, closed_at=None, history=[],
)  # fmt: skip
"""A case that somebody has to decide."""


def decided(choice: Choice, by: int = MODERATOR) -> Case:
    """The open case with this decision of its round."""
    return OPEN._replace(decision=Decision(*choice, by, NOON), decided_round=1)


class FakeWorkflow:
    """`services.cases.workflow.CaseWorkflow` that remembers what it was asked."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.answers: list[tuple[int, Outcome]] = []

    async def start(self, _connection: object, case: int) -> None:
        self.started.append(case)

    async def answer(self, _connection: object, case: int, outcome: Outcome) -> None:
        self.answers.append((case, outcome))


class FakeCaseStore:
    """`services.cases.service.Store` with one case at most."""

    def __init__(self, case: Case | None = None) -> None:
        self.case = case
        self.reports: list[NewReport] = []
        self.choices: list[tuple[int, Choice]] = []

    async def check_replay(self, _write: ReportWrite, _user: int, _now: datetime) -> None:
        pass

    async def report(
        self,
        new: NewReport,
        _now: datetime,
        _policy: Policy,
        _write: ReportWrite,
        _workflow: CaseWorkflow,
    ) -> tuple[Case, bool]:
        self.reports.append(new)
        is_new, self.case = self.case is None, self.case or OPEN
        return self.case, is_new

    async def find(self, _case: int, reporter: int | None) -> Case | None:
        if self.case is None or (reporter is not None and reporter not in self.case.reporters):
            return None
        return self.case

    async def list(
        self, states: Sequence[State], reporter: int | None, _limit: int, _after: str | None
    ) -> Page[Case]:
        found = await self.find(0, reporter)
        return Page([found] if found is not None and found.state in states else [], None)

    async def count(self) -> Mapping[State, int]:
        return dict.fromkeys(STATES, 0)

    async def decide(
        self,
        _case: int,
        actor: int,
        choice: Choice,
        now: datetime,
        allow: Callable[[Case], None],
        _workflow: CaseWorkflow,
    ) -> Case | None:
        if self.case is None:
            return None
        allow(self.case)
        self.choices.append((actor, choice))
        self.case = self.case._replace(
            decision=Decision(*choice, actor, now), decided_round=self.case.round
        )
        return self.case


class FakeTaskStore:
    """`services.cases.tasks.Store` with one case. `steps` has what was written, `candidates` the
    latest list from which somebody was chosen."""

    def __init__(self, case: Case = OPEN) -> None:
        self.case = case
        self.steps: list[Step] = []
        self.candidates: Sequence[int] = []

    async def find(self, _case: int) -> Case:
        return self.case

    async def enter(self, _case: int, step: Step, _now: datetime) -> Case:
        if self.case.state not in ENDED and step.key not in {one.key for one in self.steps}:
            self.steps.append(step)
            message = self.case.message + step.words
            self.case = self.case._replace(state=step.state, message=message)
        return self.case

    async def assign(self, case: int, step: Step, candidates: Sequence[int], now: datetime) -> Case:
        self.candidates = candidates
        return await self.enter(case, step, now)

    async def escalate(
        self, case: int, step: Step, candidates: Sequence[int], now: datetime
    ) -> Case:
        return await self.assign(case, step, candidates, now)


class FakeModeration:
    """`UserModeration`, `ThreadModeration` and `Posts` in one. `acts` has what was carried out; it
    raises `failure` while there is one."""

    def __init__(self, *posts: ReportedPost, **roles: Role) -> None:
        self.posts = {post.id: post for post in posts}
        self.roles = {int(name.removeprefix("u")): role for name, role in roles.items()}
        self.acts: list[tuple[str, int, int, str, str]] = []
        self.departed_users: set[int] = set()
        self.failure: Failure | None = None

    async def moderators(self) -> Sequence[Moderator]:
        return [Moderator(user, "name", "Name", role) for user, role in self.roles.items()]

    async def departed(self, users: Sequence[int]) -> Sequence[int]:
        return [user for user in users if user in self.departed_users]

    async def post_for_case(self, post: int) -> ReportedPost:
        if post not in self.posts:
            raise NotFound("There is no such post.")
        return self.posts[post]

    async def remove_post(self, post: int, moderator: int, reason: str, key: str) -> None:
        self._act("remove-post", post, moderator, reason, key)

    async def lock_thread(self, thread: int, moderator: int, reason: str, key: str) -> None:
        self._act("lock-thread", thread, moderator, reason, key)

    async def ban_user(self, user: int, moderator: int, reason: str, key: str) -> None:
        self._act("ban-author", user, moderator, reason, key)

    def _act(self, name: str, target: int, moderator: int, reason: str, key: str) -> None:
        if self.failure is not None:
            raise self.failure
        if key not in {act[4] for act in self.acts}:
            self.acts.append((name, target, moderator, reason, key))


class FakeErasureStore:
    """`kernel.data.erasure.Store` with the reporters of some reports."""

    def __init__(self, *reporters: int) -> None:
        self.left = sorted(reporters)
        self.lists = 0

    async def people(self, after: int, limit: int) -> Sequence[int]:
        self.lists += 1
        return [reporter for reporter in self.left if reporter > after][:limit]

    async def erase(self, people: Sequence[int]) -> None:
        self.left = [reporter for reporter in self.left if reporter not in people]
