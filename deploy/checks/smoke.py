"""The smoke test: uses the deployed board through its load balancer, as a client does."""

import secrets
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from deploy.errors import CannotDeployError, TookTooLongError
from deploy.poller import Poller
from topology.contexts import CONTEXTS

RESPONSE_TIMEOUT: Final = 10 * 60.0
"""Seconds: the DNS name of a new load balancer has to propagate first."""

WAKES_WITHIN: Final = 90.0
"""Seconds that a database may take to wake up."""

_PAUSE: Final = 2.0
PATHS: Final = (*(context.open_path for context in CONTEXTS), "/")
"""A path of each service."""

Say = Callable[[str], None]
SmokeTest = Callable[[str, str | None, Poller, Say, Callable[[], None]], dict[str, str]]
"""The type of `run`."""


def run(
    origin: str,
    connect_to: str | None,
    poller: Poller,
    say: Say,
    check: Callable[[], None],
) -> dict[str, str]:
    """Register, sign in, start a thread, write a post, read it back, find the thread in the list,
    and list cases; then delete all of it. Returns which process served each path, as far as the
    responses say. Raises `CannotDeployError` with the request that failed. `connect_to` is a host
    and port to connect to instead of the origin's. `check` is called repeatedly until the board
    responds, and raises if waiting longer is useless."""
    parts = urlsplit(origin)
    base = f"{parts.scheme}://{connect_to}" if connect_to else origin
    with httpx.Client(
        base_url=base,
        headers={"Host": parts.netloc},
        timeout=30,
        event_hooks={"request": [_server_name(parts.hostname or "")]},
    ) as http:
        _wait_for_responses(http, origin, poller, say, check)
        return _Client(http, poller, say).run()


def _server_name(name: str) -> Callable[[httpx.Request], None]:
    """Sends the origin's host in the TLS handshake, and verifies its certificate, whatever address
    the client connects to: so the test works before the domain's DNS record exists."""

    def name_it(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = name

    return name_it


def _wait_for_responses(
    http: httpx.Client,
    origin: str,
    poller: Poller,
    say: Say,
    check: Callable[[], None],
) -> None:
    said: list[str] = []

    def ask() -> bool | None:
        check()
        for path in PATHS:
            what = _problem_with(http, path)
            if what is not None:
                if what not in said:
                    said.append(what)
                    say(f"{origin}{path}: not yet ({what})")
                return None
        return True

    try:
        poller.until(ask, RESPONSE_TIMEOUT, f"Waiting for {origin} to respond")
    except TookTooLongError as error:
        raise CannotDeployError(f"{error}. The last response: {said[-1]}") from error


def _problem_with(http: httpx.Client, path: str) -> str | None:
    try:
        response = http.get(path)
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    if response.status_code == httpx.codes.OK:
        return None
    return f"{response.status_code} {' '.join(response.text[:200].split())}"


class _Client:
    def __init__(self, http: httpx.Client, poller: Poller, say: Say) -> None:
        self._http = http
        self._poller = poller
        self._say = say
        self._headers: dict[str, str] = {}
        self._served_by: dict[str, str] = {}

    def run(self) -> dict[str, str]:
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
        self._require([one["id"] for one in found] == [post["id"]], "the post is not in its thread")
        self._require("<em>Is</em>" in found[0]["html"], "the post is not what was written")
        newest = self._ask("GET", "/api/threads?order=new&limit=100")
        self._require(title in [one["title"] for one in newest], "the list lacks the new thread")
        self._ask("GET", "/api/cases")
        page = self._http.get("/")
        self._require(page.status_code == httpx.codes.OK, f"GET / returned {page.status_code}")
        self._note("/", page)
        self._ask("DELETE", f"/api/posts/{post['id']}")
        self._ask("DELETE", f"/api/threads/{thread['id']}")
        self._ask("DELETE", "/api/users/me", {"password": password})
        return self._served_by

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        response = self._when_awake(method, path, body)
        self._require(
            response.is_success,
            f"{method} {path} returned {response.status_code} {response.text[:500]}",
        )
        self._note(path, response)
        return response.json() if response.content else None

    def _when_awake(self, method: str, path: str, body: object) -> httpx.Response:
        """The response. A 503 changes nothing, so the request is repeated while the database may be
        waking up."""
        began, said = self._poller.now(), False
        while True:
            try:
                response = self._http.request(method, path, json=body, headers=self._headers)
            except httpx.HTTPError as error:
                raise CannotDeployError(f"The smoke test: {method} {path}: {error!r}") from error
            waited = self._poller.now() - began
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or waited > WAKES_WITHIN:
                return response
            if not said:
                said = True
                self._say(f"{method} {path}: 503; the database may be waking up ...")
            self._poller.sleep(_PAUSE)

    def _note(self, path: str, response: httpx.Response) -> None:
        if "x-served-by" in response.headers:
            self._served_by[path] = response.headers["x-served-by"]

    @staticmethod
    def _require(condition: bool, failure: str) -> None:
        if not condition:
            raise CannotDeployError(f"The smoke test: {failure}")
