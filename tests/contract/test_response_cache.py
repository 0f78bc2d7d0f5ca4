"""Two instances on one database, whose listeners lose their connections: an instance shows its own
writes at once, and the other instance shows them soon."""

import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import httpx

from tests.databases import Databases
from tests.deployments import monolith_in_loop
from tests.effort import Effort
from tests.eventually import eventually
from tests.people import PASSWORD, new_username

STALE_SECONDS = 15.0
"""More than the 2 s after which a silent listener's cache is not used, on a busy machine."""


class Board:
    """Two instances, a user who is signed in to both, and what the user has written."""

    def __init__(
        self, instances: list[httpx.AsyncClient], admin: "asyncpg.Connection[Any]"
    ) -> None:
        self.instances = instances
        self.admin = admin
        self.thread = 0
        self.title = "Thread 0"
        self.version = 1
        self.posts: dict[int, str] = {}
        self.name = ""

    async def start(self) -> None:
        """Register, sign in, and start a thread."""
        http = self.instances[0]
        who = {"username": new_username(), "password": PASSWORD}
        (await http.post("/api/users", json=who)).raise_for_status()
        session = (await http.post("/api/sessions", json=who)).raise_for_status().json()
        self.name, self.user = session["user"]["name"], session["user"]["id"]
        for each in self.instances:
            each.cookies.clear()
            each.headers["Authorization"] = f"Bearer {session['token']}"
        made = await http.post("/api/threads", json={"title": self.title})
        self.thread = made.raise_for_status().json()["id"]

    async def write(self, http: httpx.AsyncClient, text: str) -> None:
        """Add a post."""
        body = {"thread": self.thread, "text": text}
        made = (await http.post("/api/posts", json=body)).raise_for_status()
        self.posts[made.json()["id"]] = text

    async def edit(self, http: httpx.AsyncClient, text: str) -> None:
        """Change the newest post, with the ETag of a compressed answer."""
        if self.posts:
            post = max(self.posts)
            tag = (await http.get(f"/api/posts/{post}")).headers["etag"]
            changed = await http.patch(
                f"/api/posts/{post}", json={"text": text}, headers={"If-Match": tag}
            )
            changed.raise_for_status()
            self.posts[post] = text

    async def remove(self, http: httpx.AsyncClient, _text: str) -> None:
        """Remove the oldest post."""
        if self.posts:
            post = min(self.posts)
            (await http.delete(f"/api/posts/{post}")).raise_for_status()
            del self.posts[post]

    async def rename_thread(self, http: httpx.AsyncClient, text: str) -> None:
        """Change the title."""
        body = {"title": text, "version": self.version}
        changed = await http.patch(f"/api/threads/{self.thread}", json=body)
        self.version = changed.raise_for_status().json()["version"]
        self.title = text

    async def rename_oneself(self, http: httpx.AsyncClient, text: str) -> None:
        """Change the user's name."""
        tag = (await http.get("/api/users/me")).headers["etag"]
        body = {"name": text}
        changed = await http.patch("/api/users/me", json=body, headers={"If-Match": tag})
        changed.raise_for_status()
        self.name = text

    async def drop_listeners(self, _http: httpx.AsyncClient, _text: str) -> None:
        """End every listening connection, as a failing database would."""
        await self.admin.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE query IN ('SELECT') OR query LIKE 'LISTEN%'
            """
        )

    async def shows_it(self, http: httpx.AsyncClient) -> bool:
        """Whether every list of the instance shows the current state."""
        thread = (await http.get(f"/api/threads/{self.thread}")).json()
        user = (await http.get(f"/api/users/{self.user}")).json()
        lists = [
            (await http.get(path)).json()
            for path in (
                f"/api/posts/in-thread/{self.thread}?limit=100",
                f"/api/posts/by-user/{self.user}?limit=100",
            )
        ]
        return (
            thread["title"] == self.title
            and user["name"] == self.name
            and all({post["id"]: post["text"] for post in each} == self.posts for each in lists)
        )


async def test_write_is_visible_at_once_in_its_process_and_soon_in_others(
    databases: Databases, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    seed = random.randrange(2**32)
    record_property("seed", seed)
    choose = random.Random(seed)
    async with AsyncExitStack() as stack:
        instances = []
        for _ in range(2):
            [url] = (await stack.enter_async_context(monolith_in_loop(databases.urls))).values()
            instances.append(
                await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
            )
        admin = await asyncpg.connect(databases.server.admin_url)
        stack.push_async_callback(admin.close)
        board = Board(instances, admin)
        await board.start()
        actions = [
            board.write, board.edit, board.remove, board.rename_thread, board.rename_oneself,
            board.drop_listeners,
        ]  # fmt: skip
        for step in range(effort.steps // 4):
            action, here = choose.choice(actions), choose.randrange(2)
            await action(instances[here], f"Step {step}")
            what = f"seed {seed}, step {step}, {action.__name__}"
            assert await board.shows_it(instances[here]), f"{what}: not at once"
            elsewhere = instances[1 - here]
            await eventually(lambda at=elsewhere: board.shows_it(at), STALE_SECONDS, what)  # type: ignore[misc]  # mypy does not see the type of the default
