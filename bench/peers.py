"""Serves minimal programs with the same responses as the board, for comparing its speed.

    python -m bench.peers PORT URL DATABASE_URL

`/bare/...` is a plain ASGI callable that sends the status, fields and body that the board at URL
sends for `/...` and the same `If-None-Match`. `/query` is a FastAPI route that runs the query for a
page of the newest 50 posts and sends as many bytes as the board does. `POST /insert` is a FastAPI
route that only inserts a post's row, and sends it. The server is the same as the board's.
"""

import asyncio
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import uvloop
from fastapi import FastAPI, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.board import Server
from bench.programs import process, wait_for
from kernel.process.serve import listening
from laptop import ports
from services.posts.model import MARKUP
from services.posts.store import POST_COLUMNS, VISIBLE

_QUERY = f"""
    SELECT {POST_COLUMNS} FROM posts WHERE id < $1 AND {VISIBLE} ORDER BY id DESC LIMIT $2
"""  # noqa: S608 - constants
_INSERT = """
    INSERT INTO posts (
        thread, author, by_starter, text, html, created_at, search, indexed_at, markup, rendered_at
    )
    VALUES ($1, 1, false, $2, $2, now(), to_tsvector('english', $2), now(), $3, now())
    RETURNING id, created_at
"""


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


class NewRow(BaseModel):
    """A post to insert."""

    thread: int
    text: str


def database_app(pool: "asyncpg.Pool[asyncpg.Record]", page: bytes) -> FastAPI:
    """An application with two routes, each of which runs one statement. `page` is what the reading
    one sends."""
    app = FastAPI(openapi_url=None)

    @app.get("/query")
    async def query(limit: int = 50, after: str | None = None) -> Response:
        await pool.fetch(_QUERY, 2**63 - 1 if after is None else int(after), limit + 1)
        return Response(page, media_type="application/json")

    @app.post("/insert", status_code=201)
    async def insert(new: NewRow) -> dict[str, Any]:
        row = await pool.fetchrow(_INSERT, new.thread, new.text, MARKUP)
        return {**dict(row or {}), "thread": new.thread, "text": new.text}

    return app


async def serve(port: int, url: str, database: str) -> None:
    """Serve until the process is terminated."""
    with urllib.request.urlopen(f"{url}/api/posts?limit=50") as response:  # noqa: ASYNC210, S310 - nothing runs yet; http
        page = response.read()
    async with asyncpg.create_pool(database, min_size=5, max_size=5) as pool:
        with socket.create_server(("127.0.0.1", port), backlog=2048) as listener:
            async with listening(Bare(url, database_app(pool, page)), listener):
                await asyncio.Event().wait()


@contextmanager
def serving(url: str, database: str) -> Iterator[Server]:
    """These programs in a process, until the block ends."""
    [port] = ports.free(1)
    command = [sys.executable, "-m", "bench.peers", str(port), url, database]
    with process(command) as running:
        wait_for(port, running, "/query")
        yield Server("peers", running.pid, port, port, None)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
