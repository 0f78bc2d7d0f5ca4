"""Each acknowledged post is read again, and must be what was written."""

import asyncio
import json

from bench.load.audit import missing
from bench.load.mix import Acknowledged
from tests.unit.bench.servers import server

WRITTEN = [Acknowledged(1, 7, "one"), Acknowledged(2, 7, "two"), Acknowledged(3, 8, "three")]


async def audit(stored: dict[int, Acknowledged]) -> list[str]:
    async def respond(path: bytes, writer: asyncio.StreamWriter) -> None:
        post = stored.get(int(path.rpartition(b"/")[2]))
        body = json.dumps(post.__dict__ if post else {}).encode()
        status = b"200 OK" if post else b"404 Not Found"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))

    async with server(respond) as port:
        return await missing(port, WRITTEN)


async def test_nothing_is_missing_if_every_post_is_there() -> None:
    assert await audit({post.id: post for post in WRITTEN}) == []


async def test_lost_and_changed_posts_are_found() -> None:
    found = await audit({1: WRITTEN[0], 3: Acknowledged(3, 8, "else")})
    assert sorted(found) == [
        "1 acknowledged posts: post: status 404",
        "1 acknowledged posts: post: the post is another one",
    ]
