"""A board for synchronous tests, which choose the instance that handles each request."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.people import Person


@dataclass(frozen=True)
class Client:
    """A user, as the model knows them."""

    id: int
    token: str
    moderates: bool


@dataclass
class World:
    """Users, and the instances of the board, which all share the same databases."""

    instances: Sequence[httpx.Client]
    people: Sequence[Client]
    steps: int = 0
    """The number of steps that its state machines have done."""
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    @classmethod
    def of(cls, urls: Sequence[str], members: Sequence[Person], moderator: Person) -> "World":
        """The users `clients`, and instances of the board at these URLs."""
        people = [Client(person.id, person.token, False) for person in members]
        people.append(Client(moderator.id, moderator.token, True))
        clients = [httpx.Client(base_url=url, timeout=30, trust_env=False) for url in urls]
        return cls(clients, people)

    def close(self) -> None:
        """Close all connections."""
        self.pool.shutdown()
        for client in self.instances:
            client.close()

    def ask(
        self,
        who: Client,
        via: int,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request through one of the instances."""
        authorization = {"Authorization": f"Bearer {who.token}", **(headers or {})}
        return self.instances[via].request(method, path, json=body, headers=authorization)

    def at_once(self, *requests: Callable[[], httpx.Response]) -> list[httpx.Response]:
        """Send these requests at the same time."""
        return [done.result() for done in [self.pool.submit(request) for request in requests]]

    def everywhere(self, path: str) -> list[httpx.Response]:
        """Send the same GET through every instance."""
        return [client.get(path) for client in self.instances]


def new_key() -> str:
    """A new `Idempotency-Key`."""
    return secrets.token_urlsafe(12)
