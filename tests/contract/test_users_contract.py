"""`kernel.contracts.Users`: the same answers and the same failures in process and over HTTP."""

import pytest

from board.grant_admin import grant_admin
from kernel.contracts import Actor
from kernel.errors import Banned, Unauthenticated
from services.users.model import Ban
from tests.contract.conftest import FORMS, UsersContract
from tests.people import PASSWORD

pytestmark = pytest.mark.parametrize("form", FORMS)


async def test_token_identifies_its_user(users: UsersContract, form: str) -> None:
    user, token = await users.token()
    assert await users.forms[form].authenticate(token) == Actor(user, "member")


@pytest.mark.parametrize("token", ["", "nobody's", "x" * 5000, "né", "\0"])
async def test_invalid_token_is_unauthenticated(
    users: UsersContract, form: str, token: str
) -> None:
    with pytest.raises(Unauthenticated):
        await users.forms[form].authenticate(token)


async def test_a_session_that_was_ended_is_unauthenticated(users: UsersContract, form: str) -> None:
    _, token = await users.token()
    await users.service.sign_out(token)
    with pytest.raises(Unauthenticated) as failure:
        await users.forms[form].authenticate(token)
    assert failure.value.detail == "This session has ended. Sign in again."


async def test_banned_user_gets_the_reason(users: UsersContract, form: str) -> None:
    admin, admins_token = await users.token()
    await grant_admin(users.database_url, (await users.service.find(admin)).username)
    user, _ = await users.token()
    ban = Ban("Sold kettles in every thread.", None)
    await users.moderation.ban(admins_token, user, ban)
    name = (await users.service.find(user)).username
    token = (await users.service.sign_in(name, PASSWORD, "127.0.0.1", None)).token
    with pytest.raises(Banned) as failure:
        await users.forms[form].authenticate(token)
    assert "Sold kettles in every thread." in failure.value.detail
