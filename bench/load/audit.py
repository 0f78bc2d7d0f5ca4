"""Whether a board still has what it has acknowledged."""

import json
from collections.abc import Callable, Sequence
from typing import Final

from bench.load.mix import Acknowledged, read_request
from bench.load.open_loop import Arrival, Request, run

_RATE: Final = 400.0


async def missing(port: int, written: Sequence[Acknowledged]) -> list[str]:
    """Read each acknowledged post. Returns a sentence for each reason why some are not as
    acknowledged; empty if all are."""
    plan = [
        Arrival(number / _RATE, Request("post", read_request(f"/api/posts/{post.id}"), _is(post)))
        for number, post in enumerate(written)
    ]
    window = await run(port, plan, connections=8)
    reasons = window.failures + window.refusals
    return [f"{count} acknowledged posts: {why}" for why, count in reasons.items()]


def _is(post: Acknowledged) -> Callable[[int, bytes], str | None]:
    def check(status: int, body: bytes) -> str | None:
        if status != 200:
            return f"status {status}"
        found = json.loads(body)
        if (found["id"], found["thread"], found["text"]) != (post.id, post.thread, post.text):
            return "the post is another one"
        return None

    return check
