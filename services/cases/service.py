"""What people can do with cases: report a post, look at cases, and decide them."""

from collections.abc import Sequence
from typing import Protocol

from kernel.contracts import Users
from kernel.data.paging import Page
from kernel.errors import NotFound
from services.cases.model import STATES, Case, State


class Store(Protocol):
    """What `CaseService` needs of its store; `services.cases.store.CaseStore` has it in
    PostgreSQL."""

    async def find(self, case: int) -> Case | None: ...

    async def list(
        self, states: Sequence[State], reporter: int | None, limit: int, after: str | None
    ) -> Page[Case]: ...


class CaseService:
    """The rules of cases."""

    def __init__(self, store: Store, users: Users) -> None:
        self._store = store
        self._users = users

    async def list(
        self, token: str, state: State | None, limit: int, after: str | None
    ) -> tuple[bool, Page[Case]]:
        """All cases for moderators, those that they have reported for others, the newest first; and
        whether the caller moderates. Raises `Unauthenticated`, `Banned`, and `Unavailable` when
        users is down."""
        actor = await self._users.authenticate(token)
        reporter = None if actor.moderates else actor.id
        states = STATES if state is None else (state,)
        return actor.moderates, await self._store.list(states, reporter, limit, after)

    async def show(self, token: str, case: int) -> tuple[bool, Case]:
        """The case, and whether the caller moderates. Raises as `list` does, and `NotFound` if
        there is none, or if the caller neither moderates nor has reported it."""
        actor = await self._users.authenticate(token)
        found = await self._store.find(case)
        if found is None or not (actor.moderates or actor.id in found.reporters):
            raise NotFound("There is no such case.")
        return actor.moderates, found
