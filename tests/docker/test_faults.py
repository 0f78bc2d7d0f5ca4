"""Readers and writers while containers are stopped, killed, paused and scaled."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import pytest
import pytest_asyncio
from docker.models.containers import Container

from tests.docker.load import Load, load
from tests.docker.project import Project
from tests.eventually import eventually
from topology.contexts import CONTEXT_NAMES

pytestmark = pytest.mark.timeout(600)

HEALTH_CHECKS = 2 * 5 + 2
"""Seconds until the gateway has noticed a hanging target: two checks, 5 s apart, with timeouts of
2 s."""


@pytest_asyncio.fixture(scope="module", autouse=True)
async def two_of_each(services: Project) -> None:
    """The services with two containers each, all of which get requests."""
    await _scale(services, posts=2)


async def _scale(project: Project, posts: int) -> None:
    replicas = dict.fromkeys(CONTEXT_NAMES, 2) | {"posts": posts}
    wanted = [f"--scale={name}={count}" for name, count in replicas.items()]
    await asyncio.to_thread(project.up, "--no-recreate", *wanted)


async def _is_healthy(container: Container) -> bool:
    await asyncio.to_thread(container.reload)
    return bool(container.health == "healthy")


def _name(container: Container) -> str:
    service = str(container.labels["com.docker.compose.service"])
    return f"{service}/{str(container.id)[:12]}"


async def _gets_requests(load: Load, container: Container, within: float = 120) -> None:
    before = load.served_by.get(_name(container), 0)

    async def more() -> bool:
        return load.served_by.get(_name(container), 0) > before

    await eventually(more, within)


async def test_a_restart_of_one_of_two_fails_no_request(services: Project) -> None:
    restarted, _ = services.containers("posts")
    async with load(services.url) as people:
        await people.until(50)
        await asyncio.to_thread(restarted.restart, timeout=30)
        await _gets_requests(people, restarted)
    assert people.failures == []


async def test_a_rolling_restart_of_every_service_fails_no_request(services: Project) -> None:
    pairs = [services.containers(context) for context in CONTEXT_NAMES]
    async with load(services.url) as people:
        await people.until(50)
        for turn in range(2):
            these = [pair[turn] for pair in pairs]
            await asyncio.gather(*(asyncio.to_thread(c.restart, timeout=30) for c in these))
            for container in these:
                await _gets_requests(people, container)
            for container in these:
                await eventually(partial(_is_healthy, container), within=120)
    assert people.failures == []


async def test_scaling_up_spreads_the_load_and_scaling_down_drains(services: Project) -> None:
    async with load(services.url) as people:
        await _scale(services, posts=3)
        for container in services.containers("posts"):
            await _gets_requests(people, container)
        await _scale(services, posts=2)
        assert len(services.containers("posts")) == 2
        await people.until(50)
    assert people.failures == []


async def test_killed_container_causes_errors_for_seconds_and_loses_no_write(
    services: Project, record_testsuite_property: Callable[[str, object], None]
) -> None:
    killed, left = services.containers("posts")
    async with load(services.url) as people:
        await people.until(50)
        began = time.monotonic()
        await asyncio.to_thread(killed.kill)
        missed = await people.recovered(began)
        record_testsuite_property("seconds of failures after a kill", missed)
        settled = time.monotonic()
        await _gets_requests(people, left)
        await people.until(50)
        assert people.failed_since(settled) == []
        await asyncio.to_thread(killed.start)
        await _gets_requests(people, killed)
        assert people.failed_since(settled) == []
    assert {failure.status for failure in people.failures} <= {502, 503, 504}


async def test_paused_container_gets_no_requests_until_it_answers_again(services: Project) -> None:
    paused, left = services.containers("threads")
    async with load(services.url, readers=6) as people:
        await people.until(50)
        await asyncio.to_thread(paused.pause)
        try:
            await asyncio.sleep(HEALTH_CHECKS)
            # Requests that the paused container has received still wait; all others are served.
            await _gets_requests(people, left)
        finally:
            await asyncio.to_thread(paused.unpause)
        await _gets_requests(people, paused)
        settled = time.monotonic()
        await people.until(50)
        assert people.failed_since(settled) == []


async def test_killed_database_loses_no_acknowledged_write(services: Project) -> None:
    async with load(services.url) as people:
        await people.until(50)
        database = services.container("postgres")
        await asyncio.to_thread(database.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(database.start)
        confirmed = len(people.written)

        async def confirmed_more() -> bool:
            return len(people.written) > confirmed + 5

        await eventually(confirmed_more, within=120)
        # The other container of each service may still wait for the database.
        await people.recovered(time.monotonic())
    assert {failure.status for failure in people.failures} <= {503}
