"""What the visitors of the board do: readers, writers and moderators."""

import asyncio
import random
import re
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from strangle.client import Client, RequestFailedError, Response
from strangle.errors import CannotPlayError
from strangle.history import GONE, History, Observation, Sample, WrittenPost
from topology.contexts import CONTEXTS
from topology.deployments import PAGE

_PASSWORD: Final = "nine patient otters"  # noqa: S105 - of users who exist for a play only
_WRITERS: Final = 12
_REVISION: Final = re.compile(r"revision (\d+)")

Act = Callable[[float], Coroutine[Any, Any, None]]


@dataclass
class Writer:
    """A signed-in user. `edited` is the post that this user edits again and again."""

    name: str
    id: int
    token: str
    edited: int = 0
    revision: int = 0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Visitors:
    """Sends requests as visitors would, and records what they are sent.

    Each act begins with a request that was due at a given time; requests that follow it are due as
    they are sent. `growing` are threads whose posts nobody removes, `moderated` the one in which
    moderators remove posts.
    """

    def __init__(self, client: Client, history: History, choices: random.Random) -> None:
        self._client = client
        self._history = history
        self._random = choices
        self.play: Final = secrets.token_hex(4)
        self.writers: list[Writer] = []
        self.moderator: Writer | None = None
        self.growing: list[int] = []
        self.moderated = 0
        self._removable: list[int] = []
        self._etags: dict[str, str] = {}
        self._number = 0
        self._acts: list[Act] = []
        self._weights: list[float] = []

    async def arrive(self, grant_admin: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Register and sign in everybody, and start the threads. `grant_admin` makes a user an
        admin. Raises CannotPlayError if the board does not let them."""
        for number in range(_WRITERS):
            self.writers.append(await self._join(f"writer-{self.play}-{number}"))
        name = f"moderator-{self.play}"
        moderator = await self._join(name)
        await grant_admin(name)
        self.moderator = moderator
        threads = [
            (
                await self._required(
                    "POST", "/api/threads", moderator, {"title": f"{title} {self.play}"}
                )
            )["id"]
            for title in ("Bread", "Rivers", "Bicycles", "Herons", "To be moderated")
        ]
        *self.growing, self.moderated = threads
        for writer in self.writers:
            text = f"{self.play} {writer.name} revision 0"
            post = {"thread": self._random.choice(self.growing), "text": text}
            made = await self._required("POST", "/api/posts", writer, post)
            writer.edited = made["id"]
            self._history.posts[text] = WrittenPost(
                text, made["thread"], made["id"], time.monotonic(), text
            )
        self._choose_acts()

    async def act(self, due: float) -> None:
        """Do something that was due at that time."""
        [chosen] = self._random.choices(self._acts, self._weights)
        await chosen(due)

    def _choose_acts(self) -> None:
        acts: list[tuple[float, Act]] = [
            (24, self._read_list),
            (20, self._read_thread),
            (14, self._read_edited_post),
            (12, self._read_count),
            (6, self._read_user),
            (8, self._read_page),
            (5, self._read_again),
            (5, self._write),
            (1.5, self._edit),
            (0.2, self._start_thread),
            (0.1, self._sign_in),
            (0.5, self._remove),
            (0.5, self._lock_and_unlock),
        ]
        known = {"users", "threads", "posts"}
        acts += [
            (3, self._reader_of(context.public_prefixes[0], context.name))
            for context in CONTEXTS
            if context.name not in known
        ]
        self._weights = [weight for weight, _ in acts]
        self._acts = [act for _, act in acts]

    # Readers

    async def _read_list(self, due: float) -> None:
        await self._send(due, "GET", "/api/threads?limit=20")

    async def _read_thread(self, due: float) -> None:
        thread = self._random.choice((*self.growing, self.moderated))
        await self._send(due, "GET", f"/api/posts/in-thread/{thread}?limit=20")

    async def _read_edited_post(self, due: float) -> None:
        post = self._random.choice(self.writers).edited
        await self._observe_post(due, post)

    async def _read_count(self, due: float) -> None:
        thread = self._random.choice(self.growing)
        sent = time.monotonic()
        response = await self._send(due, "GET", f"/api/threads/{thread}")
        if response is not None:
            self._observe(f"thread {thread}", sent, response.json()["postCount"], response)

    async def _read_user(self, due: float) -> None:
        await self._send(due, "GET", f"/api/users/{self._random.choice(self.writers).id}")

    async def _read_page(self, due: float) -> None:
        await self._send(due, "GET", "/")

    async def _read_again(self, due: float) -> None:
        path = f"/api/posts/in-thread/{self._random.choice(self.growing)}?limit=50"
        known = self._etags.get(path)
        headers = {"If-None-Match": known} if known else {}
        response = await self._send(due, "GET", path, headers=headers, expected=(200, 304))
        if response is not None and "etag" in response.headers:
            self._etags[path] = response.headers["etag"]

    def _reader_of(self, path: str, context: str) -> Act:
        async def read(due: float) -> None:
            moderator = self._moderator()
            await self._send(due, "GET", path, user=moderator, what=f"GET {context}")

        return read

    # Writers

    async def _write(self, due: float) -> None:
        writer = self._random.choice(self.writers)
        self._number += 1
        key = f"{self.play} post {self._number}"
        removable = self._random.random() < 0.15
        thread = self.moderated if removable else self._random.choice(self.growing)
        body = {"thread": thread, "text": key}
        headers = {"Idempotency-Key": f'"{self.play}-{self._number}"'}
        response = await self._send(
            due, "POST", "/api/posts", user=writer, headers=headers, body=body, expected=(201,)
        )
        if response is None:
            return
        made = response.json()["id"]
        self._history.posts[key] = WrittenPost(key, thread, made, time.monotonic(), key)
        if removable:
            self._removable.append(made)
        if self._random.random() < 0.1:
            # As a client does that lost the response: whoever answers, it is the same post.
            again = await self._send(
                None, "POST", "/api/posts", user=writer, headers=headers, body=body, expected=(201,)
            )
            if again is not None:
                self._history.repeated.append((key, made, again.json()["id"]))

    async def _edit(self, due: float) -> None:
        writer = self._random.choice(self.writers)
        if writer.busy.locked():
            await self._observe_post(due, writer.edited)
            return
        async with writer.busy:
            before = await self._observe_post(due, writer.edited)
            if before is None:
                return
            writer.revision += 1
            text = f"{self.play} {writer.name} revision {writer.revision}"
            sent = time.monotonic()
            response = await self._send(
                None,
                "PATCH",
                f"/api/posts/{writer.edited}",
                user=writer,
                headers={"If-Match": before.headers["etag"]},
                body={"text": text},
                # 412: another instance still had the text before the last edit, within the bound.
                expected=(200, 412),
            )
            if response is None:
                return
            if response.status == 200:
                self._observe(f"post {writer.edited}", sent, writer.revision, response)
                self._history.posts[f"{self.play} {writer.name} revision 0"].text = text
            else:
                writer.revision -= 1

    async def _start_thread(self, due: float) -> None:
        self._number += 1
        title = f"{self.play} thread {self._number}"
        writer = self._random.choice(self.writers)
        response = await self._send(
            due, "POST", "/api/threads", user=writer, body={"title": title}, expected=(201,)
        )
        if response is not None:
            self._history.threads[title] = response.json()["id"]

    async def _sign_in(self, due: float) -> None:
        writer = self._random.choice(self.writers)
        credentials = {"username": writer.name, "password": _PASSWORD}
        response = await self._send(due, "POST", "/api/sessions", body=credentials, expected=(201,))
        if response is not None:
            # Whoever answers next knows the new session.
            writer.token = response.json()["token"]
            await self._send(None, "GET", "/api/users/me", user=writer)

    # Moderators

    async def _remove(self, due: float) -> None:
        if not self._removable:
            await self._read_thread(due)
            return
        post = self._removable.pop()
        sent = time.monotonic()
        response = await self._send(
            due, "DELETE", f"/api/posts/{post}", user=self._moderator(), expected=(204,)
        )
        if response is not None:
            self._history.removed[post] = time.monotonic()
            self._observe(f"post {post}", sent, GONE, response)
            await self._observe_post(None, post, expected=(200, 404))

    async def _lock_and_unlock(self, due: float) -> None:
        if not self._history.threads:
            await self._read_list(due)
            return
        path = f"/api/threads/{self._random.choice([*self._history.threads.values()])}/lock"
        moderator = self._moderator()
        if await self._send(due, "PUT", path, user=moderator, expected=(200, 204)) is not None:
            await self._send(None, "DELETE", path, user=moderator, expected=(200, 204))

    # Requests

    async def _observe_post(
        self, due: float | None, post: int, expected: tuple[int, ...] = (200,)
    ) -> Response | None:
        sent = time.monotonic()
        response = await self._send(due, "GET", f"/api/posts/{post}", expected=expected)
        if response is None:
            return None
        found = (
            _REVISION.search(response.json().get("text", "")) if response.status == 200 else None
        )
        version = GONE if response.status == 404 else int(found[1]) if found else 0
        self._observe(f"post {post}", sent, version, response)
        return response

    def _observe(self, what: str, sent: float, version: int, response: Response) -> None:
        self._history.observe(what, Observation(sent, time.monotonic(), version, response.server))

    async def _send(
        self,
        due: float | None,
        method: str,
        path: str,
        *,
        user: Writer | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        expected: tuple[int, ...] = (200,),
        what: str | None = None,
    ) -> Response | None:
        """Send a request and record it. Returns None if the response is not as expected."""
        sent = time.monotonic()
        token = None if user is None else user.token
        status, server, problem, response = 0, "", None, None
        try:
            response = await self._client.send(
                method, path, token=token, headers=headers, body=body
            )
        except RequestFailedError as error:
            problem = str(error)
        else:
            status, server = response.status, response.server
            if status not in expected:
                problem = f"{status} {response.body[:200].decode('utf-8', 'replace')}"
        self._history.samples.append(
            Sample(
                sent if due is None else due,
                sent,
                time.monotonic(),
                service_of(path),
                server,
                what or f"{method} {_shape(path)}",
                status,
                problem,
            )
        )
        return response if problem is None else None

    async def _required(self, method: str, path: str, user: Writer | None, body: object) -> Any:
        token = None if user is None else user.token
        try:
            response = await self._client.send(method, path, token=token, body=body)
        except RequestFailedError as error:
            raise CannotPlayError(f"{method} {path}: {error}") from error
        if response.status not in (200, 201):
            raise CannotPlayError(f"{method} {path}: {response.status} {response.body.decode()}")
        return response.json()

    async def _join(self, name: str) -> Writer:
        credentials = {"username": name, "password": _PASSWORD}
        user = await self._required("POST", "/api/users", None, credentials)
        session = await self._required("POST", "/api/sessions", None, credentials)
        return Writer(name, user["id"], session["token"])

    def _moderator(self) -> Writer:
        assert self.moderator is not None  # noqa: S101 - they arrive before they act
        return self.moderator


def service_of(path: str) -> str:
    """The service whose requests have that path."""
    plain = path.partition("?")[0]
    for context in CONTEXTS:
        if any(
            plain == prefix or plain.startswith(f"{prefix}/") for prefix in context.public_prefixes
        ):
            return context.name
    return PAGE


def _shape(path: str) -> str:
    return re.sub(r"\d+", "{id}", path.partition("?")[0])
