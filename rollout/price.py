"""`make price`: how long the board on this machine takes to store a post, as its client sees it.

It registers a user, starts a thread, and writes posts into it. For each post it notes the time to
the response, the calls to other services (from the Server-Timing field, which the board sends if
SHOW_INSTANCE=1), and the time until the thread counted the post.

"""

import re
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import environ
from typing import Final

import httpx

from rollout.errors import CannotRollOutError

POSTS: Final = 4
"""The number of posts. A user may write one every five seconds, so it takes a while."""
COUNTED_WITHIN: Final = 10.0
"""Seconds that a thread may take to count a post."""

_CALL: Final = re.compile(r'call;dur=([\d.]+);desc="(\w+)')
_PAUSE: Final = 0.002
_TOO_MANY: Final = 429

Pause = Callable[[float], None]
"""Waits for this many seconds."""


@dataclass(frozen=True)
class Post:
    """One post: milliseconds until it was acknowledged, milliseconds after that until its thread
    counted it, who answered, and the calls to other services, each with its milliseconds."""

    acknowledged: float
    counted: float
    server: str
    calls: tuple[tuple[str, float], ...]


def measure(
    http: httpx.Client,
    clock: Callable[[], float] = time.perf_counter,
    pause: Pause = time.sleep,
) -> list[Post]:
    """Write the posts. Raises CannotRollOutError if the board does not answer as it should."""
    try:
        return _measure(http, clock, pause)
    except httpx.HTTPStatusError as error:
        response = error.response
        raise CannotRollOutError(
            f"the board answered {response.status_code} to {response.request.method} "
            f"{response.request.url.path}: {_detail(response)}"
        ) from error
    except httpx.HTTPError as error:
        raise CannotRollOutError(f"the board did not answer ({type(error).__name__})") from error


def _measure(http: httpx.Client, clock: Callable[[], float], pause: Pause) -> list[Post]:
    username, password = f"price-{secrets.token_hex(5)}", secrets.token_urlsafe(16)
    _post(http, "/api/users", username=username, password=password)
    session = _post(http, "/api/sessions", username=username, password=password)
    http.headers["Authorization"] = f"Bearer {session.json()['token']}"
    thread = _post(http, "/api/threads", title="What a post costs").json()["id"]
    posts = []
    for number in range(1, POSTS + 1):
        body = {"thread": thread, "text": f"Post {number}"}
        began = clock()
        while (response := http.post("/api/posts", json=body)).status_code == _TOO_MANY:
            pause(float(response.headers.get("Retry-After", 1)))
            began = clock()
        response.raise_for_status()
        acknowledged = clock()
        while _count(http, thread) < number:
            if clock() - acknowledged > COUNTED_WITHIN:
                raise CannotRollOutError(
                    f"the thread has not counted a post after {COUNTED_WITHIN:g} s"
                )
            pause(_PAUSE)
        posts.append(
            Post(
                (acknowledged - began) * 1000,
                (clock() - acknowledged) * 1000,
                response.headers.get("X-Served-By", "an unnamed process").partition("/")[0],
                tuple(
                    (name, float(milliseconds))
                    for milliseconds, name in _CALL.findall(
                        response.headers.get("Server-Timing", "")
                    )
                ),
            )
        )
    return posts


def _post(http: httpx.Client, path: str, **body: object) -> httpx.Response:
    return http.post(path, json=body).raise_for_status()


def _count(http: httpx.Client, thread: int) -> int:
    count: int = http.get(f"/api/threads/{thread}").raise_for_status().json()["postCount"]
    return count


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase


def report(posts: list[Post]) -> str:
    """The report of the posts' times and calls."""
    servers = ", ".join(sorted({post.server for post in posts}))
    calls: dict[str, list[float]] = {}
    for post in posts:
        for name, milliseconds in post.calls:
            calls.setdefault(name, []).append(milliseconds)
    lines = [
        f"{len(posts)} posts, stored by: {servers}",
        f"a post was acknowledged after  {_median([p.acknowledged for p in posts])} (median)",
        f"its thread counted it after    {_median([p.counted for p in posts])} more (median)",
        f"calls to other services        {sum(map(len, calls.values()))}",
    ]
    lines += [
        f"  to {name:<9} {len(times):>3} calls, {_median(times)} each (median)"
        for name, times in sorted(calls.items())
    ]
    return "\n".join(lines)


def _median(milliseconds: list[float]) -> str:
    return f"{statistics.median(milliseconds):.1f} ms"


def run(environment: Mapping[str, str]) -> str:
    """Measure the board on PORT of this machine. Raises CannotRollOutError."""
    port = environment.get("PORT") or "8080"
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        raise CannotRollOutError(f"PORT={port}: it must be a whole number from 1 to 65535")
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=15, trust_env=False) as http:
        return report(measure(http))


def main() -> int:
    """Print the report. Returns 0, or 1 if the board did not answer as it should."""
    try:
        sys.stdout.write(f"{run(environ)}\n")
    except CannotRollOutError as refused:
        sys.stderr.write(f"make price: {refused}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
