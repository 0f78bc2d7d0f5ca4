"""From a clone to a URL and back to nothing, with the commands that a person would use."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from typing import Any

import httpx
import pytest
from docker.models.containers import Container

from deploy.checks.smoke import PATHS
from deploy.errors import CannotDeployError
from deploy.lock import LEASE_SECONDS, Holder, Lock
from deploy.self_pause import TARGET
from tests.docker.load import load
from tests.eventually import eventually, eventually_blocking
from tests.rehearsal.address_service import address_service
from tests.rehearsal.emulator import ROOT
from tests.rehearsal.stage import (
    DOMAIN,
    PROJECT,
    VERSIONS,
    Stage,
    parameters,
    served_by,
    show,
    what_exists,
)
from topology.deployments import DEPLOYED_IMAGES, SERVICES

pytestmark = pytest.mark.timeout(600)

FIRST, SECOND, BROKEN = VERSIONS
LEAST_REQUESTS = 5000
PAUSE = 0.05
"""Seconds between a client's requests. Without a pause they would take the processor from tasks
that are starting, and calls between services would time out."""
TOKENS = {"POSTS_SERVICE_TOKEN", "THREADS_SERVICE_TOKEN", "USERS_SERVICE_TOKEN"}


def test_images_are_pushed_once_each_with_a_bill_of_materials(aws: Stage) -> None:
    aws.make("push-ecr")
    for stage in DEPLOYED_IMAGES:
        assert _has(aws, stage, FIRST)
        bill = json.loads((ROOT / f"build/sbom/{stage}-{FIRST}.cdx.json").read_text())
        kinds = {component["purl"].split("/")[0] for component in bill["components"]}
        assert kinds == {"pkg:pypi", "pkg:deb"}
    repositories = aws.aws.ecr.describe_repositories()["repositories"]
    assert {one.get("repositoryName") for one in repositories} == {
        f"{PROJECT}/{stage}" for stage in DEPLOYED_IMAGES
    }
    assert {one.get("imageTagMutability") for one in repositories} == {"IMMUTABLE"}


def test_existing_images_are_not_pushed_again(aws: Stage) -> None:
    said = aws.make("push-ecr")
    assert said.count("exists already") == len(DEPLOYED_IMAGES)
    assert "pushing" not in said
    assert "Building" not in said


def test_missing_image_is_named_before_anything_is_created(aws: Stage) -> None:
    said = aws.make("deploy-ecs", fails=True, REVISION="ffffffffffff")
    names = ", ".join([*SERVICES, "board"])
    assert f"no image of {names} at revision ffffffffffff" in said
    assert _stacks(aws) == {f"{PROJECT}-registry"}


def test_second_command_is_refused_while_the_first_works(aws: Stage) -> None:
    other = Holder("make deploy", "elsewhere", 1, "their token")
    lock = Lock(aws.aws, PROJECT, other, {}, time.time, lambda _: True)
    with lock.held(show):
        said = aws.make("deploy-ecs", fails=True)
    assert "`make deploy` (process 1 on elsewhere) works on this project" in said


def test_expired_lock_is_taken_over_by_one_of_two_commands(aws: Stage) -> None:
    def lock(command: str, now: float) -> Lock:
        return Lock(aws.aws, PROJECT, Holder(command, command, 1, command), {}, lambda: now, bool)

    lock("killed", time.time() - 2 * LEASE_SECONDS).acquire(show)
    first, second = lock("first", time.time()), lock("second", time.time())
    first.acquire(show)
    with pytest.raises(CannotDeployError, match="`first`"):
        second.acquire(show)
    second.release()
    first.release()
    with second.held(show):
        pass


def test_stack_whose_creation_failed_is_created_again(aws: Stage) -> None:
    topic = {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": {}}
    aws.aws.cloudformation.create_stack(
        StackName=f"{PROJECT}-network",
        TemplateBody=json.dumps({"Resources": {"Broken": topic}}),
        Tags=[{"Key": "Project", "Value": PROJECT}],
    )
    eventually_blocking(
        lambda: _state(aws, "network") == "ROLLBACK_COMPLETE", within=30, what="the rollback"
    )
    said = _interrupted(aws, "deploy-ecs", after=f"{PROJECT}-data: creating it")
    assert "network: ROLLBACK_COMPLETE since an earlier run; deleting what is left" in said
    assert "Interrupted" in said


def test_interrupted_deploy_continues(aws: Stage) -> None:
    said = aws.make("deploy-ecs")
    assert f"{PROJECT}-network: unchanged" in said
    assert f"The board is up: {aws.public_origin()}" in said
    assert {process.split("/")[0] for process in served_by(said).values()} == set(SERVICES)
    for service in SERVICES:
        assert len(aws.tasks(service)) == 1
    assert _stacks(aws) >= {f"{PROJECT}-{name}" for name in (*SERVICES, "routing", "operator")}


def test_each_task_knows_its_own_secrets_and_no_other(aws: Stage) -> None:
    known = {}
    for service in SERVICES:
        (task,) = aws.tasks(service)
        known[service] = set(_secrets(task))
    assert known == {
        "users": {"USERS_DATABASE_PASSWORD", "USERS_SERVICE_TOKEN"},
        "threads": {"THREADS_DATABASE_PASSWORD", "THREADS_SERVICE_TOKEN", "USERS_SERVICE_TOKEN"},
        "posts": {"POSTS_DATABASE_PASSWORD", *TOKENS},
        "cases": {"CASES_DATABASE_PASSWORD", *TOKENS},
        "web": set(TOKENS),
    }


def _secrets(task: Container) -> dict[str, str]:
    """The secrets in a task's environment, by name."""
    environment = dict(entry.split("=", 1) for entry in task.attrs["Config"]["Env"])
    return {
        name: value
        for name, value in environment.items()
        if re.search("PASSWORD|SERVICE_TOKEN", name)
    }


def test_the_status_names_services_targets_the_url_and_what_costs_money(aws: Stage) -> None:
    said = aws.make("status-ecs")
    for service in SERVICES:
        assert re.search(rf"^{service} +{FIRST} +1 of 1 +completed$", said, re.MULTILINE)
    assert re.search(r"^UsersTargets +\S+:8000 +healthy$", said, re.MULTILINE)
    assert re.search(r"^2 +load balancers +32\.86", said, re.MULTILINE)
    assert f"It answers at {aws.public_origin()}" in said


def test_the_board_passes_the_acceptance_tests_through_the_emulated_load_balancer(
    aws: Stage,
) -> None:
    tasks = [task for service in SERVICES for task in aws.tasks(service)]
    under_test = {
        "url": aws.balancer,
        "public_origin": aws.public_origin(),
        "databases": aws.database_urls(),
        "secrets": sorted({secret for task in tasks for secret in _secrets(task).values()}),
        "logs": {
            "commands": [["docker", "logs", task.id] for task in tasks],
            "lines": 1,  # the load balancer's log is elsewhere
            "environment": {},
        },
    }
    command = [sys.executable, "-m", "pytest", "tests/acceptance", "--quiet"]
    command += ["-p", "no:cacheprovider", "-p", "tests.rehearsal.loopback_names"]
    for name, why in LEFT_OUT.items():
        show(f"  left out: {name}: {why}\n")
        assert (ROOT / "tests" / "acceptance" / name.partition("::")[0]).exists()
        command += ["--deselect", f"tests/acceptance/{name}"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "BOARD_UNDER_TEST": json.dumps(under_test)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    show(f"  {done.stdout.splitlines()[-1]}\n")
    assert done.returncode == 0, done.stdout


LEFT_OUT = {
    "test_idempotency.py::test_a_key_is_1_to_64_visible_characters": (
        "the emulator answers 502 to a header that is not Latin-1, and an ALB passes it on"
    ),
    "test_problems.py::test_unknown_method_returns_a_problem": (
        "the emulator writes a method in capital letters, and an ALB passes it on as it is"
    ),
    "test_bodies.py::test_large_body_is_not_read_with_a_token_that_nobody_has": (
        "the emulator reads a whole body before it forwards the request, and an ALB streams it"
    ),
    **dict.fromkeys(
        (
            *("test_account.py", "test_bad_input.py", "test_case_roles.py", "test_cursors.py"),
            *("test_finding_users.py", "test_fuzzing.py", "test_generated_bodies.py"),
            *("test_idempotency_at_once.py", "test_markup.py", "test_model.py"),
            *("test_moderation.py", "test_moderation_roles.py", "test_page_sizes.py"),
            *("test_query.py", "test_registering.py", "test_search.py", "test_sentences.py"),
            "test_thread_orders.py",
        ),
        "rules of the application alone, at length; make test-docker has them",
    ),
}
"""Acceptance tests that are not run through the emulated load balancer, and why."""


def test_traffic_moves_to_a_service_and_back(aws: Stage) -> None:
    aws.make("deploy-ecs", DEPLOYMENT="strangler")
    assert _state(aws, "monolith") == "CREATE_COMPLETE"
    said = aws.make("shift", ON="aws", CONTEXT="posts", SHARE="37")
    assert "posts: from 100 % to 37 %" in said
    assert re.search(r"posts +37 %", aws.make("shares", ON="aws"))
    eventually_blocking(
        lambda: aws.get("/shares.json").json()["posts"] == 37,
        within=60,
        what="the share that the page shows",
    )
    # The emulator's rules have no weights, so the local gateway, which has the stack's, is tested:
    eventually_blocking(
        lambda: _server(aws.get("/api/posts")) == "monolith",
        within=60,
        what="a response of the monolith",
    )
    answers = [aws.get("/api/posts") for _ in range(100)]
    assert {answer.status_code for answer in answers} == {httpx.codes.OK}
    servers = [answer.headers["x-served-by"].split("/")[0] for answer in answers]
    assert set(servers) == {"posts", "monolith"}
    assert 10 < servers.count("posts") < 70
    assert aws.get("/api/threads").headers["x-served-by"].startswith("threads/")
    aws.make("shift", ON="aws", CONTEXT="posts", SHARE="0")
    eventually_blocking(
        lambda: {_server(aws.get("/api/posts")) for _ in range(20)} == {"monolith"},
        within=60,
        what="responses of the monolith only",
    )


def test_requests_to_a_service_without_targets_get_503_until_it_is_rolled_back(aws: Stage) -> None:
    """The workshop's `drop-traffic`. Traffic only goes there if it is forced to."""
    service = _service_name(aws, "posts")
    aws.aws.ecs.update_service(cluster=PROJECT, service=service, desiredCount=0)
    aws.wait_until_stopped("posts")
    eventually_blocking(
        lambda: "UsersTargets" in (said := aws.make("status-ecs")) and "PostsTargets" not in said,
        within=60,
        what="the end of its target",
    )
    said = aws.make("shift", fails=True, ON="aws", CONTEXT="posts", SHARE="100")
    assert "FORCE=1" in said
    assert aws.get("/api/posts").status_code == httpx.codes.OK
    aws.make("shift", ON="aws", CONTEXT="posts", SHARE="100", FORCE="1")
    eventually_blocking(
        lambda: aws.get("/api/posts").status_code == httpx.codes.SERVICE_UNAVAILABLE,
        within=60,
        what="a 503",
    )
    assert aws.get("/api/threads").status_code == httpx.codes.OK
    aws.make("shift", ON="aws", CONTEXT="posts", SHARE="0")
    eventually_blocking(
        lambda: _server(aws.get("/api/posts")) == "monolith", within=60, what="the monolith"
    )
    aws.aws.ecs.update_service(cluster=PROJECT, service=service, desiredCount=1)
    eventually_blocking(
        lambda: re.search(r"PostsTargets .* healthy", aws.make("status-ecs")),
        within=60,
        what="its healthy target",
    )
    aws.make("shift", ON="aws", CONTEXT="posts", SHARE="100")
    # The emulator calls a target healthy before its task listens.
    eventually_blocking(
        lambda: {_server(aws.get("/api/posts")) for _ in range(20)} == {"posts"},
        within=60,
        what="responses of the service only",
    )


async def test_monolith_drains_and_two_tasks_of_each_service_share_the_requests(
    aws: Stage,
) -> None:
    async with load(aws.gateway, readers=2, writers=1, pause=PAUSE) as people:
        said = await asyncio.to_thread(
            partial(aws.make, "deploy-ecs", DEPLOYMENT="microservices", COUNT="2")
        )
    assert people.failures == []
    assert people.requests > 50
    assert f"{PROJECT}-monolith: deleted" in said
    await asyncio.to_thread(aws.wait_until_stopped, "monolith")
    for service in SERVICES:
        await asyncio.to_thread(_wait_for_tasks, aws, service, 2)

    async def both() -> bool:
        answers = [await asyncio.to_thread(aws.get, "/api/threads") for _ in range(10)]
        return len({answer.headers["x-served-by"] for answer in answers}) == 2

    await eventually(both, within=30)


async def test_a_second_version_under_load_loses_no_request(aws: Stage) -> None:
    await asyncio.to_thread(partial(aws.make, "push-ecr", REVISION=SECOND))
    before = {task.id for task in aws.tasks()}
    async with load(aws.gateway, readers=4, writers=2, pause=PAUSE / 2) as people:
        await people.until(200)
        await asyncio.to_thread(partial(aws.make, "deploy-ecs", REVISION=SECOND))
        await people.until(max(200, LEAST_REQUESTS - people.requests), within=200)
    show(f"  {people.requests} requests, {len(people.failures)} failed, by {people.served_by}\n")
    assert people.failures == []
    assert people.requests >= LEAST_REQUESTS
    assert len(people.written) > 100

    async def the_old_ones_are_gone() -> bool:
        return not before & {task.id for task in await asyncio.to_thread(aws.tasks)}

    # At the end of a deploy, old tasks may still be draining.
    await eventually(the_old_ones_are_gone, within=90)
    after = aws.tasks()
    assert len(after) == 2 * len(SERVICES)
    assert all(_version(task.attrs["Config"]["Labels"]) == SECOND for task in after)


async def test_version_that_never_starts_is_reported_while_the_old_one_serves(aws: Stage) -> None:
    await asyncio.to_thread(aws.break_posts)
    before = {task.id for task in aws.tasks("posts")}
    async with load(aws.gateway, readers=2, writers=1, pause=PAUSE) as people:
        said = await asyncio.to_thread(partial(aws.make, "deploy-ecs", fails=True, REVISION=BROKEN))
    assert people.failures == []
    assert people.requests > 50
    assert "posts does not run what was deployed" in said
    assert "ECS has rolled it back" in said
    assert "board ended with 1" in said
    assert "the shelf is empty" in said
    # Tasks of the last attempt may still be stopping.
    assert before <= {task.id for task in aws.tasks("posts")}
    status = await asyncio.to_thread(aws.make, "status-ecs")
    assert re.search(r"^posts .* rolled back: not what was deployed$", status, re.MULTILINE)


def test_previous_version_can_be_deployed_again(aws: Stage) -> None:
    aws.make("deploy-ecs", REVISION=SECOND)
    assert "rolled back" not in aws.make("status-ecs")


async def test_pause_stops_everything_and_lists_what_is_still_billed(aws: Stage) -> None:
    async with load(aws.gateway, readers=1, writers=1) as people:
        await people.until(20)
    said = await asyncio.to_thread(aws.make, "pause-ecs")
    await asyncio.to_thread(aws.wait_until_stopped)
    assert aws.aws.elb.describe_load_balancers()["LoadBalancers"] == []
    assert "What is still billed:" in said
    assert "Aurora clusters" in said
    assert "load balancers" not in said.partition("What is still billed:")[2]
    assert "is paused" in aws.make("deploy-ecs", fails=True)
    assert "is paused" in aws.make("shift", ON="aws", fails=True, CONTEXT="posts", SHARE="10")
    assert "It is paused: make resume-ecs" in aws.make("status-ecs")


def test_resume_restores_the_board_with_its_data_under_a_new_address(aws: Stage) -> None:
    written = _written(aws)
    said = aws.make("resume-ecs")
    assert f"its address is a new one: {aws.public_origin()}" in said
    assert written
    threads = {thread["id"] for thread in aws.get("/api/threads?limit=100").json()}
    assert written <= threads
    for service in SERVICES:
        _wait_for_tasks(aws, service, _wanted(aws, service))
    # The tasks know their new address, which same-origin checks use.
    (*_, task) = aws.tasks("users")
    told = dict(line.split("=", 1) for line in _environment(task.attrs))
    assert told["PUBLIC_ORIGIN"].lower() == aws.public_origin()


def test_destroy_requires_confirmation(aws: Stage) -> None:
    assert f"set CONFIRM={PROJECT}" in aws.make("destroy-ecs", fails=True)
    assert "nothing was deleted" in aws.make("destroy-ecs", fails=True, CONFIRM="board")
    assert aws.get("/api/threads").status_code == httpx.codes.OK


def test_interrupted_destroy_finishes_and_leaves_nothing_but_look_alikes(aws: Stage) -> None:
    theirs = _look_alikes(aws)
    _interrupted(
        aws, "destroy-ecs", after=f"{PROJECT}-web: deleted", by=signal.SIGKILL, CONFIRM=PROJECT
    )
    said = aws.make("destroy-ecs", CONFIRM=PROJECT, KEEP_SNAPSHOT="1")
    assert "which ended without releasing it" in said
    assert f"Nothing is left of {PROJECT}" in said
    (kept,) = aws.aws.rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    snapshot = kept.get("DBClusterSnapshotIdentifier", "")
    assert f"The final snapshot stays: make deploy-ecs SNAPSHOT={snapshot}\n" in said
    aws.aws.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot)
    aws.wait_until_stopped()
    assert re.search(rf"^Left, because .*/{PROJECT}/of-marketing$", said, re.MULTILINE)
    assert _look_alikes_left(aws) == theirs
    _remove_look_alikes(aws)
    assert what_exists(aws) == []
    assert f"Nothing called {PROJECT} is deployed" in aws.make("status-ecs")


def test_database_instance_is_restored_from_a_snapshot_and_stays_what_it_is(aws: Stage) -> None:
    snapshot = _instance_snapshot(aws)
    said = aws.make("deploy-ecs", fails=True, SNAPSHOT=snapshot)
    assert f"SNAPSHOT={snapshot} is of an RDS instance" in said
    assert "use DATABASE=instance" in said
    aws.make("deploy-ecs", DATABASE="instance", DEPLOYMENT="monolith", SNAPSHOT=snapshot)
    (database,) = aws.aws.rds.describe_db_instances()["DBInstances"]
    assert (database["DBInstanceClass"], database["Engine"]) == ("db.t4g.micro", "postgres")
    # The stack stores the snapshot and its version, which later commands need not name.
    stored = parameters(aws, "data")
    assert (stored["SnapshotIdentifier"], stored["EngineVersion"]) == (snapshot, "18.3")
    said = aws.make("deploy-ecs", fails=True, SNAPSHOT="another")
    assert f"SnapshotIdentifier cannot go from {snapshot} to another" in said
    # The workshop begins like this: the default is the monolith, and no service exists.
    assert {_server(aws.get(path)) for path in PATHS} == {"monolith"}
    assert set(re.findall(r"^\w+ +(\d+) %$", aws.make("shares", ON="aws"), re.MULTILINE)) == {"0"}
    # The stack stores the choice, and the other kind would be a new database.
    said = aws.make("deploy-ecs", fails=True, DATABASE="aurora")
    assert "DatabaseKind cannot go from instance to aurora" in said
    said = aws.make("deploy-ecs", fails=True, NAT_MODE="none")
    assert "make resume-ecs NAT_MODE=none" in said
    said = aws.make("deploy-ecs", fails=True, COUNT="5")
    assert "5 tasks of each service may open 240 connections" in said


def test_certificate_is_added_to_a_running_board_and_removed(aws: Stage) -> None:
    arn = "arn:aws:acm:us-east-1:000000000000:certificate/0a1b"
    said = aws.make("deploy-ecs", fails=True, CERTIFICATE_ARN=arn)
    assert "CERTIFICATE_ARN needs DOMAIN_NAME" in said
    trusted = str(aws.certificate)
    said = aws.make("deploy-ecs", CERTIFICATE_ARN=arn, DOMAIN_NAME=DOMAIN, SSL_CERT_FILE=trusted)
    assert f"Point A and AAAA of {DOMAIN} at {PROJECT}" in said
    assert f"The board is up: https://{DOMAIN}" in said
    assert _listeners(aws) == {("HTTP", 80), ("HTTPS", 443)}
    # The stacks store it.
    assert f"It answers at https://{DOMAIN}" in aws.make("status-ecs")
    said = aws.make("deploy-ecs", CERTIFICATE_ARN="none")
    assert "Point A and AAAA" not in said
    assert f"The board is up: {aws.public_origin()}" in said
    assert _listeners(aws) == {("HTTP", 80)}


def test_board_of_five_tasks_pauses_itself(aws: Stage) -> None:
    larger = f"{aws.settings['PARAMETERS']} DatabaseClass=db.t4g.medium"
    said = aws.make("deploy-ecs", COUNT="5", PAUSE_AFTER="4h", PARAMETERS=larger)
    _wait_for_tasks(aws, "monolith", 5)
    assert parameters(aws, "monolith")["MaxCount"] == "5"
    (planned,) = re.findall(r"It pauses itself at (.*) UTC", said)
    assert f"It pauses itself at {planned} UTC" in aws.make("status-ecs")
    for name, request in _planned(aws):
        # EventBridge Scheduler, which the emulator's only stores, makes each of these calls.
        show(f"  {name}\n")
        if name == "autoscaling:updateAutoScalingGroup":
            aws.aws.autoscaling.update_auto_scaling_group(**request)
        elif name == "rds:stopDBInstance":
            aws.aws.rds.stop_db_instance(DBInstanceIdentifier=request["DbInstanceIdentifier"])
        else:
            assert name == "cloudformation:updateStack"
            aws.aws.cloudformation.update_stack(**request)
            aws.aws.cloudformation.get_waiter("stack_update_complete").wait(
                StackName=request["StackName"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
    aws.wait_until_stopped()
    assert aws.aws.elb.describe_load_balancers()["LoadBalancers"] == []
    eventually_blocking(
        lambda: _database_status(aws) == "stopped", within=60, what="the stopped database"
    )
    assert "It is paused: make resume-ecs" in aws.make("status-ecs")


def test_paused_board_with_a_database_instance_resumes(aws: Stage) -> None:
    said = aws.make("pause-ecs")
    assert "AWS starts it again by itself on" in said
    assert _database_status(aws) == "stopped"
    assert _planned(aws) == []
    aws.make("resume-ecs", NAT_MODE="none", COUNT="1", PAUSE_AFTER="none")
    assert _database_status(aws) == "available"
    _wait_for_tasks(aws, "monolith", 1)
    for part in ("network", "cluster"):
        assert parameters(aws, part)["NatMode"] == "none"


def test_the_outside_address_is_what_a_service_outside_sees(aws: Stage) -> None:
    with address_service() as url:
        said = aws.make("outside-address", ADDRESS_SERVICE=url)
    assert "IPv4: 127.0.0.1" in said
    assert "IPv6: " in said


def test_destroy_deletes_a_database_instance_with_its_final_snapshot(aws: Stage) -> None:
    said = aws.make("destroy-ecs", CONFIRM=PROJECT)
    assert "The final snapshot" in said
    (earlier,) = aws.aws.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    aws.aws.rds.delete_db_snapshot(DBSnapshotIdentifier=earlier.get("DBSnapshotIdentifier", ""))
    assert aws.aws.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"] == []
    assert what_exists(aws) == []


def _wait_for_tasks(aws: Stage, service: str, count: int) -> None:
    """Wait until so many tasks of a service run. Those of an earlier deploy may be draining."""
    eventually_blocking(
        lambda: len(aws.tasks(service)) == count, within=30, what=f"{count} tasks of {service}"
    )


def _listeners(aws: Stage) -> set[tuple[str | None, int | None]]:
    """The protocol and the port of each listener of the public load balancer."""
    (balancer,) = aws.aws.elb.describe_load_balancers(Names=[PROJECT])["LoadBalancers"]
    found = aws.aws.elb.describe_listeners(LoadBalancerArn=balancer.get("LoadBalancerArn", ""))
    return {(one.get("Protocol"), one.get("Port")) for one in found["Listeners"]}


def _planned(aws: Stage) -> list[tuple[str, dict[str, Any]]]:
    """The calls that schedules will make, in order: service and operation, and the request."""
    pages = aws.aws.scheduler.get_paginator("list_schedules").paginate(GroupName=f"{PROJECT}-pause")
    found = [
        aws.aws.scheduler.get_schedule(GroupName=f"{PROJECT}-pause", Name=one["Name"])
        for page in pages
        for one in page["Schedules"]
    ]
    found.sort(key=lambda one: one["ScheduleExpression"])
    return [
        (one["Target"]["Arn"].removeprefix(TARGET), json.loads(one["Target"]["Input"]))
        for one in found
    ]


def _instance_snapshot(aws: Stage) -> str:
    """Leave a snapshot of a database with a newer version than the template's default. Returns its
    name."""
    database = {
        "Type": "AWS::RDS::DBInstance",
        "DeletionPolicy": "Snapshot",
        "Properties": {"Engine": "postgres", "EngineVersion": "18.3", "AllocatedStorage": "20"},
    }
    stacks, name = aws.aws.cloudformation, "earlier"
    stacks.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": {"Database": database}})
    )
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    (found,) = aws.aws.rds.describe_db_snapshots()["DBSnapshots"]
    return found.get("DBSnapshotIdentifier", "")


def _database_status(aws: Stage) -> str | None:
    (database,) = aws.aws.rds.describe_db_instances()["DBInstances"]
    return database.get("DBInstanceStatus")


def _look_alikes(aws: Stage) -> list[str]:
    """Create other people's resources with names similar to the project's. Returns their names."""
    aws.aws.ecr.create_repository(repositoryName=f"{PROJECT}/game")
    aws.aws.logs.create_log_group(logGroupName=f"/{PROJECT}/of-marketing")
    aws.aws.logs.create_log_group(logGroupName=f"/aws/rds/cluster/{PROJECT}-games/postgresql")
    aws.aws.secrets.create_secret(Name=f"{PROJECT}/pin", SecretString="0000")
    aws.aws.ecs.register_task_definition(
        family=f"{PROJECT}-users-of-marketing",
        containerDefinitions=[{"name": "x", "image": "x", "memory": 64}],
    )
    found = _look_alikes_left(aws)
    assert len(found) == 5
    return found


def _look_alikes_left(aws: Stage) -> list[str]:
    repositories = aws.aws.ecr.describe_repositories()["repositories"]
    definitions = aws.aws.ecs.list_task_definitions()["taskDefinitionArns"]
    names = [one.get("repositoryName", "") for one in repositories]
    names += [
        one.get("logGroupName", "") for one in aws.aws.logs.describe_log_groups()["logGroups"]
    ]
    names += [one.get("Name", "") for one in aws.aws.secrets.list_secrets()["SecretList"]]
    names += [arn.rpartition("/")[2] for arn in definitions]
    return [name for name in names if re.search("game|marketing|pin", name)]


def _remove_look_alikes(aws: Stage) -> None:
    aws.aws.ecr.delete_repository(repositoryName=f"{PROJECT}/game")
    aws.aws.logs.delete_log_group(logGroupName=f"/{PROJECT}/of-marketing")
    aws.aws.logs.delete_log_group(logGroupName=f"/aws/rds/cluster/{PROJECT}-games/postgresql")
    aws.aws.secrets.delete_secret(SecretId=f"{PROJECT}/pin", ForceDeleteWithoutRecovery=True)
    aws.aws.ecs.deregister_task_definition(taskDefinition=f"{PROJECT}-users-of-marketing:1")


def _service_name(aws: Stage, part: str) -> str:
    (stack,) = aws.aws.cloudformation.describe_stacks(StackName=f"{PROJECT}-{part}")["Stacks"]
    outputs = {one.get("OutputKey"): one.get("OutputValue", "") for one in stack["Outputs"]}
    return outputs["ServiceName"]


def _server(response: httpx.Response) -> str:
    return str(response.headers.get("x-served-by", "")).partition("/")[0]


def _environment(attributes: dict[str, dict[str, list[str]]]) -> list[str]:
    return attributes["Config"]["Env"]


def _version(labels: dict[str, str]) -> str:
    return labels["org.opencontainers.image.revision"]


def _written(aws: Stage) -> set[int]:
    """The newest threads, read from the database while nothing else runs."""
    container = aws.emulator.engine.containers.get("rehearsal-database")
    command = ["psql", "--host=/var/run/postgresql", "--username=boardadmin", "--dbname=threads"]
    command += ["--tuples-only", "--command=SELECT id FROM threads WHERE title = 'Under load'"]
    done = container.exec_run(command)
    assert done.exit_code == 0, done.output
    assert isinstance(done.output, bytes)
    return {int(line) for line in done.output.split()}


def _has(aws: Stage, stage: str, version: str) -> bool:
    url = f"http://{aws.registry}/v2/{PROJECT}/{stage}/manifests/{version}"
    accept = "application/vnd.oci.image.manifest.v1+json"
    accept += ", application/vnd.docker.distribution.manifest.v2+json"
    answer = httpx.get(url, headers={"Accept": accept}, timeout=20, trust_env=False)
    # An image, not an index of several images.
    return answer.is_success and "config" in answer.json()


def _stacks(aws: Stage) -> set[str]:
    return {one["StackName"] for one in aws.aws.cloudformation.describe_stacks()["Stacks"]}


def _wanted(aws: Stage, service: str) -> int:
    """The number of tasks in the service's stack."""
    name = f"{PROJECT}-{service}"
    (stack,) = aws.aws.cloudformation.describe_stacks(StackName=name)["Stacks"]
    told = {one.get("ParameterKey"): one.get("ParameterValue", "") for one in stack["Parameters"]}
    return int(told["DesiredCount"])


def _state(aws: Stage, part: str) -> str:
    name = f"{PROJECT}-{part}"
    (stack,) = aws.aws.cloudformation.describe_stacks(StackName=name)["Stacks"]
    return stack["StackStatus"]


def _interrupted(
    aws: Stage, command: str, *, after: str, by: signal.Signals = signal.SIGINT, **settings: str
) -> str:
    """The output of a command that is interrupted after its first output."""
    lines = []
    with aws.start(command, **settings) as process:
        for line in process.stdout or ():
            lines.append(line)
            show(f"  {line}")
            if after in line:
                os.killpg(process.pid, by)
                after = "\0"
    assert process.returncode != 0
    assert after == "\0", "it ended before it could be interrupted"
    return "".join(lines)
