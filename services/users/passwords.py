"""Hashes passwords, and recognises common ones."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import argon2
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST = 8
LONGEST = 128

_WEAK_REPEAT = 2  # of zxcvbn's scores from 0 to 4: below 10^8 guesses, for the part and how often

_THREADS = 2  # each hash holds 19 MiB while it runs

Result = TypeVar("Result")


def commonest_passwords() -> frozenset[str]:
    """The passwords that attackers try first: those in zxcvbn's list of leaked passwords that are
    long enough to be allowed."""
    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)


class Passwords:
    """Argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes,
    one lane. It runs in a small pool of threads, so that many sign-ins at once queue for it
    instead of filling the memory or holding up everything else."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16
        )
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
        # Hashed in advance: the first unknown name must not take twice as long as the second.
        self._nobodys = self._threads.submit(self._hasher.hash, "the password of nobody at all")

    async def hash(self, password: str) -> str:
        """The hash to store, which includes its salt and parameters."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, kept: str | None) -> bool:
        """Whether the password has this hash. Without a hash, returns False after the same work,
        because the duration must not reveal whether the user exists."""
        return await self._run(lambda: self._verify(password, kept))

    async def weakness(self, password: str, username: str) -> str | None:
        """Why the password would be guessed soon, as a sentence: it consists of repeats, sequences
        or rows of keys, or is among the first thousand that somebody would try. None if not."""
        return await self._run(lambda: _weakness(password, username))

    def close(self) -> None:
        """Wait for running hashes, and end the threads."""
        self._threads.shutdown()

    def _verify(self, password: str, kept: str | None) -> bool:
        try:
            self._hasher.verify(kept or self._nobodys.result(), password)
        except argon2.exceptions.VerifyMismatchError:
            return False
        return kept is not None

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _weakness(password: str, username: str) -> str | None:
    found = zxcvbn(password, user_inputs=[username], max_length=LONGEST)
    parts = found["sequence"]
    plain = all(_is_plain(part) for part in parts)
    repeated = all(part["pattern"] == "repeat" or _is_plain(part) for part in parts)
    if found["score"] > 0 and not plain and not (repeated and found["score"] <= _WEAK_REPEAT):
        return None
    warning: str = found["feedback"]["warning"]
    return warning or "This password is easy to guess."


def _is_plain(part: Mapping[str, Any]) -> bool:
    """Whether this part of a password is a repeated character, a sequence, or a row of keys."""
    pattern = part["pattern"]
    return pattern in {"sequence", "spatial"} or (
        pattern == "repeat" and len(part["base_token"]) == 1
    )
