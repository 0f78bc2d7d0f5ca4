"""`make up`, as `python -m containers.up`: `docker compose up` with checks and clear messages."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping

from containers.engine import Docker, docker_command
from containers.errors import CannotStartError
from containers.preflight import Project, check

_LAST_LINES = 15


def main() -> None:
    """Start the deployment that DEPLOYMENT, or else .env, names. Exits with 0 once it answers."""
    environment = dict(os.environ)
    if environment.get("DEPLOYMENT"):
        environment["COMPOSE_PROFILES"] = environment["DEPLOYMENT"]
    # Empty variables are removed: they would override the values in .env.
    for name in ("COMPOSE_PROFILES", "PORT"):
        if not environment.get(name):
            environment.pop(name, None)
    try:
        bring_up(docker_command(environment), environment)
    except CannotStartError as refused:
        sys.exit(f"make up: {refused}.")
    except KeyboardInterrupt:
        sys.exit(130)


def bring_up(docker: Docker, environment: Mapping[str, str]) -> None:
    """Check the machine, start the board, wait until it answers, and print how to use it.

    Raises CannotStartError if it does not come up.
    """
    project, notices = check(docker, port_is_free)
    for notice in notices:
        _say(notice)
    _leave_other_deployments(docker, project)
    up = subprocess.run(
        ["docker", "compose", "up", "--build", "--detach", "--wait"],  # noqa: S607 - see engine
        env=dict(environment),
        check=False,
    )
    failed = _failures(docker)
    for service in failed:
        logs = docker(
            ["compose", "logs", "--no-color", "--no-log-prefix", f"--tail={_LAST_LINES}", service]
        )
        _say(f"\nThe last lines of {service}:\n{logs.output.rstrip() or '(nothing)'}\n")
    if up.returncode != 0 or failed:
        raise CannotStartError("The board did not come up")
    address = f"http://localhost:{project.port}"
    _say(
        f"The board is up: {address}\n"
        f"    curl -i '{address}/api/threads?limit=3'\n"
        "    docker compose logs demo       the users of the demo, and their passwords\n"
        "    docker compose logs -f         everything else\n"
        "    make down                      stop it; the data stays"
    )


def port_is_free(port: int) -> bool:
    """Whether no process listens on `port` of this machine's loopback address."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _leave_other_deployments(docker: Docker, project: Project) -> None:
    listed = docker(["compose", "--profile", "*", "ps", "--all", "--services"])
    others = sorted(set(listed.output.split()) - project.services)
    if others:
        _say(f"Stopping the services that are not part of this deployment: {', '.join(others)}")
        docker(["compose", "--profile", "*", "rm", "--stop", "--force", *others])


def _failures(docker: Docker) -> list[str]:
    """The services that failed or are unhealthy, without those that were not started for it."""
    listed = docker(["compose", "ps", "--all", "--format", "json"])
    failed: list[str] = []
    for line in listed.output.splitlines():
        container = json.loads(line)
        ended = container["State"] == "exited" and container["ExitCode"] != 0
        if ended or container["State"] == "restarting" or container["Health"] == "unhealthy":
            failed.append(container["Service"])
    return failed


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
