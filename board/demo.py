"""Fills an empty board, so that a visitor finds people talking."""

import secrets
import tomllib
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from board.settings import Databases
from kernel.contracts import Actor
from kernel.data.database import Database
from kernel.data.idempotency import IdempotentWrite
from kernel.process.broadcast import Broadcast
from kernel.process.clock import to_milliseconds
from services.posts.delivery import ActivityDelivery
from services.posts.markup import Markup
from services.posts.service import PostService
from services.posts.store import PostStore
from services.threads.service import ThreadService
from services.threads.store import ThreadStore
from services.users.attempts import SignInAttempts
from services.users.model import NewUser
from services.users.passwords import Passwords, commonest_passwords
from services.users.service import UserService
from services.users.settings import SignInLimits
from services.users.store import UserStore

_CONTENT = Path(__file__).with_name("demo.toml")


class _Cast:
    """The demo's people, signed in by their names: `kernel.contracts.Users` for this one play."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}

    async def authenticate(self, token: str) -> Actor:
        return Actor(self.ids[token], "member")


async def fill(databases: Databases, now: datetime) -> None:
    """Fill the board with what `demo.toml` tells, as if it had happened in the days before `now`,
    and print the people's passwords. Does nothing on a board that has users."""
    content = tomllib.loads(_CONTENT.read_text(encoding="utf-8"))
    async with AsyncExitStack() as stack:
        opened = stack.enter_async_context
        user_database = await opened(Database.open(databases.users_database_url))
        user_store = UserStore(user_database)
        thread_store = ThreadStore(await opened(Database.open(databases.threads_database_url)))
        post_store = PostStore(await opened(Database.open(databases.posts_database_url)))
        if (await user_store.list(1, None)).items:
            print("The board has users already: no demo data.")  # noqa: T201
            return
        passwords = stack.enter_context(closing(Passwords()))
        markup = stack.enter_context(closing(Markup()))

        moment = now
        cast = _Cast()
        attempts = SignInAttempts(user_database, SignInLimits(), lambda: moment)
        users = UserService(user_store, attempts, passwords, commonest_passwords(), lambda: moment)
        threads = ThreadService(thread_store, cast, lambda: moment, 0, Broadcast())
        delivery = ActivityDelivery(post_store, threads)
        posts = PostService(post_store, cast, threads, markup, lambda: moment, 0, delivery.wake)

        scenes = _scenes(content, now)
        moment = scenes[0][0] - timedelta(days=1)
        print("People you can be on this board (printed this once):")  # noqa: T201
        for person in content["people"]:
            password = secrets.token_urlsafe(9)
            new = NewUser(person["username"], password, person["name"], person["bio"], None)
            cast.ids[person["username"]] = (await users.register(new)).id
            print(f"  {person['username']:<20} {password}")  # noqa: T201

        started: dict[str, int] = {}
        for scene_moment, title, line in scenes:
            moment = scene_moment
            if title not in started:
                started[title] = (
                    await threads.start(line["by"], title, IdempotentWrite.without_key())
                ).id
            else:
                await posts.write(
                    line["by"], started[title], line["text"], None, IdempotentWrite.without_key()
                )
        while await delivery.deliver():
            pass


def _scenes(
    content: Mapping[str, Any], now: datetime
) -> list[tuple[datetime, str, Mapping[str, Any]]]:
    """Whatever happens, in order: each thread's start, then its posts."""
    scenes: list[tuple[datetime, str, Mapping[str, Any]]] = []
    for thread in content["threads"]:
        start = to_milliseconds(now - timedelta(days=thread["days_ago"]))
        scenes.append((start, thread["title"], thread))
        for post in thread["posts"]:
            moment = to_milliseconds(start + timedelta(hours=post["hours_after"]))
            scenes.append((min(moment, now), thread["title"], post))
    return sorted(scenes, key=lambda scene: scene[0])
