"""A banned user reads why and until when; moderators see whether somebody is banned."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.people import PASSWORD, Person, sign_in
from tests.problems import slug

pytestmark = pytest.mark.in_loop

NEXT_YEAR = (datetime.now(UTC) + timedelta(days=365)).isoformat(timespec="milliseconds")
UNTIL = NEXT_YEAR.replace("+00:00", "Z")


@pytest.mark.parametrize("until", [None, UNTIL], ids=["for good", "for a year"])
async def test_banned_user_reads_the_reason_and_the_end(
    visitor: httpx.AsyncClient, moderator: Person, newcomer: Person, until: str | None
) -> None:
    assert (await newcomer.http.get("/api/users/me")).json()["ban"] is None
    ban = {"reason": "Sells watches", "until": until}
    path = f"/api/users/{newcomer.id}/ban"
    assert (await moderator.http.put(path, json=ban)).status_code == 204
    who = {"username": newcomer.username, "password": PASSWORD}
    session = (await visitor.post("/api/sessions", json=who)).json()
    assert session["user"]["ban"] == ban
    headers = {"Authorization": f"Bearer {session['token']}"}
    assert (await visitor.get("/api/users/me", headers=headers)).json() == session["user"]
    assert (await moderator.http.delete(path)).status_code == 204
    assert (await visitor.get("/api/users/me", headers=headers)).json()["ban"] is None


async def test_moderators_see_whether_a_user_is_banned(
    visitor: httpx.AsyncClient, moderator: Person, person: Person, newcomer: Person
) -> None:
    path = f"/api/users/{newcomer.id}/ban"
    ban: dict[str, Any] = {"reason": "Sells watches", "until": None}

    async def shown() -> Any:
        response = await moderator.http.get(path)
        assert response.headers["cache-control"] == "private, no-store"
        return response.json()

    assert await shown() == {"ban": None}
    await moderator.http.put(path, json=ban)
    assert await shown() == {"ban": ban}
    for who, status in ((person.http, 403), (visitor, 401)):
        assert (await who.get(path)).status_code == status
    banned = await visitor.get(path, headers=await sign_in(visitor, newcomer.username))
    assert (banned.status_code, slug(banned)) == (403, "banned")
    await moderator.http.delete(path)
    assert await shown() == {"ban": None}
    assert (await moderator.http.get(f"/api/users/{2**63 - 1}/ban")).status_code == 404
