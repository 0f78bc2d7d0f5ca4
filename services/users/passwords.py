"""Hashes passwords, and recognises common ones."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

import argon2
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from kernel.process.spans.tracer import span

SHORTEST = 8
LONGEST = 128

_WEAK = 1  # of zxcvbn's scores from 0 to 4: below 10^6 guesses
_WEAK_REPEAT = 2  # below 10^8 guesses, for the parts and how often they are repeated
_FEWEST_PIECES = 5  # `abc123xyz789` has four
_SHORTEST_SEQUENCE = 3
_ABOUT_PATTERNS = ("Repeats", "Sequences", "Straight rows")  # what zxcvbn's warnings begin with
_PATTERN = 'Repeats and sequences like "aaa" or "abc" are easy to guess, also one after another.'

_THREADS = 2  # each hash holds 19 MiB while it runs

Result = TypeVar("Result")


def commonest_passwords() -> frozenset[str]:
    """The passwords that attackers try first: those in zxcvbn's list of leaked passwords that are
    long enough to be allowed."""
    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)


@dataclass(frozen=True, slots=True)
class Cost:
    """What computing a hash costs: memory in KiB, and passes over it."""

    memory: int
    passes: int


RECOMMENDED: Final = Cost(memory=19 * 1024, passes=2)
"""Of the OWASP Password Storage Cheat Sheet."""


class Passwords:
    """Argon2id with one lane. It runs in a small pool of threads, so that many sign-ins at once
    queue for it instead of filling the memory or holding up everything else."""

    def __init__(self, cost: Cost = RECOMMENDED) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory,
            parallelism=1,
            hash_len=32,
            salt_len=16,
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
        """Why the password would be guessed soon, as a sentence: it consists of a few repeats,
        sequences or rows of keys, or is among the first million that somebody would try. None if
        not."""
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
        with span("argon2"):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _weakness(password: str, username: str) -> str | None:
    found = zxcvbn(password, user_inputs=[username], max_length=LONGEST)
    warning: str = found["feedback"]["warning"]
    if _pieces(password) < _FEWEST_PIECES:
        return warning if warning.startswith(_ABOUT_PATTERNS) else _PATTERN
    parts = found["sequence"]
    repeated = all(part["pattern"] in {"repeat", "sequence", "spatial"} for part in parts)
    if found["score"] <= (_WEAK_REPEAT if repeated else _WEAK):
        return warning or "This password is easy to guess."
    return None


def _pieces(password: str) -> int:
    """How many pieces somebody has to remember of a password: runs of its letters and digits, which
    may be interleaved, and each kind of punctuation and space, which may separate them."""
    folded = password.casefold()
    letters = [character for character in folded if character.isalpha()]
    digits = [character for character in folded if character.isnumeric()]
    both = [character for character in folded if character.isalnum()]
    separators = {character for character in folded if not character.isalnum()}
    return min(_runs(both), _runs(letters) + _runs(digits)) + len(separators)


def _runs(characters: Sequence[str]) -> int:
    """How many runs these characters are. A character that is repeated is one run, and so are three
    or more characters that follow each other up or down, each repeated or not."""
    codes = [ord(character) for character, _ in groupby(characters)]
    runs = start = 0
    while start < len(codes):
        step = codes[start + 1] - codes[start] if start + 1 < len(codes) else 0
        end = start + 1
        while abs(step) == 1 and end < len(codes) and codes[end] - codes[end - 1] == step:
            end += 1
        start = end if end - start >= _SHORTEST_SEQUENCE else start + 1
        runs += 1
    return runs
