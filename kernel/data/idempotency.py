"""`Idempotency-Key`: a POST that is sent again has its effect once, and gets its first answer.

The record is kept in the context's own database, in the transaction of the effect: neither can be
there without the other, whatever crashes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Generic, TypeVar

from fastapi import Header, Request, Response

from kernel.data.database import Connection, Database
from kernel.errors import Conflict, FieldError, Invalid

KEPT = timedelta(hours=24)
"""How long a key is remembered."""

_CLEANED_AT_ONCE = 100

Result = TypeVar("Result")

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes it safe to send this request again, for 24 hours.",
    ),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a POST is answered with."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def response(self, *, replayed: bool = False) -> Response:
        """As it is sent."""
        headers = {**self.headers, "Idempotency-Replayed": "true"} if replayed else self.headers
        return Response(self.body, self.status, headers, "application/json")


class Replayed(Exception):
    """Ends a request that has been carried out before. `answer` is what it was answered with."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Attempt:
    """One sending of a POST: a FastAPI dependency. Without a key, everything about it is free."""

    def __init__(self, key: str | None, method: str, path: str, digest: bytes) -> None:
        self.key = key
        self.method = method
        self.path = path
        self.digest = digest

    @classmethod
    async def of(cls, request: Request, key: Key = None) -> "Attempt":
        """The attempt that a request is. Bodies that mean the same JSON have the same digest."""
        digest = b""
        if key is not None:
            digest = hashlib.sha256(_meaning(await request.body())).digest()
        return cls(key, request.method, request.scope["path"], digest)

    def once(self, answer: Callable[[Result], Answer]) -> "Once[Result]":
        """This attempt, with how its result is answered."""
        return Once(self, answer)


def _meaning(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body  # of an operation that takes none, so nobody has looked at it


class Once(Generic[Result]):
    """An effect that an attempt may have at most once. Between `begin` and `finish`, both inside
    the transaction of the effect, no other attempt with the same key can have it."""

    def __init__(self, attempt: Attempt, answer: Callable[[Result], Answer]) -> None:
        self._attempt = attempt
        self._answer = answer

    @classmethod
    def without_key(cls) -> "Once[Result]":
        """An effect that nobody will ask for again."""

        def answer(_result: Result) -> Answer:
            raise AssertionError("without a key no answer is kept")

        return cls(Attempt(None, "", "", b""), answer)

    async def look_up(self, database: Database, user: int, now: datetime) -> None:
        """Raises `Replayed` when the effect has been had. Ask before anything that may have
        changed since the first attempt, and after who asks is known."""
        if self._attempt.key is not None:
            async with database.connection() as connection:
                await self._raise_replayed(connection, user, now)

    async def begin(self, connection: Connection, user: int, now: datetime) -> None:
        """Raises `Replayed`, `Invalid` when the key came with another body before, and `Conflict`
        while another attempt is being carried out."""
        if self._attempt.key is None:
            return
        name = "\n".join([str(user), self._attempt.method, self._attempt.path, self._attempt.key])
        lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock):
            raise Conflict("The same request is still being carried out.")
        await self._raise_replayed(connection, user, now)

    async def finish(
        self, connection: Connection, user: int, now: datetime, result: Result
    ) -> None:
        """Keep what this attempt is answered with, and forget some of what is too old."""
        attempt = self._attempt
        if attempt.key is None:
            return
        answer = self._answer(result)
        await connection.execute(
            """
            INSERT INTO idempotency_keys
                (user_id, method, path, key, digest, status, headers, body, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (user_id, method, path, key) DO UPDATE SET
                digest = excluded.digest, status = excluded.status, headers = excluded.headers,
                body = excluded.body, created_at = excluded.created_at
            """,
            user,
            attempt.method,
            attempt.path,
            attempt.key,
            attempt.digest,
            answer.status,
            json.dumps(dict(answer.headers)),
            answer.body,
            now,
        )
        await connection.execute(
            """
            DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM idempotency_keys WHERE created_at <= $1
                LIMIT $2 FOR UPDATE SKIP LOCKED
            ))
            """,
            now - KEPT,
            _CLEANED_AT_ONCE,
        )

    async def _raise_replayed(self, connection: Connection, user: int, now: datetime) -> None:
        attempt = self._attempt
        row = await connection.fetchrow(
            """
            SELECT digest, status, headers, body FROM idempotency_keys
            WHERE user_id = $1 AND method = $2 AND path = $3 AND key = $4 AND created_at > $5
            """,
            user,
            attempt.method,
            attempt.path,
            attempt.key,
            now - KEPT,
        )
        if row is None:
            return
        if row["digest"] != attempt.digest:
            raise Invalid(FieldError("Idempotency-Key", "This key came with another body before."))
        raise Replayed(Answer(row["status"], json.loads(row["headers"]), row["body"]))
