"""Checks before `docker compose up`: Docker, Compose, the engine, the settings, the port."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from containers.engine import Docker
from containers.errors import CannotStartError

OLDEST_COMPOSE = (2, 20)
"""The first version that supports everything in docker-compose.yml (July 2023)."""

_AMD64 = {"x86_64", "amd64"}


@dataclass(frozen=True)
class Project:
    """The project that Compose reads from docker-compose.yml, .env and the environment.

    `services` are the services of the chosen profile; `port` is the gateway's port on this machine.
    """

    name: str
    services: frozenset[str]
    port: int


def check(docker: Docker, port_is_free: Callable[[int], bool]) -> tuple[Project, list[str]]:
    """Returns the project, and notices for the user, one line each.

    Raises:
        CannotStartError: Docker or Compose v2 is missing, the engine is not running, a setting is
            invalid, or the port is taken.
    """
    _check_compose(docker)
    notices = _check_engine(docker)
    project = _read_project(docker)
    if not port_is_free(project.port) and not _is_ours(docker, project):
        raise CannotStartError(
            f"Port {project.port} of 127.0.0.1 is taken by another program: stop it, or choose "
            f"another port: make up PORT={project.port + 1}"
        )
    return project, notices


def _check_compose(docker: Docker) -> None:
    result = docker(["compose", "version", "--short"])
    found = re.match(r"v?(\d+)\.(\d+)", result.output.strip())
    if result.status != 0 or found is None:
        raise CannotStartError(
            "Docker has no Compose v2 (`docker compose`): install its plugin, "
            "https://docs.docker.com/compose/install/. The old docker-compose (v1) does not work"
        )
    if (int(found[1]), int(found[2])) < OLDEST_COMPOSE:
        oldest = ".".join(str(number) for number in OLDEST_COMPOSE)
        raise CannotStartError(
            f"This is Compose {result.output.strip()}, and the board needs {oldest} or newer: "
            "https://docs.docker.com/compose/install/"
        )


def _check_engine(docker: Docker) -> list[str]:
    result = docker(["info", "--format", "{{json .}}"])
    facts = _json(result.output)
    problem = "; ".join(facts.get("ServerErrors") or []) or result.error.strip()
    if result.status != 0 or facts.get("ServerErrors"):
        if "permission denied" in problem.lower():
            raise CannotStartError(
                "You may not use the Docker engine: join the group `docker` and sign in again, or "
                "use rootless mode (https://docs.docker.com/engine/install/linux-postinstall/)"
            )
        raise CannotStartError(
            "The Docker engine is not running: start Docker Desktop, or `sudo systemctl start "
            f"docker`. It says: {problem.splitlines()[-1].rstrip('.?!') if problem else 'nothing'}"
        )
    architecture = str(facts.get("Architecture", ""))
    if facts.get("OSType") != "linux":
        raise CannotStartError(
            f"The Docker engine runs {facts.get('OSType')} containers: "
            "switch it to Linux containers"
        )
    if architecture in _AMD64:
        return []
    return [
        f"This engine is {architecture}, and the images are AMD64, as on AWS: they are built and "
        "run under emulation, which is slower. Docker Desktop includes it; elsewhere, if a build "
        "fails with `exec format error`, install it with: "
        "docker run --privileged --rm tonistiigi/binfmt --install amd64"
    ]


def _read_project(docker: Docker) -> Project:
    result = docker(["compose", "config", "--format", "json"])
    config = _json(result.output)
    if result.status != 0 or ("services" not in config and result.error.strip()):
        raise CannotStartError(f"Compose cannot use the settings: {result.error.strip()}")
    services: dict[str, Any] = config.get("services") or {}
    ports = [
        int(port["published"])
        for service in services.values()
        for port in service.get("ports") or []
    ]
    if len(ports) != 1:
        raise CannotStartError(
            "COMPOSE_PROFILES (or DEPLOYMENT) must be one of microservices, monolith and strangler"
        )
    return Project(config["name"], frozenset(services), ports[0])


def _is_ours(docker: Docker, project: Project) -> bool:
    label = f"label=com.docker.compose.project={project.name}"
    running = docker(["ps", "--quiet", "--filter", label, "--filter", f"publish={project.port}"])
    return running.output.strip() != ""


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
