"""A board's whole life, with every command interrupted after each change that it makes, and run
again until it ends by itself: `make rehearse-all`.

The steps are found by watching the commands' requests to AWS, so a new one is interrupted, too."""

import asyncio
import re
from collections.abc import Iterator
from functools import partial

import pytest

from tests.docker.load import load
from tests.rehearsal.interruptions import Interruptions, interruptions
from tests.rehearsal.stage import PROJECT, VERSIONS, Stage, served_by, what_exists
from topology.deployments import SERVICES

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1500)]

FIRST, SECOND, _ = VERSIONS


@pytest.fixture(scope="module")
def interrupted(aws: Stage) -> Iterator[Interruptions]:
    """Interrupts commands; they go on with what the tests before have left."""
    with interruptions(aws) as found:
        yield found


def test_interrupted_push_pushes_every_image(aws: Stage, interrupted: Interruptions) -> None:
    steps = interrupted.run(aws, "push-ecr")
    assert f"CreateStack {PROJECT}-registry" in steps
    assert "pushing" not in aws.make("push-ecr")


def test_interrupted_first_deploy_creates_the_whole_board(
    aws: Stage, interrupted: Interruptions
) -> None:
    steps = interrupted.run(aws, "deploy-ecs")
    for part in ("network", "data", "cluster", "routing", "operator", "workflow", *SERVICES):
        assert f"CreateStack {PROJECT}-{part}" in steps
    assert any(step.startswith("RunTask") for step in steps)
    _nothing_is_left_to_do(aws)


async def test_interrupted_update_under_load_loses_no_request(
    aws: Stage, interrupted: Interruptions
) -> None:
    await asyncio.to_thread(partial(aws.make, "push-ecr", REVISION=SECOND))
    async with load(aws.gateway, readers=1, writers=1, pause=0.1) as people:
        for deployment in ("strangler", "microservices"):
            update = partial(
                interrupted.run, aws, "deploy-ecs", REVISION=SECOND, DEPLOYMENT=deployment
            )
            steps = await asyncio.to_thread(update)
            assert f"{PROJECT}-monolith" in " ".join(steps)
    assert people.failures == []
    assert people.requests > 100
    await asyncio.to_thread(_nothing_is_left_to_do, aws, SECOND)


def test_interrupted_pause_and_resume_lose_nothing(aws: Stage, interrupted: Interruptions) -> None:
    before = {thread["id"] for thread in aws.get("/api/threads?limit=100").json()}
    assert before
    steps = interrupted.run(aws, "pause-ecs")
    assert {f"UpdateStack {PROJECT}-{part}" for part in ("routing", "network", "web")} <= {*steps}
    aws.wait_until_stopped()
    steps = interrupted.run(aws, "resume-ecs")
    assert {f"UpdateStack {PROJECT}-{part}" for part in ("routing", "network", "web")} <= {*steps}
    assert {thread["id"] for thread in aws.get("/api/threads?limit=100").json()} >= before
    _nothing_is_left_to_do(aws, SECOND)


def test_interrupted_destroy_leaves_nothing(aws: Stage, interrupted: Interruptions) -> None:
    steps = interrupted.run(aws, "destroy-ecs", CONFIRM=PROJECT)
    for part in ("registry", "network", "data", "cluster", "routing", "operator", *SERVICES):
        assert f"{PROJECT}-{part}" in " ".join(steps)
    assert what_exists(aws) == []


def _nothing_is_left_to_do(aws: Stage, revision: str = FIRST) -> None:
    """A deploy that is not interrupted changes no stack, and each service answers."""
    said = aws.make("deploy-ecs", REVISION=revision)
    done = re.findall(rf"^ *{PROJECT}-([\w-]+): (.*)$", said, re.MULTILINE)
    assert len(done) > len(SERVICES)
    assert {what for _, what in done} == {"unchanged"}
    assert {process.split("/")[0] for process in served_by(said).values()} == set(SERVICES)
