"""A state machine: random actions of several users, compared with a simple model of the board."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tests.eventually import eventually_blocking
from tests.model import PostModel, Sent, ThreadModel
from tests.pages import next_page
from tests.world import Client, World, new_key

INSTANCES = 2
PEOPLE = 4

some_person = st.integers(0, PEOPLE - 1)
some_instance = st.integers(0, INSTANCES - 1)
_any_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40)
# Often the same one, because an edit to the same text changes nothing. A post that shows nothing is
# refused, so there is a word before the quotation.
some_text = (_any_text | st.just("again")).map(lambda text: f"Seen.\n\n> {text}")
Request = Callable[[], httpx.Response]


class BoardMachine(RuleBasedStateMachine):
    """Each rule sends requests, and knows the right responses from the model."""

    threads: Bundle[ThreadModel] = Bundle("threads")
    sent: Bundle[Sent] = Bundle("sent")

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.known: list[ThreadModel] = []

    @invariant()
    def count(self) -> None:
        """Count a step."""
        self.world.steps += 1

    @rule(target=threads, who=some_person, via=some_instance)
    def start(self, who: int, via: int) -> ThreadModel:
        """A user starts a thread."""
        person = self.world.people[who]
        body = {"title": f"Thread {len(self.known)}"}
        answer = self.world.ask(person, via, "POST", "/api/threads", body)
        assert answer.status_code == 201, answer.text
        thread = ThreadModel(answer.json()["id"], person, body["title"])
        self.known.append(thread)
        return thread

    @rule(
        target=sent,
        thread=threads,
        text=some_text,
        who=some_person,
        vias=st.lists(some_instance, min_size=1, max_size=4),
    )
    def write(self, thread: ThreadModel, text: str, who: int, vias: list[int]) -> Sent:
        """A user's post is sent several times at once, with the same key."""
        person, key = self.world.people[who], new_key()
        body: dict[str, Any] = {"thread": thread.id, "text": text}
        answers = self.world.at_once(*(self._sending(person, via, body, key) for via in vias))
        statuses = {answer.status_code for answer in answers}
        if thread.removed or thread.locked:
            assert statuses == {404 if thread.removed else 409}
            return Sent(person, body, key, b"")
        assert 201 in statuses <= {201, 409}, statuses
        [content] = {answer.content for answer in answers if answer.status_code == 201}
        self._take_over(thread, person, content)
        return Sent(person, body, key, content)

    @rule(
        thread=threads,
        texts=st.lists(st.tuples(some_person, some_instance, some_text), min_size=2, max_size=6),
    )
    def write_at_once(self, thread: ThreadModel, texts: list[tuple[int, int, str]]) -> None:
        """Several users post at the same time."""
        requests: list[Request] = [
            self._sending(
                self.world.people[who], via, {"thread": thread.id, "text": text}, new_key()
            )
            for who, via, text in texts
        ]
        answers = self.world.at_once(*requests)
        wanted = 404 if thread.removed else 409 if thread.locked else 201
        assert [answer.status_code for answer in answers] == [wanted] * len(texts)
        for (who, _, _), answer in zip(texts, answers, strict=True):
            if wanted == 201:
                self._take_over(thread, self.world.people[who], answer.content)

    @rule(sent=sent, via=some_instance)
    def send_again(self, sent: Sent, via: int) -> None:
        """An earlier post is sent again with its key, even if it was edited or removed since."""
        if sent.answer:
            answer = self._sending(sent.who, via, sent.body, sent.key)()
            assert (answer.status_code, answer.content) == (201, sent.answer)
            assert answer.headers["idempotency-replayed"] == "true"

    @rule(thread=threads, who=some_person, via=some_instance, text=some_text, pick=st.integers(0))
    def edit(self, thread: ThreadModel, who: int, via: int, text: str, pick: int) -> None:
        """A user sends two edits of a post at once, both based on the same version."""
        if not thread.posts:
            return
        number, post = sorted(thread.posts.items())[pick % len(thread.posts)]
        person = self.world.people[who]
        seen = {"If-Match": post.etag}
        request = partial(
            self.world.ask, person, via, "PATCH", f"/api/posts/{number}", {"text": text}, seen
        )
        answers = self.world.at_once(request, request)
        statuses = sorted(answer.status_code for answer in answers)
        if post.removed or thread.removed:
            assert statuses == [404, 404]
        elif person != post.author and not person.moderates:
            assert statuses == [403, 403]
        elif text == post.said[-1]:
            assert statuses == [200, 200], "the same text changes nothing"
            assert {answer.headers["etag"] for answer in answers} == {post.etag}
            assert [answer.json() for answer in answers] == [post.shown, post.shown]
        else:
            assert statuses == [200, 412]
            post.said.append(text)
            self._see(post, answers)
            self._note(thread, "edit-post", person, number)

    @rule(thread=threads, who=some_person, via=some_instance, pick=st.integers(0))
    def remove_post(self, thread: ThreadModel, who: int, via: int, pick: int) -> None:
        """A user removes a post through two instances at once."""
        if not thread.posts:
            return
        number, post = sorted(thread.posts.items())[pick % len(thread.posts)]
        person = self.world.people[who]
        answers = self.world.at_once(
            *(
                partial(self.world.ask, person, one, "DELETE", f"/api/posts/{number}")
                for one in (via, (via + 1) % INSTANCES)
            )
        )
        statuses = sorted(answer.status_code for answer in answers)
        if post.removed or thread.removed:
            assert statuses == [404, 404]
        elif person != post.author and not person.moderates:
            assert statuses == [403, 403]
        else:
            assert statuses == [204, 404]
            post.removed_by = person
            self._note(thread, "remove-post", person, number)

    @rule(thread=threads, who=some_person, pick=st.integers(0), restores=st.booleans())
    def moderate(self, thread: ThreadModel, who: int, pick: int, restores: bool) -> None:
        """A user removes a post with a reason, or restores it, through all instances at once."""
        if not thread.posts:
            return
        number, post = sorted(thread.posts.items())[pick % len(thread.posts)]
        person, path = self.world.people[who], f"/api/posts/{number}/removal"
        method, body = ("DELETE", None) if restores else ("PUT", {"reason": "Off topic."})
        answers = self.world.at_once(
            *(partial(self.world.ask, person, via, method, path, body) for via in range(INSTANCES))
        )
        if not person.moderates:
            wanted = 403
        elif thread.removed:
            wanted = 409 if restores else 404
        else:
            wanted = 409 if restores and post.removed_by == post.author else 204
        assert {answer.status_code for answer in answers} == {wanted}
        if wanted == 204 and post.removed is restores:
            post.removed_by = None if restores else person
            self._note(thread, "restore-post" if restores else "remove-post", person, number)

    @rule(
        thread=threads,
        who=some_person,
        via=some_instance,
        mark=st.sampled_from(["lock", "pin"]),
        value=st.booleans(),
    )
    def mark(self, thread: ThreadModel, who: int, via: int, mark: str, value: bool) -> None:
        """A user locks, unlocks, pins or unpins a thread."""
        person, method = self.world.people[who], "PUT" if value else "DELETE"
        answer = self.world.ask(person, via, method, f"/api/threads/{thread.id}/{mark}")
        if not person.moderates or thread.removed:
            assert answer.status_code == (404 if person.moderates else 403)
            return
        assert answer.status_code == 204
        member = {"lock": "locked", "pin": "pinned"}[mark]
        thread.version += getattr(thread, member) is not value
        setattr(thread, member, value)

    @rule(thread=threads, who=some_person, via=some_instance, stale=st.booleans())
    def rename(self, thread: ThreadModel, who: int, via: int, stale: bool) -> None:
        """A user renames a thread."""
        person = self.world.people[who]
        body = {"title": f"{thread.title[:180]} again", "version": thread.version + stale}
        answer = self.world.ask(person, via, "PATCH", f"/api/threads/{thread.id}", body)
        allowed = person.moderates or person == thread.starter
        wanted = 404 if thread.removed else 403 if not allowed else 412 if stale else 200
        assert answer.status_code == wanted
        if wanted == 200:
            thread.title, thread.version = answer.json()["title"], thread.version + 1
            assert thread.title == body["title"]

    @rule(thread=threads, who=some_person, via=some_instance)
    def remove_thread(self, thread: ThreadModel, who: int, via: int) -> None:
        """A user removes a thread, after the activity of its posts was delivered."""
        person = self.world.people[who]
        self._settle(thread)
        answer = self.world.ask(person, via, "DELETE", f"/api/threads/{thread.id}")
        present = [post for post in thread.posts.values() if not post.removed]
        alone = all(post.author == thread.starter for post in present)
        allowed = person.moderates or (person == thread.starter and alone)
        assert answer.status_code == (404 if thread.removed else 204 if allowed else 403)
        thread.removed = thread.removed or allowed
        self._settle(thread)

    @rule(thread=threads)
    def look(self, thread: ThreadModel) -> None:
        """Every instance shows the thread and posts of the model: soon, since caches of the others
        follow the instance that wrote them."""
        self._settle(thread)
        path = f"/api/posts/in-thread/{thread.id}?limit=100"

        def as_in_the_model() -> bool:
            return all(shown.json() == thread.there[:100] for shown in self.world.everywhere(path))

        eventually_blocking(as_in_the_model)
        moderator = self.world.people[-1]
        for via in range(INSTANCES):
            path = f"/api/posts/in-thread/{thread.id}/removed?limit=100"
            removed = self.world.ask(moderator, via, "GET", path).json()
            found = [(post["id"], post["removedBy"]) for post in removed]
            assert found == thread.tombstones[:100]

    def teardown(self) -> None:
        """At the end, everything is as the model has it, including the posts' earlier versions and
        the log of what moderators did."""
        moderator = self.world.people[-1]
        for thread in self.known:
            self.look(thread)
            for number, post in thread.posts.items():
                path = f"/api/posts/{number}/revisions?limit=100"
                answer = self.world.ask(moderator, 0, "GET", path)
                if post.removed or thread.removed:
                    assert answer.status_code == 404
                else:
                    assert [revision["text"] for revision in answer.json()] == post.said[:100]

        log = self._log()
        for thread in self.known:
            assert [act for act in log if act[2] in thread.posts] == thread.acts

    def _log(self) -> list[tuple[str, int, int]]:
        """Every act on posts, the oldest first."""
        path: str | None = "/api/posts/moderation-log?limit=100"
        log = []
        while path is not None:
            answer = self.world.ask(self.world.people[-1], 0, "GET", path)
            log += [(each["act"], each["moderator"], each["target"]) for each in answer.json()]
            path = next_page(answer)
        return log[::-1]

    def _note(self, thread: ThreadModel, act: str, person: Client, post: int) -> None:
        if person.moderates and (person != thread.posts[post].author or act == "restore-post"):
            thread.acts.append((act, person.id, post))

    def _sending(self, who: Client, via: int, body: dict[str, Any], key: str) -> Request:
        headers = {"Idempotency-Key": key}
        return partial(self.world.ask, who, via, "POST", "/api/posts", body, headers)

    def _take_over(self, thread: ThreadModel, author: Client, content: bytes) -> None:
        shown = httpx.Response(201, content=content).json()
        assert (shown["thread"], shown["user"]) == (thread.id, author.id)
        etag = self.world.everywhere(f"/api/posts/{shown['id']}")[0].headers["etag"]
        thread.posts[shown["id"]] = PostModel(author, shown, [shown["text"]], etag)

    def _see(self, post: PostModel, answers: list[httpx.Response]) -> None:
        [changed] = [answer for answer in answers if answer.status_code == 200]
        post.shown, post.etag = changed.json(), changed.headers["etag"]
        assert post.shown["text"] == post.said[-1]

    def _settle(self, thread: ThreadModel) -> None:
        path, posts = f"/api/threads/{thread.id}", thread.there
        last = posts[-1]["createdAt"] if posts else None
        wanted = (len(posts), last, thread.title, thread.version, thread.locked, thread.pinned)
        if thread.removed:
            in_thread = f"/api/posts/in-thread/{thread.id}"

            def gone() -> bool:
                return all(
                    answer.json() == [] for answer in self.world.everywhere(in_thread)
                ) and all(answer.status_code == 404 for answer in self.world.everywhere(path))

            eventually_blocking(gone)
            return

        def told(answer: httpx.Response) -> bool:
            shown = answer.json()
            names = ("postCount", "lastPostAt", "title", "version", "locked", "pinned")
            return tuple(shown[name] for name in names) == wanted

        eventually_blocking(lambda: all(told(answer) for answer in self.world.everywhere(path)))
