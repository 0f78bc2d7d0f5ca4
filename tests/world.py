"""A board as a test drives it from a thread of its own, through whichever instance it likes."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.people import Person


@dataclass(frozen=True)
class Client:
    """Somebody, as the model knows them."""

    id: int
    token: str
    moderates: bool


@dataclass
class World:
    """Some people, and every instance that they may ask; all instances are on the same data."""

    instances: Sequence[httpx.Client]
    people: Sequence[Client]
    steps: int = 0
    """How many steps its state machines have done."""
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    @classmethod
    def of(cls, urls: Sequence[str], members: Sequence[Person], moderator: Person) -> "World":
        """These people on the board at these URLs."""
        people = [Client(person.id, person.token, False) for person in members]
        people.append(Client(moderator.id, moderator.token, True))
        clients = [httpx.Client(base_url=url, timeout=30, trust_env=False) for url in urls]
        return cls(clients, people)

    def close(self) -> None:
        """Ends all connections."""
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
        """One request through one of the instances."""
        authorization = {"Authorization": f"Bearer {who.token}", **(headers or {})}
        return self.instances[via].request(method, path, json=body, headers=authorization)

    def at_once(self, *requests: Callable[[], httpx.Response]) -> list[httpx.Response]:
        """All of these at the same time."""
        return [done.result() for done in [self.pool.submit(request) for request in requests]]

    def everywhere(self, path: str) -> list[httpx.Response]:
        """The same GET through every instance."""
        return [client.get(path) for client in self.instances]


def new_key() -> str:
    """An `Idempotency-Key` that nobody has used."""
    return secrets.token_urlsafe(12)
