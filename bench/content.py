"""The content of the boards that are measured under load: threads to read, and signed-in users."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from bench.dataset import Sizes, fill
from bench.load.mix import Mix
from services.users import tokens

SIZES: Final = Sizes(posts=20_000, threads=1_000, users=12_000, largest=2_000)
"""A user may post every five seconds, so 12,000 of them can write 2,400 posts a second."""


@dataclass(frozen=True)
class Content:
    """The ids of threads, the most popular first, and of users, and a session token of each."""

    threads: Sequence[int]
    users: Sequence[int]
    tokens: Sequence[str]

    def mix(self, seed: int = 0) -> Mix:
        """The mixed load for this content."""
        return Mix(self.threads, self.users, self.tokens, seed)


def fill_board(urls: Mapping[str, str]) -> Content:
    """Fill empty, migrated databases, and sign every user in."""
    return asyncio.run(_fill(urls))


async def _fill(urls: Mapping[str, str]) -> Content:
    await fill(urls, SIZES)
    connection = await asyncpg.connect(urls["users"])
    try:
        users = [row["id"] for row in await connection.fetch("SELECT id FROM users ORDER BY id")]
        # Signing in costs an Argon2 hash each, which would take minutes.
        made = [tokens.new() for _ in users]
        await connection.executemany(
            """
            INSERT INTO sessions (user_id, token_hash, created_at, last_used_at)
            VALUES ($1, $2, now(), now())
            """,
            [(user, tokens.hashed(token)) for user, token in zip(users, made, strict=True)],
        )
    finally:
        await connection.close()
    connection = await asyncpg.connect(urls["threads"])
    try:
        rows = await connection.fetch("SELECT id FROM threads ORDER BY id")
    finally:
        await connection.close()
    # Each has about 20 posts, except the first, which is as large as all others on their own page.
    return Content([row["id"] for row in rows], users, made)
