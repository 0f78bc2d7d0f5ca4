"""The combinations of choices that `make rehearse` leaves out: one board, with the longest name
that a project may have, goes through them. Part of `make rehearse-all`.

| deployment | revision | network | choices |
|---|---|---|---|
| monolith | newer | per-zone | a database instance with another version, another port |
| monolith | older | per-zone | |
| monolith, resumed | older | ipv6 | other machines, two tasks, a larger database |
| strangler | newer | ipv6 | a certificate, access logs, one task, half of the posts moved |
| strangler | older | ipv6 | no access logs |
| microservices | newer | ipv6 | no certificate, the usual port |
| microservices | older | ipv6 | |
| monolith | newer | ipv6 | under load |
"""

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from deploy.images import revision as revisions
from services.users.model import RESERVED_PREFIX
from tests.docker.load import load
from tests.eventually import eventually_blocking
from tests.rehearsal.emulator import ROOT
from tests.rehearsal.stage import (
    DOMAIN,
    LONGEST_PROJECT,
    VERSIONS,
    Stage,
    parameters,
    served_by,
    stage,
    what_exists,
)
from topology.deployments import DEPLOYMENTS, SERVERS, SERVICES

pytestmark = [pytest.mark.prove, pytest.mark.timeout(600)]

OLDER, NEWER, _ = VERSIONS
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/0a1b"


@pytest.fixture(scope="module")
def aws() -> Iterator[Stage]:
    """A stage of its own: another project's."""
    with stage(LONGEST_PROJECT) as found:
        yield found


def test_monolith_is_deployed_with_a_database_instance_and_another_port_and_version(
    aws: Stage,
) -> None:
    for revision in (OLDER, NEWER):
        aws.make("push-ecr", REVISION=revision)
    said = aws.make(
        "deploy-ecs",
        DEPLOYMENT="monolith",
        REVISION=NEWER,
        DATABASE="instance",
        NAT_MODE="per-zone",
        LISTENER_PORT="8080",
        ENGINE_VERSION="18.3",
        PARAMETERS=_parameters(aws, AfterEscalation="fail"),
    )
    assert f"The board is up: {aws.public_origin()}" in said
    assert aws.public_origin().endswith(":8080")
    assert parameters(aws, "data")["EngineVersion"] == "18.3"
    assert parameters(aws, "network")["NatMode"] == "per-zone"
    # The smallest database has connections for one task of the monolith, and one during a deploy.
    assert parameters(aws, "monolith")["MaxCount"] == "1"
    _runs(aws, "monolith", NEWER)
    said = aws.make("deploy-ecs", fails=True, ENGINE_VERSION="17.7")
    assert "EngineVersion cannot go from 18.3 to 17.7" in said


def test_operators_commands_change_a_monolith(aws: Stage) -> None:
    _operators_commands_work(aws)


def test_monolith_goes_back_to_an_older_revision(aws: Stage) -> None:
    # Without REVISION, it is that of the code in this folder, which was not pushed.
    said = aws.make("deploy-ecs", fails=True, REVISION="", ALLOW_DIRTY="1")
    assert f"no image of monolith, board at revision {revisions.of(ROOT, allow_dirty=True)}" in said
    said = aws.make("deploy-ecs", REVISION=OLDER)
    assert _servers(said) == {"monolith"}
    _runs(aws, "monolith", OLDER)


def test_paused_board_resumes_with_all_choices_that_it_is_given(aws: Stage) -> None:
    aws.make("pause-ecs")
    assert "is paused" in aws.make("run-ecs", fails=True, COMMAND="migrate --check")
    said = aws.make("resume-ecs", fails=True, COUNT="2")
    assert "2 tasks of each service may open 96 connections" in said
    aws.make(
        "resume-ecs",
        NAT_MODE="ipv6",
        INSTANCE_TYPE="m7i.large",
        COUNT="2",
        PARAMETERS=_parameters(aws, DatabaseClass="db.t4g.medium"),
    )
    for part in ("network", "cluster"):
        assert parameters(aws, part)["NatMode"] == "ipv6"
    assert parameters(aws, "cluster")["InstanceType"] == "m7i.large"
    assert parameters(aws, "data")["DatabaseClass"] == "db.t4g.medium"
    scaling = parameters(aws, "monolith")
    assert (scaling["DesiredCount"], scaling["MaxCount"]) == ("2", "2")
    # What was chosen before stays.
    assert aws.public_origin().endswith(":8080")
    _runs(aws, "monolith", OLDER, tasks=2)


def test_strangler_gets_a_certificate_and_access_logs(aws: Stage) -> None:
    said = aws.make(
        "deploy-ecs",
        DEPLOYMENT="strangler",
        REVISION=NEWER,
        COUNT="1",
        CERTIFICATE_ARN=CERTIFICATE,
        DOMAIN_NAME=DOMAIN,
        SSL_CERT_FILE=str(aws.certificate),
        PARAMETERS=_parameters(aws, AccessLogs="true"),
    )
    assert f"The board is up: https://{DOMAIN}" in said
    # The services run, and the monolith still answers.
    assert _servers(said) == {"monolith"}
    _runs(aws, "strangler", NEWER)
    assert _buckets(aws) == [f"{LONGEST_PROJECT}-us-east-1-000000000000-requests"]
    cases = parameters(aws, "cases")
    assert (cases["OutgoingIpv4"], cases["AfterEscalation"]) == ("false", "fail")
    aws.make("shift", ON="aws", CONTEXT="posts", SHARE="50")


def test_half_moved_board_loses_its_access_logs_at_an_older_revision(aws: Stage) -> None:
    [bucket] = _buckets(aws)
    aws.aws.s3.put_object(Bucket=bucket, Key="AWSLogs/one", Body=b"a request")
    aws.make(
        "deploy-ecs",
        REVISION=OLDER,
        SSL_CERT_FILE=str(aws.certificate),
        PARAMETERS=_parameters(aws, AccessLogs="false"),
    )
    assert _buckets(aws) == []
    routing = parameters(aws, "routing")
    assert (routing["PostsShare"], routing["ListenerPort"]) == ("50", "8080")
    assert routing["DomainName"] == DOMAIN
    _runs(aws, "strangler", OLDER)


def test_microservices_lose_the_certificate_and_the_other_port(aws: Stage) -> None:
    said = aws.make(
        "deploy-ecs",
        DEPLOYMENT="microservices",
        REVISION=NEWER,
        CERTIFICATE_ARN="none",
        LISTENER_PORT="80",
    )
    assert _servers(said) == set(SERVICES)
    assert f"The board is up: {aws.public_origin()}" in said
    assert aws.public_origin().startswith("http://")
    assert not aws.public_origin().endswith(":8080")
    _runs(aws, "microservices", NEWER)


def test_operators_commands_change_microservices(aws: Stage) -> None:
    _operators_commands_work(aws)


def test_microservices_go_back_to_an_older_revision(aws: Stage) -> None:
    assert _servers(aws.make("deploy-ecs", REVISION=OLDER)) == set(SERVICES)
    _runs(aws, "microservices", OLDER)


async def test_monolith_takes_everything_back_under_load(aws: Stage) -> None:
    deploy = partial(aws.make, "deploy-ecs", DEPLOYMENT="monolith", REVISION=NEWER)
    async with load(aws.gateway, readers=1, writers=1, pause=0.1) as people:
        said = await asyncio.to_thread(deploy)
        await people.until(20)
    assert people.failures == []
    assert people.requests > 50
    assert _servers(said) == {"monolith"}
    await asyncio.to_thread(_runs, aws, "monolith", NEWER)


def test_destroy_leaves_the_snapshot_that_it_is_to_keep_and_nothing_else(aws: Stage) -> None:
    said = aws.make("destroy-ecs", CONFIRM=LONGEST_PROJECT, KEEP_SNAPSHOT="1")
    [snapshot] = aws.aws.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    name = snapshot.get("DBSnapshotIdentifier", "")
    assert f"make deploy-ecs SNAPSHOT={name} DATABASE=instance" in said
    aws.aws.rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    aws.wait_until_stopped()
    assert what_exists(aws) == []


def _parameters(aws: Stage, **more: str) -> str:
    """The value of PARAMETERS: the rehearsal's own, and these."""
    pairs = (f"{name}={value}" for name, value in more.items())
    return " ".join([aws.settings["PARAMETERS"], *pairs])


def _operators_commands_work(aws: Stage) -> None:
    """Each command runs as a task, on the data that the board shows."""
    if not _members(aws):
        aws.make("run-ecs", COMMAND="demo")
    [somebody, other, *_] = _members(aws)
    aws.make("run-ecs", COMMAND=f"grant-admin {somebody['username']}")
    eventually_blocking(
        lambda: aws.get(f"/api/users/{somebody['id']}").json()["role"] == "admin",
        within=10,
        what="the new admin",
    )
    said = aws.make("run-ecs", COMMAND="grant-admin nobody-of-this-name", fails=True)
    assert "There is no user named 'nobody-of-this-name'" in said
    aws.make("run-ecs", COMMAND=f"delete-accounts {other['id']}")
    eventually_blocking(
        lambda: other["id"] not in [user["id"] for user in _members(aws)],
        within=10,
        what="the end of the account",
    )
    said = aws.make("run-ecs", COMMAND="migrate --check")
    assert "The databases are those of this version." in said
    assert "is an admin" in aws.make("logs-ecs", SERVICE="operator", SINCE="5m")
    said = aws.make("run-ecs", COMMAND="export", fails=True)
    assert "invalid choice: 'export'" in said


def _members(aws: Stage) -> list[dict[str, Any]]:
    """The users who are members and have not deleted their accounts."""
    return [
        user
        for user in aws.get("/api/users?limit=100").json()
        if user["role"] == "member" and not user["username"].startswith(RESERVED_PREFIX)
    ]


def _runs(aws: Stage, deployment: str, revision: str, tasks: int = 1) -> None:
    """Wait until exactly the deployment's tasks run, all of this revision; then `make status-ecs`
    shows each, and `make logs-ecs` its lines alone."""
    label = "org.opencontainers.image.revision"
    wanted = sorted([(name, revision) for name in DEPLOYMENTS[deployment]] * tasks)

    def run() -> bool:
        labels = [task.attrs["Config"]["Labels"] for task in aws.tasks()]
        family = "com.amazonaws.ecs.task-definition-family"
        return sorted((one[family].rpartition("-")[2], one[label]) for one in labels) == wanted

    eventually_blocking(run, within=90, what=f"{deployment} at {revision}, and no other task")
    status = aws.make("status-ecs")
    shown = re.findall(rf"^({'|'.join(SERVERS)}) +(\S+) +(\d) of (\d)", status, re.MULTILINE)
    assert sorted(shown) == sorted(
        (name, revision, str(tasks), str(tasks)) for name in DEPLOYMENTS[deployment]
    )
    for name in DEPLOYMENTS[deployment]:
        lines = aws.make("logs-ecs", SERVICE=name, SINCE="5m").splitlines()
        assert lines
        assert [line for line in lines if not line.startswith(f"{name}/")] == []


def _servers(said: str) -> set[str]:
    """The servers that answered the smoke test."""
    return {process.split("/")[0] for process in served_by(said).values()}


def _buckets(aws: Stage) -> list[str]:
    return [one.get("Name", "") for one in aws.aws.s3.list_buckets()["Buckets"]]
