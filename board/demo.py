"""Fills an empty board with example content, so that a visitor finds threads to read."""

import asyncio
import secrets
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from kernel.contracts import Actor, Role
from kernel.data.idempotency import IdempotentWrite
from kernel.process.clock import to_milliseconds
from kernel.process.lifecycle import Lifecycle
from services.cases.model import Choice, State
from services.cases.service import CaseService, ReportWrite
from services.cases.settings import CaseSettings
from services.cases.wiring import open_cases
from services.posts.settings import PostSettings
from services.posts.wiring import open_posts
from services.threads.settings import ThreadSettings
from services.threads.wiring import open_threads
from services.users.model import NewUser
from services.users.settings import UserSettings
from services.users.wiring import open_users

_CONTENT = Path(__file__).with_name("demo.toml")
_PATIENCE = 30.0
"""Seconds to wait for a connection: nobody waits for this command as a client does."""
_WORKFLOW_SECONDS = 30.0
_LOOK_AGAIN = 0.05
_ORIGIN = "http://localhost"  # any origin works: only pictures need it, and the content has none


class Settings(UserSettings, ThreadSettings, PostSettings, CaseSettings):
    """The settings of every context. The intervals between two posts or threads do not apply."""


class _DemoUsers:
    """A `kernel.contracts.Users` whose session tokens are the usernames."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.roles: dict[str, Role] = {}

    async def authenticate(self, token: str) -> Actor:
        return Actor(self.ids[token], self.roles[token])


async def fill(settings: Settings, now: datetime) -> None:
    """Fill the board with the content of `demo.toml`, as if it had been written in the days before
    `now`, and print the users' passwords. Does nothing on a board that has users."""
    content = tomllib.loads(_CONTENT.read_text(encoding="utf-8"))
    scenes = _scenes(content, now)
    moment = scenes[0][0] - timedelta(days=1)
    settings = settings.model_copy(
        update={
            "acquire_timeout": _PATIENCE,
            "thread_interval": 0,
            "post_interval": 0,
            "registration_limit": 0,
        }
    )
    people, lifecycle = _DemoUsers(), Lifecycle()
    async with (
        open_users(settings, lambda: moment) as users,
        open_threads(settings, lifecycle, people, lambda: moment) as threads,
        open_posts(
            settings,
            lifecycle,
            people,
            users.moderation,
            threads.service,
            _ORIGIN,
            lambda: moment,
        ) as posts,
        open_cases(
            settings,
            people,
            users.moderation,
            threads.moderation,
            posts.moderation,
            lambda: moment,
        ) as cases,
    ):
        if await _has_users(settings.users_database_url):
            print("The board has users already: no demo data.")  # noqa: T201
            return
        print("Sign in as one of these users (passwords are printed only once):")  # noqa: T201
        for person in content["people"]:
            password = secrets.token_urlsafe(9)
            new = NewUser(person["username"], password, person["name"], person["bio"], None)
            people.ids[person["username"]] = (await users.service.register(new, "")).id
            people.roles[person["username"]] = person["role"]
            print(f"  {person['username']:<20} {password}")  # noqa: T201

        await _appoint_moderators(settings.users_database_url, people)

        started: dict[str, int] = {}
        written: dict[str, list[int]] = {}
        for moment, title, line in scenes:  # noqa: B007 - the clocks above read the moment
            by = line["by"]
            if title not in started:
                thread = await threads.service.start(by, title, IdempotentWrite.without_key())
                started[title] = thread.id
            else:
                post = await posts.service.write(
                    by, started[title], line["text"], None, IdempotentWrite.without_key()
                )
                written.setdefault(title, []).append(post.id)
        moment = now
        for report in content["reports"]:
            await _report(cases.service, report, written[report["thread"]][report["post"]])
        while await posts.delivery.deliver():
            pass


async def _has_users(users_url: str) -> bool:
    """Whether somebody has an account: `make deploy-ecs` leaves deleted ones of its own test."""
    connection = await asyncpg.connect(users_url, timeout=10)
    try:
        found: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM users WHERE deleted_at IS NULL)"
        )
    finally:
        await connection.close()
    return found


async def _appoint_moderators(users_url: str, people: _DemoUsers) -> None:
    # There is no admin yet who could do so.
    moderators = [people.ids[name] for name, role in people.roles.items() if role == "moderator"]
    connection = await asyncpg.connect(users_url, timeout=10)
    try:
        await connection.execute(
            "UPDATE users SET role = 'moderator' WHERE id = ANY($1)", moderators
        )
    finally:
        await connection.close()


async def _report(cases: CaseService, report: Mapping[str, Any], post: int) -> None:
    """Report the post, and wait until somebody has to decide; decide if the content says how."""
    by, note = report["by"], report["note"] or None
    write = ReportWrite.without_key()
    case, _ = await cases.report(by, post, report["reason"], note, write)
    decision = report.get("decision")
    await _until(cases, by, case.id, "working")
    if decision is not None:
        choice = Choice(True, decision["action"], decision["note"])
        await cases.decide(decision["by"], case.id, choice, lambda _: None)
        await _until(cases, by, case.id, "closed")


async def _until(cases: CaseService, token: str, case: int, state: State) -> None:
    # On a machine that is too slow, the services go on with the case later.
    with suppress(TimeoutError):
        async with asyncio.timeout(_WORKFLOW_SECONDS):
            while (await cases.show(token, case))[1].state != state:  # noqa: ASYNC110 - it may be another process that moves the case
                await asyncio.sleep(_LOOK_AGAIN)


def _scenes(
    content: Mapping[str, Any], now: datetime
) -> list[tuple[datetime, str, Mapping[str, Any]]]:
    """All threads and posts of the demo in the order of their times, a thread before its posts."""
    scenes: list[tuple[datetime, str, Mapping[str, Any]]] = []
    for thread in content["threads"]:
        start = to_milliseconds(now - timedelta(days=thread["days_ago"]))
        scenes.append((start, thread["title"], thread))
        for post in thread["posts"]:
            moment = to_milliseconds(start + timedelta(hours=post["hours_after"]))
            scenes.append((min(moment, now), thread["title"], post))
    return sorted(scenes, key=lambda scene: scene[0])
