"""What the visitors of the board do: readers, writers and moderators."""

import random
import re
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from strangle.history import GONE, WrittenPost
from strangle.load import accounts
from strangle.load.accounts import Writer
from strangle.load.client import Response
from strangle.load.recorder import Recorder
from topology.contexts import CONTEXTS

_WRITERS: Final = 12
_REVISION: Final = re.compile(r"revision (\d+)")

Act = Callable[[float], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Unanswered:
    """A post that was sent and not acknowledged: it may be stored, or not."""

    writer: Writer
    text: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class Visitors:
    """Sends requests as visitors would, and records what they are sent.

    Each act begins with a request that was due at a given time; requests that follow it are due as
    they are sent. `growing` are threads whose posts nobody removes, `moderated` the one in which
    moderators remove posts.
    """

    def __init__(self, recorder: Recorder, choices: random.Random) -> None:
        self._recorder = recorder
        self._random = choices
        self.play: Final = secrets.token_hex(4)
        self.writers: list[Writer] = []
        self.moderator: Writer | None = None
        self.growing: list[int] = []
        self.moderated = 0
        self._removable: list[int] = []
        self._unanswered: list[Unanswered] = []
        self._etags: dict[str, str] = {}
        self._number = 0
        self._acts: list[Act] = []
        self._weights: list[float] = []

    async def arrive(self, grant_admin: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Register and sign in everybody, and start the threads. `grant_admin` makes a user an
        admin. Raises CannotPlayError if the board does not let them."""
        for number in range(_WRITERS):
            self.writers.append(await accounts.join(self._recorder, f"writer-{self.play}-{number}"))
        name = f"moderator-{self.play}"
        moderator = await accounts.join(self._recorder, name)
        await grant_admin(name)
        self.moderator = moderator
        for title in ("Bread", "Rivers", "Bicycles", "Herons", "To be moderated"):
            thread = {"title": f"{title} {self.play}"}
            made = await self._recorder.required("POST", "/api/threads", thread, moderator.token)
            self.growing.append(made["id"])
        self.moderated = self.growing.pop()
        for writer in self.writers:
            text = f"{self.play} {writer.name} revision 0"
            post = {"thread": self._random.choice(self.growing), "text": text}
            made = await self._recorder.required("POST", "/api/posts", post, writer.token)
            writer.edited = made["id"]
            self._recorder.history.posts[text] = WrittenPost(
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
            (6, self._read_profile),
            (8, self._read_page),
            (5, self._read_again),
            (5, self.write),
            (1.5, self._edit),
            (0.2, self._start_thread),
            (0.1, self._sign_in),
            (0.5, self._remove),
            (0.5, self._lock_and_unlock),
        ]
        acts += [
            (1, self._reader_of(context.public_prefixes[0], context.name)) for context in CONTEXTS
        ]
        self._weights = [weight for weight, _ in acts]
        self._acts = [act for _, act in acts]

    async def repeat_unanswered(self) -> int:
        """Send every post that was not acknowledged again, with its key, as a browser does. Returns
        how many there were; those that fail again remain."""
        repeated, self._unanswered = self._unanswered, []
        for post in repeated:
            response = await self._recorder.send(
                None,
                "POST",
                "/api/posts",
                token=post.writer.token,
                headers=post.headers,
                body=post.body,
                expected=(201,),
            )
            if response is None:
                self._unanswered.append(post)
            else:
                self._acknowledge(post.text, post.body["thread"], response.json()["id"])
        return len(repeated)

    # Readers

    async def _read_list(self, due: float) -> None:
        await self._recorder.send(due, "GET", "/api/threads?limit=20")

    async def _read_thread(self, due: float) -> None:
        thread = self._random.choice((*self.growing, self.moderated))
        await self._recorder.send(due, "GET", f"/api/posts/in-thread/{thread}?limit=20")

    async def _read_edited_post(self, due: float) -> None:
        post = self._random.choice(self.writers).edited
        await self._observe_post(due, post)

    async def _read_count(self, due: float) -> None:
        thread = self._random.choice(self.growing)
        sent = time.monotonic()
        response = await self._recorder.send(due, "GET", f"/api/threads/{thread}")
        if response is not None:
            self._recorder.observe(f"thread {thread}", sent, response.json()["postCount"], response)

    async def _read_profile(self, due: float) -> None:
        await accounts.read_profile(self._recorder, due, self._random.choice(self.writers))

    async def _read_page(self, due: float) -> None:
        await self._recorder.send(due, "GET", "/")

    async def _read_again(self, due: float) -> None:
        path = f"/api/posts/in-thread/{self._random.choice(self.growing)}?limit=50"
        known = self._etags.get(path)
        headers = {"If-None-Match": known} if known else {}
        response = await self._recorder.send(due, "GET", path, headers=headers, expected=(200, 304))
        if response is not None and "etag" in response.headers:
            self._etags[path] = response.headers["etag"]

    def _reader_of(self, path: str, context: str) -> Act:
        async def read(due: float) -> None:
            moderator = self._moderator()
            await self._recorder.send(
                due, "GET", path, token=moderator.token, what=f"GET {context}"
            )

        return read

    # Writers

    async def write(self, due: float) -> None:
        """Write a post."""
        writer = self._random.choice(self.writers)
        self._number += 1
        key = f"{self.play} post {self._number}"
        removable = self._random.random() < 0.15
        thread = self.moderated if removable else self._random.choice(self.growing)
        body = {"thread": thread, "text": key}
        headers = {"Idempotency-Key": f'"{self.play}-{self._number}"'}
        response = await self._recorder.send(
            due,
            "POST",
            "/api/posts",
            token=writer.token,
            headers=headers,
            body=body,
            expected=(201,),
        )
        if response is None:
            self._unanswered.append(Unanswered(writer, key, headers, body))
            return
        made = response.json()["id"]
        self._acknowledge(key, thread, made)
        if removable:
            self._removable.append(made)
        if self._random.random() < 0.1:
            # Like a client that lost the response; whichever server answers, it must be the same
            # post.
            again = await self._recorder.send(
                None,
                "POST",
                "/api/posts",
                token=writer.token,
                headers=headers,
                body=body,
                expected=(201,),
            )
            if again is not None:
                self._recorder.history.repeated.append((key, made, again.json()["id"]))

    def _acknowledge(self, text: str, thread: int, post: int) -> None:
        self._recorder.history.posts[text] = WrittenPost(text, thread, post, time.monotonic(), text)

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
            response = await self._recorder.send(
                None,
                "PATCH",
                f"/api/posts/{writer.edited}",
                token=writer.token,
                headers={"If-Match": before.headers["etag"]},
                body={"text": text},
                # 412: another instance still had the text before the last edit, within the bound.
                expected=(200, 412),
            )
            written = self._recorder.history.posts[f"{self.play} {writer.name} revision 0"]
            if response is None:
                written.attempted.add(text)
            elif response.status == 200:
                self._recorder.observe(f"post {writer.edited}", sent, writer.revision, response)
                written.text, written.attempted = text, set()
            else:
                writer.revision -= 1

    async def _start_thread(self, due: float) -> None:
        self._number += 1
        title = f"{self.play} thread {self._number}"
        writer = self._random.choice(self.writers)
        response = await self._recorder.send(
            due, "POST", "/api/threads", token=writer.token, body={"title": title}, expected=(201,)
        )
        if response is not None:
            self._recorder.history.threads[title] = response.json()["id"]

    async def _sign_in(self, due: float) -> None:
        await accounts.sign_in(self._recorder, due, self._random.choice(self.writers))

    # Moderators

    async def _remove(self, due: float) -> None:
        if not self._removable:
            await self._read_thread(due)
            return
        post = self._removable.pop()
        sent = time.monotonic()
        response = await self._recorder.send(
            due, "DELETE", f"/api/posts/{post}", token=self._moderator().token, expected=(204,)
        )
        if response is None:
            self._recorder.history.perhaps_removed.add(post)
        else:
            self._recorder.history.removed[post] = time.monotonic()
            self._recorder.observe(f"post {post}", sent, GONE, response)
            await self._observe_post(None, post, expected=(200, 404))

    async def _lock_and_unlock(self, due: float) -> None:
        if not self._recorder.history.threads:
            await self._read_list(due)
            return
        path = (
            f"/api/threads/{self._random.choice([*self._recorder.history.threads.values()])}/lock"
        )
        moderator = self._moderator()
        if (
            await self._recorder.send(due, "PUT", path, token=moderator.token, expected=(200, 204))
            is not None
        ):
            await self._recorder.send(
                None, "DELETE", path, token=moderator.token, expected=(200, 204)
            )

    async def _observe_post(
        self, due: float | None, post: int, expected: tuple[int, ...] = (200,)
    ) -> Response | None:
        sent = time.monotonic()
        response = await self._recorder.send(due, "GET", f"/api/posts/{post}", expected=expected)
        if response is None:
            return None
        found = (
            _REVISION.search(response.json().get("text", "")) if response.status == 200 else None
        )
        version = GONE if response.status == 404 else int(found[1]) if found else 0
        self._recorder.observe(f"post {post}", sent, version, response)
        return response

    def _moderator(self) -> Writer:
        assert self.moderator is not None  # noqa: S101 - they arrive before they act
        return self.moderator
