"""The rules of accounts and sessions, without a database."""

import logging
from dataclasses import replace

import pytest

from kernel.contracts import Actor, Role
from kernel.errors import (
    Banned,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from services.users import tokens
from services.users.model import Account, Ban, NewUser, Standing, User
from services.users.service import UserService
from services.users.settings import UserSettings
from tests.unit.fakes import NOON, noon
from tests.unit.users.fakes import FakeAttempts, FakePasswords, FakeUserStore

ADDRESS = "192.0.2.1"
LIMITS = UserSettings(
    users_database_url="postgresql://a:b@c/d", registration_limit=3, registration_window=3_600
)
PASSWORD, NEW_PASSWORD = "seven quiet herons", "eight quiet herons"


def standing(number: int, username: str, role: Role = "member", other_admins: int = 1) -> Standing:
    """A user who has the password above."""
    user = User(number, username, username.title(), "", None, role, NOON)
    return Standing(user, f"({PASSWORD})", None, other_admins)


class Accounts:
    """A users service on fakes."""

    def __init__(self, *standings: Standing) -> None:
        self.store = FakeUserStore(*standings)
        self.attempts = FakeAttempts()
        self.passwords = FakePasswords()
        self.service = UserService(
            self.store, self.attempts, self.passwords, frozenset({"password1"}), noon, LIMITS
        )

    async def sign_in(self, username: str, password: str = PASSWORD) -> str:
        """The token of a new session."""
        return (await self.service.sign_in(username, password, ADDRESS, None)).token


def new_user(username: str, password: str = PASSWORD) -> NewUser:
    """Somebody who wants to register."""
    return NewUser(username, password, username, "", None)


@pytest.mark.parametrize(
    ("new", "failure"),
    [
        (new_user("INES"), Conflict),
        (new_user("Deleted-7"), Conflict),
        (new_user("otto", "Password1"), Invalid),
        (new_user("otto", "Otto"), Invalid),
    ],
)
async def test_refused_registration_stores_nobody(new: NewUser, failure: type[Exception]) -> None:
    ines = standing(1, "ines")
    accounts = Accounts(ines)
    with pytest.raises(failure):
        await accounts.service.register(new, ADDRESS)
    assert accounts.store.standings == {1: ines}


@pytest.mark.parametrize(
    ("username", "name", "pointer"),
    [
        ("otto", "INES", "/name"), ("otto", "I n\u0435s", "/name"), ("1nes", "Otto", "/username"),
    ],
)  # fmt: skip
async def test_names_like_those_of_staff_are_refused(
    username: str, name: str, pointer: str
) -> None:
    ines = standing(1, "ines", role="moderator")
    accounts = Accounts(ines)
    with pytest.raises(Invalid) as refused:
        await accounts.service.register(NewUser(username, PASSWORD, name, "", None), ADDRESS)
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert accounts.store.standings == {1: ines}


async def test_weak_password_is_refused_wherever_one_is_set() -> None:
    accounts = Accounts(standing(1, "ines"))
    accounts.passwords.weak.add(NEW_PASSWORD)
    token = await accounts.sign_in("ines")
    with pytest.raises(Invalid, match="weak"):
        await accounts.service.register(NewUser("otto", NEW_PASSWORD, "Otto", "", None), ADDRESS)
    with pytest.raises(Invalid, match="weak"):
        await accounts.service.change_password(token, PASSWORD, NEW_PASSWORD, ADDRESS)


async def test_nobody_registers_from_an_address_above_its_limit() -> None:
    accounts = Accounts()
    accounts.store.closed = True
    with pytest.raises(TooManyRequests):
        await accounts.service.register(NewUser("otto", PASSWORD, "Otto", "", None), ADDRESS)
    assert accounts.store.standings == {}


async def test_session_token_identifies_its_user_until_sign_out() -> None:
    accounts = Accounts(standing(1, "ines", "moderator"))
    token = await accounts.sign_in("Ines")
    assert await accounts.service.authenticate(token) == Actor(1, "moderator")
    await accounts.service.sign_out(token)
    with pytest.raises(Unauthenticated):
        await accounts.service.authenticate(token)


def readings(stored: bytes) -> list[str]:
    """Values that somebody who has read the database could try as a token."""
    return [stored.hex(), stored.decode(errors="replace")]


async def test_stored_session_hash_cannot_be_used_as_a_token() -> None:
    accounts = Accounts(standing(1, "ines"))
    await accounts.sign_in("ines")
    [stored] = accounts.store.callers
    for reading in readings(stored):
        with pytest.raises(Unauthenticated):
            await accounts.service.authenticate(reading)


async def test_stored_reset_hash_cannot_be_used_as_a_token() -> None:
    accounts = Accounts(standing(1, "ines"))
    accounts.store.links[tokens.hashed("link")] = 1
    [stored] = accounts.store.links
    for reading in readings(stored):
        with pytest.raises(NotFound):
            await accounts.service.reset_password(reading, NEW_PASSWORD)


async def test_unknown_name_and_wrong_password_fail_alike_after_the_same_work() -> None:
    accounts = Accounts(standing(1, "ines"))
    failures = []
    for username in ("ines", "nobody"):
        with pytest.raises(Unauthenticated) as failure:
            await accounts.sign_in(username, "a wrong guess")
        failures.append(failure.value.detail)
    assert failures[0] == failures[1]
    assert [password for password, _ in accounts.passwords.verified] == ["a wrong guess"] * 2
    assert accounts.attempts.ended == [False, False]


async def test_exhausted_attempts_refuse_the_right_password_without_checking_it() -> None:
    accounts = Accounts(standing(1, "ines"))
    accounts.attempts.full = True
    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ines")
    assert accounts.passwords.verified == []


async def test_password_changed_during_sign_in_starts_no_session() -> None:
    accounts = Accounts(standing(1, "ines"))

    class ChangedMeanwhile(FakePasswords):
        async def verify(self, password: str, kept: str | None) -> bool:
            changed = replace(accounts.store.standings[1], password_hash="(another)")
            accounts.store.standings[1] = changed
            return await super().verify(password, kept)

    service = UserService(
        accounts.store, accounts.attempts, ChangedMeanwhile(), frozenset(), noon, LIMITS
    )
    with pytest.raises(Unauthenticated):
        await service.sign_in("ines", PASSWORD, ADDRESS, None)
    assert accounts.store.callers == {}


async def test_banned_user_sees_own_data_but_cannot_write() -> None:
    banned = replace(standing(1, "ines"), ban=Ban("Sold kettles.", None))
    accounts = Accounts(banned)
    token = await accounts.sign_in("ines")
    assert await accounts.service.me(token) == Account(banned.user, banned.ban)
    with pytest.raises(Banned, match="Sold kettles"):
        await accounts.service.authenticate(token)
    with pytest.raises(Banned):
        await accounts.service.edit(token, {"bio": "Free kettles"}, lambda _: None)
    await accounts.service.leave(token, PASSWORD, ADDRESS)
    assert accounts.store.standings == {}


async def test_changed_password_ends_every_other_session() -> None:
    accounts = Accounts(standing(1, "ines"))
    here, elsewhere = await accounts.sign_in("ines"), await accounts.sign_in("ines")
    await accounts.service.change_password(here, PASSWORD, NEW_PASSWORD, ADDRESS)
    assert await accounts.service.authenticate(here) == Actor(1, "member")
    with pytest.raises(Unauthenticated):
        await accounts.service.authenticate(elsewhere)


async def test_wrong_own_password_changes_nothing() -> None:
    ines = standing(1, "ines")
    accounts = Accounts(ines)
    token = await accounts.sign_in("ines")
    with pytest.raises(Forbidden):
        await accounts.service.change_password(token, "a wrong guess", NEW_PASSWORD, ADDRESS)
    with pytest.raises(Forbidden):
        await accounts.service.leave(token, "a wrong guess", ADDRESS)
    assert accounts.store.standings == {1: ines}


async def test_log_says_who_must_be_deleted_again_after_a_restore(
    caplog: pytest.LogCaptureFixture,
) -> None:
    accounts = Accounts(standing(17, "ines"))
    token = await accounts.sign_in("ines")
    with caplog.at_level(logging.INFO, "board.users"):
        with pytest.raises(Forbidden):
            await accounts.service.leave(token, "a wrong guess", ADDRESS)
        await accounts.service.leave(token, PASSWORD, ADDRESS)
    assert caplog.messages == ["user 17 has deleted their account"]


@pytest.mark.parametrize(("other_admins", "may_leave"), [(0, False), (1, True)])
async def test_last_admin_cannot_leave(other_admins: int, may_leave: bool) -> None:
    accounts = Accounts(standing(1, "ines", "admin", other_admins))
    token = await accounts.sign_in("ines")
    if may_leave:
        await accounts.service.leave(token, PASSWORD, ADDRESS)
    else:
        with pytest.raises(Conflict):
            await accounts.service.leave(token, PASSWORD, ADDRESS)
    assert (1 in accounts.store.standings) is not may_leave


async def test_reset_link_sets_a_password_and_ends_every_session() -> None:
    accounts = Accounts(standing(1, "ines"))
    token = await accounts.sign_in("ines")
    accounts.store.links[tokens.hashed("link")] = 1
    with pytest.raises(Invalid):
        await accounts.service.reset_password("link", "password1")
    await accounts.service.reset_password("link", NEW_PASSWORD)
    assert accounts.store.cleared == [1]
    with pytest.raises(Unauthenticated):
        await accounts.service.authenticate(token)
    assert await accounts.sign_in("ines", NEW_PASSWORD)


async def test_unknown_reset_link_is_not_found() -> None:
    with pytest.raises(NotFound):
        await Accounts(standing(1, "ines")).service.reset_password("link", NEW_PASSWORD)
