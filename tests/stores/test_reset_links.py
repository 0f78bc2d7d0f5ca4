"""How long a link for a new password works."""

import secrets
from datetime import datetime, timedelta

from kernel.data.database import Database
from kernel.errors import Policy
from services.users.model import RESET_LIFETIME, NewUser, ResetLink
from services.users.store import UserStore
from tests.people import new_username
from tests.unit.fakes import NOON

MOMENT = timedelta(milliseconds=1)
NO_LIMIT = Policy("registration", 0, 3_600)


class Links:
    """The links of a new user, which a new admin makes."""

    def __init__(self, database: Database, user: int, admin: int) -> None:
        self.store = UserStore(database)
        self.user = user
        self.admin = admin

    @classmethod
    async def register(cls, database: Database) -> "Links":
        name = new_username()
        new = NewUser(name, "", name, "", None)
        user = await UserStore(database).add(new, "(hash)", "192.0.2.1", NOON, NO_LIMIT)
        assert user is not None
        return cls(database, user.id, await cls._new_admin(database))

    @staticmethod
    async def _new_admin(database: Database) -> int:
        name = new_username()
        new = NewUser(name, "", name, "", None)
        admin = await UserStore(database).add(new, "(hash)", "192.0.2.1", NOON, NO_LIMIT)
        assert admin is not None
        async with UserStore(database).user_for_update(admin.id, NOON) as locked:
            assert locked is not None
            await locked.set_role("admin")
        return admin.id

    async def issue(self, now: datetime) -> bytes:
        """The hash of a new link's token."""
        token_hash = secrets.token_bytes(32)
        async with self.store.user_for_update(self.user, now) as locked:
            assert locked is not None
            await locked.store_reset_link(
                ResetLink("", now + RESET_LIFETIME), token_hash, self.admin
            )
        return token_hash

    async def works(self, link: bytes, now: datetime) -> bool:
        """Whether the link is accepted, both when it is looked up and when it is used up."""
        owner = await self.store.owner_of_reset(link, now)
        async with self.store.user_for_update(self.user, now) as locked:
            assert locked is not None
            accepted = await locked.has_reset_link(link)
        assert accepted == (owner is not None)
        return accepted


async def test_reset_link_works_for_24_hours(users_database: Database) -> None:
    links = await Links.register(users_database)
    link = await links.issue(NOON)
    assert timedelta(hours=24) == RESET_LIFETIME
    assert await links.works(link, NOON + RESET_LIFETIME - MOMENT)
    assert not await links.works(link, NOON + RESET_LIFETIME)


async def test_newer_reset_link_replaces_the_older(users_database: Database) -> None:
    links = await Links.register(users_database)
    older = await links.issue(NOON)
    newer = await links.issue(NOON + MOMENT)
    assert not await links.works(older, NOON + MOMENT)
    assert await links.works(newer, NOON + RESET_LIFETIME)


async def test_new_password_uses_the_link_up(users_database: Database) -> None:
    links = await Links.register(users_database)
    link = await links.issue(NOON)
    async with links.store.user_for_update(links.user, NOON) as locked:
        assert locked is not None
        await locked.set_password("(another)")
    assert not await links.works(link, NOON)


async def test_reset_link_of_another_user_is_not_accepted(users_database: Database) -> None:
    links, other = await Links.register(users_database), await Links.register(users_database)
    link = await links.issue(NOON)
    async with other.store.user_for_update(other.user, NOON) as locked:
        assert locked is not None
        assert not await locked.has_reset_link(link)
