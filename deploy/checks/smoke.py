"""A visit through the load balancer: does what was deployed work?"""

import secrets
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from deploy.errors import CannotDeployError, TookTooLongError
from deploy.poller import Pace
from topology.contexts import CONTEXTS

ANSWERS_WITHIN: Final = 10 * 60.0
"""Seconds: a new load balancer's name has to get around first."""

ONE_OF_EACH: Final = (*(context.public_prefixes[0] for context in CONTEXTS), "/")
"""A path of each service."""


def visit(
    origin: str,
    connect_to: str | None,
    pace: Pace,
    say: Callable[[str], None],
    look: Callable[[], None],
) -> dict[str, str]:
    """Register, sign in, start a thread, write a post and read it back, and find the thread in the
    list; then take all of it away again. Returns which process answered each path, where they say.
    Raises `CannotDeployError` with the request that failed. `connect_to` is a host and port to use
    instead of the origin's; `look` is called again and again
    until it answers, and raises when there is no more use in waiting."""
    parts = urlsplit(origin)
    base = f"{parts.scheme}://{connect_to}" if connect_to else origin
    with httpx.Client(base_url=base, headers={"Host": parts.netloc}, timeout=30) as http:
        _until_it_answers(http, origin, pace, say, look)
        return _Visitor(http).visit()


def _until_it_answers(
    http: httpx.Client,
    origin: str,
    pace: Pace,
    say: Callable[[str], None],
    look: Callable[[], None],
) -> None:
    said: list[str] = []

    def ask() -> bool | None:
        look()
        for path in ONE_OF_EACH:
            what = _what_is_wrong(http, path)
            if what is not None:
                if what not in said:
                    said.append(what)
                    say(f"{origin}{path}: not yet ({what})")
                return None
        return True

    try:
        pace.until(ask, ANSWERS_WITHIN, f"Waiting for {origin} to answer")
    except TookTooLongError as error:
        raise CannotDeployError(f"{error}. It said at last: {said[-1]}") from error


def _what_is_wrong(http: httpx.Client, path: str) -> str | None:
    try:
        answer = http.get(path)
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    if answer.status_code == httpx.codes.OK:
        return None
    return f"{answer.status_code} {' '.join(answer.text[:200].split())}"


class _Visitor:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._headers: dict[str, str] = {}
        self._served_by: dict[str, str] = {}

    def visit(self) -> dict[str, str]:
        password = secrets.token_urlsafe(18)
        who = {"username": f"smoke-{secrets.token_hex(5)}", "password": password}
        self._ask("POST", "/api/users", who)
        session = self._ask("POST", "/api/sessions", who)
        self._http.cookies.clear()
        self._headers = {"Authorization": f"Bearer {session['token']}"}
        title = f"Smoke test {secrets.token_hex(4)}"
        thread = self._ask("POST", "/api/threads", {"title": title})
        written = {"thread": thread["id"], "text": "*Is* anybody there?"}
        post = self._ask("POST", "/api/posts", written)
        found = self._ask("GET", f"/api/posts/in-thread/{thread['id']}")
        self._must([one["id"] for one in found] == [post["id"]], "the post is not in its thread")
        self._must("<em>Is</em>" in found[0]["html"], "the post is not what was written")
        newest = self._ask("GET", "/api/threads?order=new&limit=100")
        self._must(title in [one["title"] for one in newest], "the list lacks the new thread")
        page = self._http.get("/")
        self._must(page.status_code == httpx.codes.OK, f"GET / answers {page.status_code}")
        self._note("/", page)
        self._ask("DELETE", f"/api/posts/{post['id']}")
        self._ask("DELETE", f"/api/threads/{thread['id']}")
        self._ask("DELETE", "/api/users/me", {"password": password})
        return self._served_by

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise CannotDeployError(f"The smoke test: {method} {path}: {error!r}") from error
        self._must(
            answer.is_success, f"{method} {path} answers {answer.status_code} {answer.text[:500]}"
        )
        self._note(path, answer)
        return answer.json() if answer.content else None

    def _note(self, path: str, answer: httpx.Response) -> None:
        if "x-served-by" in answer.headers:
            self._served_by[path] = answer.headers["x-served-by"]

    @staticmethod
    def _must(well: bool, what: str) -> None:
        if not well:
            raise CannotDeployError(f"The smoke test: {what}")
