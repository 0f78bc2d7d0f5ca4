"""Users who send requests to the board over HTTP."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from tests.deployments import Board
from tests.plain_http import no_certificates

PASSWORD = "seven quiet herons"


@dataclass(frozen=True)
class Person:
    """A registered user who is signed in: `http` sends their token."""

    id: int
    username: str
    token: str
    http: httpx.AsyncClient

    async def start_thread(self, title: str = "Bread that will not rise") -> dict[str, Any]:
        """Start a thread, and return the API's representation."""
        response = await self.http.post("/api/threads", json={"title": title})
        assert response.status_code == 201, response.text
        thread: dict[str, Any] = response.json()
        return thread

    async def write(self, thread: int, text: str = "Is the water warm enough?") -> dict[str, Any]:
        """Write a post, and return the API's representation."""
        response = await self.http.post("/api/posts", json={"thread": thread, "text": text})
        assert response.status_code == 201, response.text
        post: dict[str, Any] = response.json()
        return post


@asynccontextmanager
async def visiting(board: Board) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not signed in. It checks the conventions on every response, and notes the
    secrets that it sends and receives."""
    hooks: dict[str, list[Callable[..., Any]]] = {
        "request": [board.secrets.sent],
        "response": [board.conventions.check, board.secrets.received],
    }
    async with httpx.AsyncClient(
        base_url=board.url, timeout=15, trust_env=False, event_hooks=hooks, verify=no_certificates()
    ) as http:
        yield http


@asynccontextmanager
async def joining(board: Board) -> AsyncIterator[Person]:
    """Register a new user, and sign in."""
    async with visiting(board) as http:
        username = new_username()
        who = {"username": username, "password": PASSWORD}
        registered = await http.post("/api/users", json=who)
        assert registered.status_code == 201, registered.text
        session = await http.post("/api/sessions", json=who)
        assert session.status_code == 201, session.text
        token = session.json()["token"]
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {token}"
        yield Person(registered.json()["id"], username, token, http)


async def set_role(board: Board, username: str, role: str) -> None:
    """Set a user's role in the database. Services may know the earlier one for two seconds."""
    connection = await asyncpg.connect(board.databases["users"])
    try:
        await connection.execute("UPDATE users SET role = $2 WHERE username = $1", username, role)
    finally:
        await connection.close()


@asynccontextmanager
async def joining_as(board: Board, role: str) -> AsyncIterator[Person]:
    """Register a new user with a role."""
    async with joining(board) as person:
        await set_role(board, person.username, role)
        yield person


def moderating(board: Board) -> AbstractAsyncContextManager[Person]:
    """Register a new user who is a moderator."""
    return joining_as(board, "moderator")


async def sign_in(
    http: httpx.AsyncClient, username: str, password: str = PASSWORD
) -> dict[str, str]:
    """Start a new session, and return the header fields with its token."""
    who = {"username": username, "password": password}
    response = await http.post("/api/sessions", json=who)
    assert response.status_code == 201, response.text
    http.cookies.clear()
    return {"Authorization": f"Bearer {response.json()['token']}"}


def new_username() -> str:
    """A username that is not taken."""
    return f"ines-{secrets.token_hex(6)}"
