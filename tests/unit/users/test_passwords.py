"""Passwords are stored as hashes, and checking one reveals nothing but yes or no."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from kernel.errors import Invalid
from services.users.model import canonical_password, check_password
from services.users.passwords import SHORTEST, Passwords, commonest_passwords

PASSWORD = "seven quiet herons"


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    """With the real parameters."""
    with closing(Passwords()) as made:
        yield made


async def test_only_the_right_password_is_verified(passwords: Passwords) -> None:
    kept = await passwords.hash(PASSWORD)
    assert await passwords.verify(PASSWORD, kept)
    assert not await passwords.verify(PASSWORD + " ", kept)


async def test_two_hashes_of_one_password_differ(passwords: Passwords) -> None:
    assert await passwords.hash(PASSWORD) != await passwords.hash(PASSWORD)


async def test_a_hash_has_the_recommended_parameters(passwords: Passwords) -> None:
    assert (await passwords.hash(PASSWORD)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", [PASSWORD, "the password of nobody at all", ""])
async def test_without_a_hash_no_password_is_right(passwords: Passwords, password: str) -> None:
    assert not await passwords.verify(password, None)


def test_the_commonest_passwords_are_known_and_long_enough_to_matter() -> None:
    commonest = commonest_passwords()
    assert {"password", "12345678", "password1", "iloveyou"} <= commonest
    assert len(commonest) > 1000
    assert min(map(len, commonest)) == SHORTEST


@pytest.mark.parametrize("password", ["Password1", "ILOVEYOU", "Ines-Duarte"])
def test_a_password_that_would_be_guessed_at_once_is_refused(password: str) -> None:
    with pytest.raises(Invalid):
        check_password(password, "ines-duarte", commonest_passwords())


def test_password_is_normalised_to_composed_characters() -> None:
    assert canonical_password("cafe\u0301 olé") == canonical_password("café olé")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("aaaaaaaa", "Repeats"), ("abcabcabc", "Repeats"), ("        ", "Repeats"),
        ("abcdefgh", "Sequences"), ("87654321", "Repeats and sequences"), ("a" * 128, "Repeats"),
        ("aaaabbbbcccc", "Repeats and"), ("aaaabbbbccccddddeeee", "Repeats and"),
        ("aabbccddeeff", "Repeats and"), ("111122223333", "Repeats and"), ("aaaaaaaab", "Repeats"),
        ("abcdefgh12345678", "Sequences"), ("abcd1234efgh5678", "Repeats and"),
        ("Abcdefgh1234!", "Repeats and"), ("a1b2c3d4e5f6", "Repeats and"),
        ("aaa bbb ccc ddd", "Repeats and"), ("a-b-c-d-e-f-g", "Repeats and"),
        ("ababababcdcdcdcd", "Repeats"), ("qwertyuiop123456", "This is similar"),
        ("qazwsxedcrfv", "This is a very common"), ("2026-11-30", "Dates"),
        ("zxcvbnm1234567", "This is similar"),
    ],
)  # fmt: skip
async def test_weak_password_is_explained(passwords: Passwords, password: str, why: str) -> None:
    found = await passwords.weakness(password, "ines")
    assert found is not None
    assert found.startswith(why)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD, "Tr0ub4dor&3", "correct horse battery staple " * 4, "x7;Qp2!z", "é†𝄞 xyz!",
        "correcthorse", "12 apples, 34 pears", "Zz9!aBc4", "密码很安全的鸟儿", "🦊🐙🌵🎻🧊🥁🛶🧭",
    ],
)  # fmt: skip
async def test_password_that_is_hard_to_guess_is_accepted(
    passwords: Passwords, password: str
) -> None:
    assert await passwords.weakness(password, "ines") is None
