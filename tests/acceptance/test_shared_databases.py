"""The monolith and the services use the same databases at the same time."""

import asyncio

from tests.deployments import Board
from tests.eventually import eventually
from tests.pages import every_page
from tests.people import joining, visiting


async def test_session_is_shared_by_both_deployments(monolith: Board, services: Board) -> None:
    for here, there in ((monolith, services), (services, monolith)):
        async with joining(here) as person, visiting(there) as elsewhere:
            elsewhere.headers["Authorization"] = person.http.headers["Authorization"]
            me = await elsewhere.get("/api/users/me")
            assert (me.status_code, me.json()["id"]) == (200, person.id)
            thread = await elsewhere.post("/api/threads", json={"title": "Seen from elsewhere"})
            assert thread.json()["createdBy"] == person.id
            assert (await person.http.delete("/api/sessions/current")).status_code == 204

            async def ended(http=elsewhere) -> bool:  # type: ignore[no-untyped-def]
                answer = await http.post("/api/threads", json={"title": "Too late"})
                return bool(answer.status_code == 401)

            await eventually(ended)


async def test_thread_written_by_both_deployments_counts_every_post(
    monolith: Board, services: Board
) -> None:
    each, writers = 10, 4
    async with joining(monolith) as one, joining(services) as other:
        thread = (await one.start_thread("A hot one"))["id"]

        async def write() -> list[int]:
            written = []
            for number in range(each):
                person = one if number % 2 else other
                written.append((await person.write(thread, f"Post {number}"))["id"])
            return written

        async def follow() -> list[int]:
            """Read on from the last post, as an open page does, until all posts were read."""
            seen: list[int] = []
            path = f"/api/posts/in-thread/{thread}?limit=7"

            async def all_seen() -> bool:
                seen.clear()
                async for page in every_page(one.http, path):
                    seen.extend(post["id"] for post in page)
                assert seen == sorted(set(seen))
                return len(seen) == each * writers

            await eventually(all_seen, within=20)
            return seen

        *written, followed = await asyncio.gather(*(write() for _ in range(writers)), follow())
        assert followed == sorted(post for some in written for post in some)
        last = await one.http.get(f"/api/posts/{followed[-1]}")

        async def counted() -> bool:
            shown = (await other.http.get(f"/api/threads/{thread}")).json()
            wanted = (each * writers, last.json()["createdAt"])
            return (shown["postCount"], shown["lastPostAt"]) >= wanted

        await eventually(counted)
        shown = (await one.http.get(f"/api/threads/{thread}")).json()
        assert shown["postCount"] == each * writers
