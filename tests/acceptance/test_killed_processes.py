"""An acknowledged write survives when any process is killed."""

import os
import signal

import httpx
import pytest

from tests.children import child_running
from tests.deployments import Run
from tests.eventually import eventually
from tests.people import Person, joining

VICTIMS = [
    ("services_run", "services.posts.main"),
    ("services_run", "services.threads.main"),
    ("services_run", "bin/postgres -D"),
    ("monolith_run", "monolith.main"),
    ("monolith_run", "bin/postgres -D"),
]


@pytest.mark.twice  # `SHORT=1 make chaos`, a step of .ci/run, kills processes under load
@pytest.mark.timeout(90)
@pytest.mark.parametrize(("run", "victim"), VICTIMS)
async def test_counts_are_correct_again_after_a_killed_process(
    run: str, victim: str, request: pytest.FixtureRequest
) -> None:
    found: Run = request.getfixturevalue(run)
    async with joining(found.board) as person:
        thread = (await person.start_thread("Power cuts"))["id"]
        posts = [await person.write(thread, f"Post {number}") for number in range(5)]
        os.kill(child_running(found.process.pid, victim), signal.SIGKILL)

        async def right() -> bool:
            return await _shows(person, thread, posts[-1]["createdAt"], [p["id"] for p in posts])

        await eventually(right, within=30)

        async def writable() -> bool:
            body = {"thread": thread, "text": "And on it goes"}
            return (await person.http.post("/api/posts", json=body)).status_code == 201

        await eventually(writable, within=30)


async def _shows(person: Person, thread: int, last_post_at: str, ids: list[int]) -> bool:
    try:
        posts = await person.http.get(f"/api/posts/in-thread/{thread}")
        shown = await person.http.get(f"/api/threads/{thread}")
    except httpx.TransportError:
        return False
    if (posts.status_code, shown.status_code) != (200, 200):
        return False
    # A wrong list of posts would not correct itself, so there is no need to wait.
    assert [post["id"] for post in posts.json()] == ids
    return (shown.json()["postCount"], shown.json()["lastPostAt"]) == (len(ids), last_post_at)
