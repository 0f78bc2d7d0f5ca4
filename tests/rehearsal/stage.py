"""The rehearsal's environment: an emulated AWS, a registry, a database, and the local gateway in
place of the load balancers."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import httpx
from docker.models.containers import Container

from deploy.aws import Aws
from gateway.net.tls import CertificateFiles
from tests.cloudformation import read_document
from tests.eventually import eventually_blocking
from tests.rehearsal.emulator import ROOT, TASKS, Emulator, emulator, free_port
from tests.rehearsal.gaps import GAPS, MISSING, adapt
from tests.unit.gateway.certificates import make
from topology.contexts import CONTEXT_NAMES
from topology.deployments import DEPLOYED_IMAGES

PROJECT = "rehearsal"
LONGEST_PROJECT = "board-of-many-choices"
"""The longest name that a project may have."""
DOMAIN = "board.example"
# New in each run: the registry outlives a run, and a revision that it has is not pushed again.
VERSIONS = tuple(f"{secrets.token_hex(6)}-{name}" for name in ("first", "second", "broken"))
PUBLIC, INTERNAL = "LoadBalancer", "InternalLoadBalancer"
_FOLDER = ROOT / "build" / "rehearsal"
_CONTAINERS = ("rehearsal-database", "rehearsal-registry")
_POSTGRES = "postgres:18-bookworm"
_REGISTRY = "registry:2"


@dataclass(frozen=True)
class Stage:
    """The running environment. On `gateway_port` the local gateway stands in for the public load
    balancer."""

    project: str
    emulator: Emulator
    registry: str
    gateway_port: int
    settings: Mapping[str, str]
    database: str
    certificate: Path
    """The certificate of `DOMAIN`, which the public load balancer has if the stack names one."""

    @property
    def aws(self) -> Aws:
        """Clients of the emulated services."""
        return self.emulator.aws()

    @property
    def gateway(self) -> str:
        """The local gateway's URL, in place of the public load balancer's."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def balancer(self) -> str:
        """The URL of the emulator's own public load balancer."""
        return f"http://{self.project}.alb.localhost:{self.emulator.port}"

    def make(self, *arguments: str, fails: bool = False, **settings: str) -> str:
        """Run `make ARGUMENTS`, show its output, and return it. Fails unless the command succeeds,
        or with `fails`, unless the command fails."""
        shown = " ".join([*arguments, *(f"{name}={value}" for name, value in settings.items())])
        lines = []
        with self.start(*arguments, **settings) as process:
            for line in process.stdout or ():
                lines.append(line)
                show(f"  {line}")
        status = process.returncode
        assert (status != 0) == fails, f"make {shown} ended with {status}:\n{''.join(lines)}"
        return "".join(lines)

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """The same, without waiting for its end."""
        show(f"\n$ make {' '.join([*arguments, *(f'{k}={v}' for k, v in settings.items())])}\n")
        environment = {**os.environ, **self.emulator.environment, **self.settings, **settings}
        return subprocess.Popen(
            ["make", "--no-print-directory", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def tasks(self, family: str | None = None) -> list[Container]:
        """The containers of the running tasks, or of one service's."""
        found: list[Container] = self.emulator.engine.containers.list(
            filters={"name": TASKS}, ignore_removed=True
        )
        label = "com.amazonaws.ecs.task-definition-family"
        return [one for one in found if family in (None, one.labels[label].split("-")[-1])]

    def wait_until_stopped(self, family: str | None = None) -> None:
        """Wait until no task runs, or none of one service: tasks drain after they were stopped."""
        what = f"the end of the tasks of {family or 'all services'}"
        eventually_blocking(lambda: not self.tasks(family), within=60, what=what)

    def database_urls(self) -> dict[str, str]:
        """The URL of each context's database, as its task reaches it."""
        found = {}
        for context in CONTEXT_NAMES:
            secret = self.aws.secrets.get_secret_value(
                SecretId=f"{self.project}/{context}/database"
            )
            password = json.loads(secret["SecretString"])["password"]
            found[context] = f"postgresql://{context}:{password}@{self.database}/{context}"
        return found

    def public_origin(self) -> str:
        """The board's address, from the stack's output."""
        name = f"{self.project}-routing"
        (stack,) = self.aws.cloudformation.describe_stacks(StackName=name)["Stacks"]
        told = {one.get("OutputKey"): one.get("OutputValue", "") for one in stack["Outputs"]}
        return told["PublicOrigin"].lower()

    def get(self, path: str) -> httpx.Response:
        """Get one answer through the local gateway."""
        return httpx.get(self.gateway + path, timeout=15, trust_env=False)

    def break_posts(self) -> None:
        """Push a version whose posts service ends as soon as it has started."""
        good, bad = VERSIONS[1:]
        engine = self.emulator.engine
        for stage in DEPLOYED_IMAGES:
            image = engine.images.get(f"board/{stage}:{good}")
            if stage == "posts":
                container = engine.containers.create(image)
                why = "import sys; sys.exit('the shelf is empty')"
                entrypoint = json.dumps(["python", "-c", why])
                image = container.commit(changes=f"ENTRYPOINT {entrypoint}")
                container.remove()
            name = f"{self.registry}/{self.project}/{stage}"
            assert image.tag(name, bad)
            answer = engine.images.push(name, bad)
            assert "errorDetail" not in answer, answer


@contextmanager
def stage(project: str = PROJECT) -> Iterator[Stage]:
    """Set the environment up for a project of this name, and remove it at the end."""
    assert sys.platform == "linux", (
        "the rehearsal needs Linux: the load balancers on this machine reach containers by address"
    )
    assert shutil.which("docker"), "the rehearsal needs Docker: https://docs.docker.com/get-docker/"
    shutil.rmtree(_FOLDER, ignore_errors=True)
    adapt(ROOT / "infra", _FOLDER / "infra")
    _tell_the_gaps()
    with ExitStack() as stack:
        _clear_away_an_earlier_one()
        found = stack.enter_context(
            emulator(_FOLDER / "emulator.log", [_health(PUBLIC), _health(INTERNAL)])
        )
        password = secrets.token_urlsafe(24)
        stack.callback(_remove_images, found.engine)
        database = stack.enter_context(_postgres(found.engine, password))
        registry = stack.enter_context(_registry(found.engine))
        certificate = make(_FOLDER, DOMAIN).files
        public, internal = (
            stack.enter_context(_balancer(found, project, balancer, bind, certificate))
            for balancer, bind in ((PUBLIC, "127.0.0.1"), (INTERNAL, found.gateway))
        )
        parameters = {
            "AdminSecretArn": _admin_secret(found.aws(), password),
            "Ami": _ami(found.aws()),
            "DatabaseHost": database,
            "DatabasePort": "5432",
            "DatabaseTls": "sslmode=disable",
            "InternalOrigin": f"http://{found.gateway}:{internal}",
            # All requests from this machine have the bridge's address.
            "TrustedNetworks": f"{found.gateway}/32",
        }
        settings = {
            "PROJECT": project,
            "TEMPLATES": str((_FOLDER / "infra").relative_to(ROOT)),
            "REGISTRY": registry,
            "REVISION": VERSIONS[0],
            "CONNECT_TO": f"127.0.0.1:{public}",
            "PARAMETERS": " ".join(f"{name}={value}" for name, value in parameters.items()),
        }
        yield Stage(project, found, registry, public, settings, database, certificate.certificate)


def _clear_away_an_earlier_one() -> None:
    """Remove what a killed rehearsal has left."""
    engine = docker.from_env()
    for container in engine.containers.list(all=True, ignore_removed=True):
        cluster = container.labels.get("com.amazonaws.ecs.cluster", "")
        is_task = cluster.rpartition("/")[2] in (PROJECT, LONGEST_PROJECT)
        if is_task or container.name in _CONTAINERS:
            container.remove(force=True, v=True)
    engine.close()


def _remove_images(engine: docker.DockerClient) -> None:
    """Remove the images of this run; reusable layers stay in the builder's cache."""
    for image in engine.images.list():
        for tag in image.tags:
            if tag.endswith(VERSIONS):
                engine.images.remove(tag, force=True)


def show(text: str) -> None:
    """Print it at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _tell_the_gaps() -> None:
    show("\nThe templates are deployed as they are, but for what the emulator cannot do:\n")
    for gap in GAPS:
        show(f"  {gap}\n")
    show("Besides:\n")
    for name, missing in MISSING.items():
        show(f"  {name}: {missing}.\n")


@contextmanager
def _postgres(engine: docker.DockerClient, password: str) -> Iterator[str]:
    """A PostgreSQL 18 whose administrator has the rights of Aurora's. Yields its address."""
    container = engine.containers.run(
        _POSTGRES,
        ["postgres", "-c", "max_connections=300"],
        name=_CONTAINERS[0],
        environment={
            "POSTGRES_USER": "boardadmin",
            "POSTGRES_DB": "postgres",
            "POSTGRES_PASSWORD": password,
        },
        detach=True,
    )
    try:
        ready = ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=boardadmin"]

        def is_ready() -> bool:
            container.reload()
            assert container.status != "exited", container.logs().decode()
            return container.exec_run(ready).exit_code == 0

        eventually_blocking(is_ready, within=60, what="PostgreSQL's start")
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"]
        yield str(networks["bridge"]["IPAddress"])
    finally:
        container.remove(force=True, v=True)


@contextmanager
def _registry(engine: docker.DockerClient) -> Iterator[str]:
    """A plain registry: the one that REGISTRY names, one on port 5000 of this machine, or a new
    one."""
    host = os.environ.get("REGISTRY") or "127.0.0.1:5000"
    if _answers(f"http://{host}/v2/"):
        yield host
        return
    assert "REGISTRY" not in os.environ, f"the registry {host} does not answer"
    container = engine.containers.run(
        _REGISTRY, name=_CONTAINERS[1], ports={"5000/tcp": ("127.0.0.1", 5000)}, detach=True
    )
    try:

        def responds() -> bool:
            container.reload()
            assert container.status != "exited", container.logs().decode()
            return _answers(f"http://{host}/v2/")

        eventually_blocking(responds, within=30, what="the registry's start")
        yield host
    finally:
        container.remove(force=True, v=True)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def _balancer(
    found: Emulator, project: str, balancer: str, bind: str, certificate: CertificateFiles
) -> Iterator[int]:
    """The local gateway in place of one of the load balancers. Yields its port."""
    assert balancer in read_document(ROOT / "infra" / "routing.yml")["Resources"]
    port = free_port(bind)
    log = _FOLDER / f"{balancer}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.rehearsal.balancer"),
                *("--emulator", found.url, "--project", project, "--load-balancer", balancer),
                *("--bind", bind, "--port", str(port), "--health", str(_health(balancer))),
                *("--certificate", str(certificate.certificate), "--key", str(certificate.key)),
            ],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
        try:

            def listens() -> bool:
                assert process.poll() is None, log.read_text()
                return "listens" in log.read_text()

            eventually_blocking(listens, within=60, what=f"the start of {balancer}")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def _health(balancer: str) -> Path:
    """The file into which a load balancer writes its healthy targets."""
    return _FOLDER / f"{balancer}.json"


def _admin_secret(aws: Aws, password: str) -> str:
    value = json.dumps({"username": "boardadmin", "password": password})
    return aws.secrets.create_secret(Name="database-of-the-rehearsal", SecretString=value)["ARN"]


def _ami(aws: Aws) -> str:
    name = "/machines-of-the-rehearsal"
    aws.ssm.put_parameter(Name=name, Value="ami-00000000000000000", Type="String")
    return name


def served_by(lines: str) -> dict[str, str]:
    """The process that answered each path, from the output of a smoke test."""
    return dict(re.findall(r"^ +(/\S*) +(\w+/\w+)$", lines, re.MULTILINE))


def parameters(aws: Stage, part: str) -> dict[str, str]:
    """The parameters that a stack has stored."""
    name = f"{aws.project}-{part}"
    (stack,) = aws.aws.cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {
        one.get("ParameterKey", ""): one.get("ParameterValue", "") for one in stack["Parameters"]
    }


def what_exists(stage: Stage) -> list[str]:
    """What still exists on the emulated AWS, asked with each service's own API."""
    aws, project = stage.aws, stage.project
    clusters = aws.ecs.list_clusters()["clusterArns"]
    found = [f"cluster {arn}" for arn in clusters if project in arn]
    found += [f"stack {one['StackName']}" for one in aws.cloudformation.describe_stacks()["Stacks"]]
    found += [f"vpc {one.get('VpcId')}" for one in aws.ec2.describe_vpcs()["Vpcs"]
              if not one.get("IsDefault")]  # fmt: skip
    found += [str(one) for one in aws.elb.describe_load_balancers()["LoadBalancers"]]
    found += [str(one) for one in aws.elb.describe_target_groups()["TargetGroups"]]
    found += [str(one) for one in aws.rds.describe_db_clusters()["DBClusters"]]
    found += [str(one) for one in aws.rds.describe_db_instances()["DBInstances"]]
    found += [str(one) for one in aws.logs.describe_log_groups()["logGroups"]]
    found += [str(one) for one in aws.ecr.describe_repositories()["repositories"]]
    found += [str(one) for one in aws.iam.list_roles()["Roles"] if project in one["RoleName"]]
    found += [str(one) for one in aws.ecs.list_task_definitions()["taskDefinitionArns"]]
    found += [one.get("Name", "") for one in aws.secrets.list_secrets()["SecretList"]
              if one.get("Name", "").startswith(project)]  # fmt: skip
    found += aws.dynamodb.list_tables()["TableNames"]
    found += [one["name"] for one in aws.states.list_state_machines()["stateMachines"]]
    found += aws.sqs.list_queues().get("QueueUrls", [])
    groups = aws.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return found + [one["AutoScalingGroupName"] for one in groups]
