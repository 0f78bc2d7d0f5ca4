"""What the processes log about their requests."""

import asyncio

import pytest

from tests.deployments import Board, Run
from tests.eventually import eventually
from tests.logged_secrets import logged_secrets
from tests.people import PASSWORD, Person, joining, joining_as
from tests.raw import send


@pytest.mark.parametrize(
    "run",
    [
        # The monolith in a container passes `test_no_secret_of_any_test_is_in_the_logs`.
        pytest.param("monolith_run", marks=pytest.mark.twice),
        "services_run",
    ],
)
async def test_no_token_password_or_forged_line_is_in_the_log(
    run: str, request: pytest.FixtureRequest
) -> None:
    found: Run = request.getfixturevalue(run)
    async with joining(found.board) as person, joining_as(found.board, "admin") as admin:
        reset = await admin.http.post(f"/api/users/{person.id}/password-reset")
        reset_token = reset.json()["link"].partition("#")[2]
        old_path = f"/api/users/password-resets/{reset_token}"
        assert (await admin.http.post(old_path, json={"password": "x"})).status_code == 410
        assert (await admin.http.get(old_path)).status_code in {404, 405}
        wrong = {"token": "x" + reset_token, "password": PASSWORD}
        assert (await admin.http.post("/api/users/password-resets", json=wrong)).status_code == 404
        thread = (await person.start_thread())["id"]
        await person.write(thread)
        cookie = {"Cookie": f"__Host-session={person.token}", "X-Request-ID": "the-last-one"}
        await send(found.board.url, "GET /api/threads/7%0AFORGED%20LINE HTTP/1.1")
        assert (await person.http.get("/api/users/me", headers=cookie)).status_code == 200

        async def logged() -> bool:
            # Two processes, each of which writes its lines in its own batches.
            log = await asyncio.to_thread(found.log.read_text)
            return "the-last-one" in log and "FORGED LINE" in log

        await eventually(logged)
    log = await asyncio.to_thread(found.log.read_text)
    assert not [secret for secret in (person.token, admin.token, reset_token) if secret in log]
    assert PASSWORD not in log
    assert not [line for line in log.splitlines() if line.startswith("FORGED")]


@pytest.mark.last
async def test_no_secret_of_any_test_is_in_the_logs(board: Board, newcomer: Person) -> None:
    async with joining_as(board, "admin") as admin:
        reset = await admin.http.post(f"/api/users/{newcomer.id}/password-reset")
    token = reset.json()["link"].partition("#")[2]
    assert board.secrets.found_in(f"{PASSWORD} {newcomer.token} {token}") == {
        PASSWORD, newcomer.token, token
    }  # fmt: skip
    assert await logged_secrets(board) == set()
