"""Readers and writers that send requests all the time, and record what was acknowledged."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.eventually import eventually
from tests.people import PASSWORD, new_username


@dataclass(frozen=True)
class Failure:
    """A request: the time at which it was sent (`time.monotonic`), and the status of its response,
    if there was one."""

    asked: float
    status: int | None
    what: str


@dataclass
class Load:
    """The results. `written` has the posts that the board has acknowledged; `served_by` counts the
    responses of each process."""

    thread: int
    pause: float = 0
    requests: int = 0
    failures: list[Failure] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    served_by: dict[str, int] = field(default_factory=dict)
    going_on: bool = True

    def failed_since(self, moment: float) -> list[Failure]:
        """The failed requests that were sent after this time."""
        return [failure for failure in self.failures if failure.asked >= moment]

    async def recovered(self, since: float, quiet: float = 3, within: float = 90) -> float:
        """Wait until no request of the last `quiet` seconds has failed. Returns the seconds from
        `since` to the last failed request."""

        async def calm() -> bool:
            beginning = time.monotonic() - quiet
            return beginning >= since and not self.failed_since(beginning)

        await eventually(calm, within)
        return max((failure.asked - since for failure in self.failed_since(since)), default=0)

    async def until(self, requests: int, within: float = 120) -> None:
        """Wait for this number of further responses."""
        wanted = self.requests + requests

        async def answered() -> bool:
            return self.requests >= wanted

        await eventually(answered, within, what=f"the answer to {requests} more requests")

    async def all_written_are_there(self, http: httpx.AsyncClient) -> None:
        """Fail unless the board has every post that it has acknowledged."""
        found: set[int] = set()
        path = f"/api/posts/in-thread/{self.thread}?limit=100"
        while path:
            answer = await http.get(path)
            assert answer.status_code == 200, answer.text
            found |= {post["id"] for post in answer.json()}
            path = answer.links.get("next", {}).get("url", "")
        assert set(self.written) <= found


@asynccontextmanager
async def load(
    url: str, *, readers: int = 2, writers: int = 2, pause: float = 0
) -> AsyncIterator[Load]:
    """Let readers and writers send requests until the block ends, each with a pause of so many
    seconds after each response."""
    limits = httpx.Limits(max_connections=readers + writers)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits, trust_env=False) as http:
        who = {"username": new_username(), "password": PASSWORD}
        (await http.post("/api/users", json=who)).raise_for_status()
        session = await http.post("/api/sessions", json=who)
        session.raise_for_status()
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {session.json()['token']}"
        thread = await http.post("/api/threads", json={"title": "Under load"})
        thread.raise_for_status()
        found = Load(thread.json()["id"], pause)
        people = [asyncio.create_task(_read(http, found)) for _ in range(readers)]
        people += [asyncio.create_task(_write(http, found)) for _ in range(writers)]
        try:
            yield found
        finally:
            found.going_on = False
            await asyncio.gather(*people)
        await found.all_written_are_there(http)


async def _read(http: httpx.AsyncClient, load: Load) -> None:
    while load.going_on:
        for path in (
            "/api/threads", "/api/posts?limit=5", f"/api/posts/in-thread/{load.thread}",
            "/api/cases", "/api/users/me",
        ):  # fmt: skip
            await _ask(http, load, "GET", path)


async def _write(http: httpx.AsyncClient, load: Load) -> None:
    while load.going_on:
        body = {"thread": load.thread, "text": "Still here."}
        answer = await _ask(http, load, "POST", "/api/posts", body)
        if answer is not None and answer.status_code == 201:
            load.written.append(answer.json()["id"])


async def _ask(
    http: httpx.AsyncClient, load: Load, method: str, path: str, body: object = None
) -> httpx.Response | None:
    asked = time.monotonic()
    try:
        answer = await http.request(method, path, json=body)
    except httpx.HTTPError as error:
        load.failures.append(Failure(asked, None, f"{method} {path}: {error!r}"))
        await asyncio.sleep(0.1)
        return None
    load.requests += 1
    process = answer.headers.get("x-served-by", "the gateway")
    load.served_by[process] = load.served_by.get(process, 0) + 1
    if not answer.is_success:
        load.failures.append(Failure(asked, answer.status_code, f"{method} {path}: {answer.text}"))
        await asyncio.sleep(0.1)
    await asyncio.sleep(load.pause)
    return answer
