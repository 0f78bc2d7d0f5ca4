"""Bodies that could grow, for every operation of the API documents: the size of the answer, and the
memory for it, stay in proportion to the body."""

import tracemalloc

import httpx
import pytest

from tests.conventions import DOCUMENTS
from tests.effort import Effort
from tests.growing_bodies import LARGE, shapes, shapes_of_fields, writes
from tests.people import Person

pytestmark = pytest.mark.one_deployment

MEBIBYTE = 1024 * 1024


def answer_bound(sent: int) -> int:
    """The most bytes that the answer to a request of this many bytes may have."""
    return 12 * sent + 128 * 1024


async def send(person: Person, method: str, path: str, body: bytes) -> httpx.Response:
    """One request with that body, which a browser's page could not have sent."""
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    return await person.http.request(method, path, content=body, headers=headers)


@pytest.mark.prove
@pytest.mark.timeout(3_600)
async def test_answers_and_memory_stay_in_proportion_to_bodies(
    newcomer: Person, effort: Effort
) -> None:
    thread = (await newcomer.start_thread())["id"]
    post = (await newcomer.write(thread))["id"]
    found = [
        write for path in DOCUMENTS for write in writes((await newcomer.http.get(path)).json())
    ]
    assert len(found) > 15
    tracemalloc.start()
    try:
        for write in found:
            path = write.path.format(id=post if "/posts" in write.path else thread)
            sizes = [*effort.body_sizes, 500_000] if write.path in LARGE else effort.body_sizes
            # All operations do the same with a body without any of their fields: two show it.
            shows = effort.every_shape or write.path in {found[0].path, "/api/posts"}
            of_write = shapes if shows else shapes_of_fields
            for size in sizes:
                for body in of_write(write.fields, size):
                    await check(newcomer, write.method, path, body)
    finally:
        tracemalloc.stop()


async def check(person: Person, method: str, path: str, body: bytes) -> None:
    """Send one, and fail if it costs too much."""
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    response = await send(person, method, path, body)
    _, peak = tracemalloc.get_traced_memory()
    what = f"{method} {path} {body[:40]!r} of {len(body)}: {response.status_code}"
    assert response.status_code < 500, what
    assert len(response.content) <= answer_bound(len(body)), what
    assert peak - before <= 64 * MEBIBYTE, f"{what}, {peak - before} bytes of memory"
