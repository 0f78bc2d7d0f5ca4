"""Serves minimal programs with the same responses as the board, for comparing its speed.

    python -m bench.peers PORT URL DATABASE_URL

`/bare/...` is a plain ASGI callable that sends the status, fields and body that the board at URL
sends for `/...` and the same `If-None-Match`. `/query` is a FastAPI route that runs the query for a
page of the newest 50 posts and sends constant bytes. The server is the same as the board's.
"""

import asyncio
import socket
import sys
import urllib.error
import urllib.request

import asyncpg
import uvloop
from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.process.serve import listening
from services.posts.store import POST_COLUMNS, VISIBLE

_QUERY = f"""
    SELECT {POST_COLUMNS} FROM posts WHERE id < $1 AND {VISIBLE} ORDER BY id DESC LIMIT $2
"""  # noqa: S608 - constants


class Bare:
    """Repeats the responses of the board at `url`."""

    def __init__(self, url: str, other: ASGIApp) -> None:
        self._url = url
        self._other = other
        self._answers: dict[tuple[str, bytes], tuple[int, list[tuple[bytes, bytes]], bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/bare/"):
            await self._other(scope, receive, send)
            return
        tag = b""
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                tag = value
        found = self._answers.get((scope["path"], tag))
        if found is None:
            found = await asyncio.to_thread(self._ask, scope["path"], tag)
            self._answers[scope["path"], tag] = found
        status, fields, body = found
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    def _ask(self, path: str, tag: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        request = urllib.request.Request(self._url + path.removeprefix("/bare"))  # noqa: S310 - http
        if tag:
            request.add_header("If-None-Match", tag.decode())
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                status, headers, body = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, headers, body = error.code, error.headers, b""
        # The server adds Date itself, and Connection is there because of urllib's request.
        fields = [
            (name.lower().encode(), value.encode())
            for name, value in headers.items()
            if name.lower() not in {"date", "connection"}
        ]
        return status, fields, body


def query_app(pool: "asyncpg.Pool[asyncpg.Record]") -> FastAPI:
    """An application with one route, which runs one query."""
    app = FastAPI(openapi_url=None)
    body = b"x" * 2000

    @app.get("/query")
    async def query(limit: int = 50, after: str | None = None) -> Response:
        await pool.fetch(_QUERY, 2**63 - 1 if after is None else int(after), limit + 1)
        return Response(body, media_type="application/json")

    return app


async def serve(port: int, url: str, database: str) -> None:
    """Serve until the process is terminated."""
    async with asyncpg.create_pool(database, min_size=5, max_size=5) as pool:
        with socket.create_server(("127.0.0.1", port), backlog=2048) as listener:
            async with listening(Bare(url, query_app(pool)), listener):
                await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
