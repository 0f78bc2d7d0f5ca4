"""A Compose project for tests: the board in containers, separate from other projects."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
import httpx
from docker.models.containers import Container

from laptop import ports
from topology.contexts import CONTEXT_NAMES
from topology.deployments import DEPLOYMENTS, GATEWAY
from topology.limits import NO_LIMITS

ROOT = Path(__file__).resolve().parents[2]
PROFILES = tuple(DEPLOYMENTS)
SERVERS: Mapping[str, tuple[str, ...]] = {
    profile: (*servers, GATEWAY if profile == "microservices" else f"{GATEWAY}-{profile}")
    for profile, servers in DEPLOYMENTS.items()
}


def image(name: str) -> str:
    """The tag of an image in Compose."""
    return f"board/{name}:local"


@dataclass(frozen=True)
class Project:
    """One Compose project, in one profile, on one port of this machine."""

    name: str
    profile: str
    port: int
    engine: docker.DockerClient
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The URL of its gateway."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> list[str]:
        """The command `docker compose ARGUMENTS` for this project."""
        return ["docker", "compose", "--project-name", self.name, *arguments]

    def compose(
        self, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker compose ARGUMENTS` for this project; `stdout` has its output and errors."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        assert not check or done.returncode == 0, f"compose {arguments}:\n{done.stdout}"
        return done

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this project's commands. It turns off the limits of writes."""
        return {
            **os.environ,
            "COMPOSE_PROFILES": self.profile,
            "PORT": str(self.port),
            **NO_LIMITS,
            **self.variables,
        }

    def up(self, *arguments: str) -> float:
        """Start it, and wait until it is healthy. Returns the seconds that this took."""
        began = time.monotonic()
        said = self.compose("up", "--detach", "--wait", *arguments).stdout
        took = time.monotonic() - began
        assert not self.wrong(), f"{self.wrong()}\n{said}"
        return took

    def wrong(self) -> dict[str, str]:
        """The services with a container that failed, is unhealthy or was not started, and why."""
        label = f"com.docker.compose.project={self.name}"
        found: dict[str, str] = {}
        for container in self.engine.containers.list(
            all=True, filters={"label": label}, ignore_removed=True
        ):
            state = container.attrs["State"]
            well = state["Status"] == "running" and container.health in {"healthy", "unknown"}
            done = state["Status"] == "exited" and state["ExitCode"] == 0
            if not well and not done:
                status = f"{state['Status']} {state['ExitCode']} {container.health}"
                found[container.labels["com.docker.compose.service"]] = status
        return found

    def sql(self, database: str, statement: str) -> None:
        """Execute a statement as the database's administrator."""
        command = ["psql", "--host=/var/run/postgresql", "--username=postgres", "--quiet"]
        command += [f"--dbname={database}", f"--command={statement}"]
        done = self.container("postgres").exec_run(command)
        assert done.exit_code == 0, done.output

    def containers(self, service: str) -> list[Container]:
        """The service's containers, running or not, oldest first."""
        labels = [
            f"com.docker.compose.project={self.name}",
            f"com.docker.compose.service={service}",
        ]
        found: list[Container] = self.engine.containers.list(
            all=True, filters={"label": labels}, ignore_removed=True
        )
        return sorted(found, key=lambda container: str(container.attrs["Created"]))

    def container(self, service: str) -> Container:
        """The service's only container."""
        (found,) = self.containers(service)
        return found

    def log(self, service: str) -> str:
        """The log of a service."""
        return self.compose("logs", "--no-color", "--no-log-prefix", service).stdout

    def secrets(self) -> dict[str, str]:
        """Every secret by its name."""
        script = (
            "import json, pathlib; print(json.dumps({p.name: p.read_text() "
            "for p in pathlib.Path('/secrets/all').iterdir()}))"
        )
        kept = self.engine.containers.run(
            image("board"),
            entrypoint=["python", "-c", script],
            command=[],
            volumes={f"{self.name}_secrets": {"bind": "/secrets/all", "mode": "ro"}},
            remove=True,
        )
        found: dict[str, str] = json.loads(kept)
        return found

    def database_urls(self) -> dict[str, str]:
        """The URLs of the contexts' databases for this machine."""
        passwords = self.secrets()
        networks = self.container("postgres").attrs["NetworkSettings"]["Networks"]
        address = networks[f"{self.name}_data"]["IPAddress"]
        return {
            context: f"postgresql://{context}:{passwords[f'{context}_password']}@{address}/{context}"
            for context in CONTEXT_NAMES
        }

    def get(self, path: str) -> httpx.Response:
        """Send a GET to the gateway."""
        return httpx.get(self.url + path, timeout=15, trust_env=False)


def engine() -> docker.DockerClient:
    """The client of this machine's engine. Fails if there is none, instead of skipping tests."""
    assert shutil.which("docker"), "these tests need Docker: https://docs.docker.com/get-docker/"
    return docker.from_env()


@contextmanager
def project(
    name: str, profile: str, variables: Mapping[str, str] | None = None
) -> Iterator[Project]:
    """A project with this name, and these variables in the environment of its commands, not started
    yet. At the end, everything of it is removed."""
    client = engine()
    (port,) = ports.free(1)
    found = Project(name, profile, port, client, variables or {})
    _remove(found)
    try:
        yield found
    finally:
        _remove(found)
        client.close()


def write_into_volume(board: Project, volume: str, name: str, content: str | None) -> None:
    """Write a file into a volume of the project, as root; None removes it."""
    script = (
        "import pathlib, sys\n"
        "path = pathlib.Path('/volume', sys.argv[1])\n"
        "path.parent.mkdir(parents=True, exist_ok=True)\n"
        "path.unlink(missing_ok=True)\n"
        "if sys.argv[2:]: path.write_text(sys.argv[2]); path.chmod(0o644)\n"
    )
    board.engine.containers.run(
        image("board"),
        entrypoint=["python", "-c", script, name, *([] if content is None else [content])],
        command=[],
        user="0:0",
        volumes={f"{board.name}_{volume}": {"bind": "/volume", "mode": "rw"}},
        remove=True,
    )


def _remove(project: Project) -> None:
    project.compose("--profile", "*", "kill", check=False)
    project.compose("--profile", "*", "down", "--volumes", "--remove-orphans")
