"""What a post costs, as its client sees it."""

import itertools
import json
from dataclasses import dataclass, field

import httpx
import pytest

from rollout import price
from rollout.errors import CannotRollOutError
from rollout.price import POSTS, measure, report


@dataclass
class FakeBoard:
    """A board that counts a post at the second look, and asks two services for each."""

    posts: int = 0
    looks: int = 0
    timing: str = (
        'call;dur=2.0;desc="users/users-1 POST /internal/users/authenticate 200", '
        'call;dur=3.5;desc="threads/threads-1 GET /internal/threads/7 200"'
    )
    tokens: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    too_soon: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path:
            case "POST", "/api/users":
                return httpx.Response(201, json={})
            case "POST", "/api/sessions":
                return httpx.Response(201, json={"token": "a token"})
            case "POST", "/api/threads":
                self.tokens.append(request.headers["Authorization"])
                return httpx.Response(201, json={"id": 7})
            case "POST", "/api/posts":
                assert json.loads(request.content)["thread"] == 7
                if self.too_soon:
                    return httpx.Response(429, headers={"Retry-After": "5"})
                self.too_soon = True
                self.posts, self.looks = self.posts + 1, 0
                headers = {"X-Served-By": "posts/posts-1", "Server-Timing": self.timing}
                return httpx.Response(201, json={}, headers=headers)
            case "GET", "/api/threads/7":
                self.looks += 1
                return httpx.Response(200, json={"postCount": self.posts - (self.looks < 2)})
            case other:
                raise AssertionError(other)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.too_soon = self.too_soon and seconds < 5


def on(board: object) -> httpx.Client:
    transport = httpx.MockTransport(board)  # type: ignore[arg-type] # any callable of a request
    return httpx.Client(transport=transport, base_url="http://board.example")


def test_each_post_has_its_times_and_its_calls() -> None:
    board = FakeBoard()
    ticks = itertools.count()
    posts = measure(on(board), lambda: next(ticks) / 1000, board.wait)
    assert board.waited.count(5) == POSTS - 1, "it waits as long as the board asks for"
    assert board.tokens == ["Bearer a token"]
    assert len(posts) == POSTS
    assert {(p.acknowledged, p.counted, p.server) for p in map(rounded, posts)} == {(1, 2, "posts")}
    assert report(posts).splitlines() == [
        "4 posts, stored by: posts",
        "a post was acknowledged after  1.0 ms (median)",
        "its thread counted it after    2.0 ms more (median)",
        "calls to other services        8",
        "  to threads     4 calls, 3.5 ms each (median)",
        "  to users       4 calls, 2.0 ms each (median)",
    ]


def rounded(post: price.Post) -> price.Post:
    return price.Post(round(post.acknowledged), round(post.counted), post.server, post.calls)


def test_monolith_makes_no_calls() -> None:
    board = FakeBoard(timing="")
    posts = measure(on(board), pause=board.wait)
    assert report(posts).splitlines()[-1] == "calls to other services        0"


def test_refused_request_is_reported_with_its_reason() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/sessions":
            return httpx.Response(503, json={"detail": "The users service does not answer."})
        return httpx.Response(201, json={})

    with pytest.raises(
        CannotRollOutError,
        match=r"the board answered 503 to POST /api/sessions: The users service does not answer.",
    ):
        measure(on(refuse))


def test_board_that_does_not_answer_is_reported() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(CannotRollOutError, match=r"did not answer \(ConnectError\)"):
        measure(on(refuse))


def test_post_that_is_never_counted_is_reported() -> None:
    board = FakeBoard()
    ticks = itertools.count()

    def never(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"postCount": 0})
        return board(request)

    with pytest.raises(CannotRollOutError, match="has not counted a post after 10 s"):
        measure(on(never), lambda: float(next(ticks) * 6), board.wait)


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_invalid_port_is_rejected(port: str) -> None:
    with pytest.raises(CannotRollOutError, match=f"PORT={port}: it must be"):
        price.run({"PORT": port})
