"""Writes that take effect at most once for each `Idempotency-Key`.

The record of a key is a row in the context's own database, written in the same transaction as the
effect, so neither exists without the other.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from kernel.data.database import Connection, Database
from kernel.errors import Conflict, FieldError, Invalid

LIFETIME = timedelta(hours=24)
"""How long the response to a key is stored."""

_DELETED_AT_ONCE = 100

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ReplayableResponse:
    """A response to a POST that is stored and can be sent again."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Replayed(Exception):
    """The write was done by an earlier request. `response` is the response to that one."""

    def __init__(self, response: ReplayableResponse) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """What identifies a repeated POST. `digest` is the SHA-256 of its body; without a key nothing
    is stored."""

    key: str | None
    method: str
    path: str
    digest: bytes

    def write(self, respond: Callable[[Result], ReplayableResponse]) -> "IdempotentWrite[Result]":
        """The write of this request. `respond` creates the response from the write's result."""
        return IdempotentWrite(self, respond)


class IdempotentWrite(Generic[Result]):
    """A write that a request may do at most once. Between `begin` and `finish`, both inside the
    transaction of the write, no other request with the same key can do it."""

    def __init__(
        self, request: IdempotentRequest, respond: Callable[[Result], ReplayableResponse]
    ) -> None:
        self._request = request
        self._respond = respond

    @property
    def has_key(self) -> bool:
        """Whether `begin` and `finish` do anything, and so need a transaction."""
        return self._request.key is not None

    @classmethod
    def without_key(cls) -> "IdempotentWrite[Result]":
        """A write without a key, which always takes effect."""

        def respond(_result: Result) -> ReplayableResponse:
            raise AssertionError("without a key no response is stored")

        return cls(IdempotentRequest(None, "", "", b""), respond)

    async def check_replay(self, database: Database, user: int, now: datetime) -> None:
        """Raises `Replayed` if the write was done before. Call it after `user` is known, and before
        any check whose result may have changed since the first request."""
        if self._request.key is not None:
            async with database.connection() as connection:
                await self._raise_replayed(connection, user, now)

    async def begin(self, connection: Connection, user: int, now: datetime) -> None:
        """Begin the write. Raises `Replayed`; `Invalid` if the key was used with another body; and
        `Conflict` while another request with this key is being carried out."""
        request = self._request
        if request.key is None:
            return
        name = "\n".join([str(user), request.method, request.path, request.key])
        lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock):
            raise Conflict("The same request is still being carried out.")
        await self._raise_replayed(connection, user, now)

    async def finish(
        self, connection: Connection, user: int, now: datetime, result: Result
    ) -> None:
        """Store the response to this request, and delete some expired records."""
        request = self._request
        if request.key is None:
            return
        response = self._respond(result)
        await connection.execute(
            """
            WITH expired AS (
                DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM idempotency_keys
                    WHERE created_at <= $10 AND (user_id, method, path, key) <> ($1, $2, $3, $4)
                    LIMIT $11 FOR UPDATE SKIP LOCKED
                ))
            )
            INSERT INTO idempotency_keys
                (user_id, method, path, key, digest, status, headers, body, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (user_id, method, path, key) DO UPDATE SET
                digest = excluded.digest, status = excluded.status, headers = excluded.headers,
                body = excluded.body, created_at = excluded.created_at
            """,
            user,
            request.method,
            request.path,
            request.key,
            request.digest,
            response.status,
            json.dumps(dict(response.headers)),
            response.body,
            now,
            now - LIFETIME,
            _DELETED_AT_ONCE,
        )

    async def _raise_replayed(self, connection: Connection, user: int, now: datetime) -> None:
        request = self._request
        row = await connection.fetchrow(
            """
            SELECT digest, status, headers, body FROM idempotency_keys
            WHERE user_id = $1 AND method = $2 AND path = $3 AND key = $4 AND created_at > $5
            """,
            user,
            request.method,
            request.path,
            request.key,
            now - LIFETIME,
        )
        if row is None:
            return
        if row["digest"] != request.digest:
            raise Invalid(FieldError("Idempotency-Key", "This key came with another body before."))
        raise Replayed(ReplayableResponse(row["status"], json.loads(row["headers"]), row["body"]))
