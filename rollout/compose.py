"""The board that Docker Compose runs."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from containers.engine import Docker
from containers.errors import CannotStartError
from rollout.board import State
from rollout.errors import CannotRollOutError
from topology.changes import HEALTHY, why_not_shift, why_not_stop, with_called
from topology.deployments import GATEWAY, MONOLITH, SERVERS, SERVICES
from topology.routing import target_group

ADMIN_SOCKET: Final = "/tmp/admin"  # noqa: S108 - in the gateway's container, which is its own
"""Where the gateway's container takes commands."""
_HEALTHY_SECONDS = 60.0
_EVERY_PROFILE: Final = ("compose", "--profile", "*")


class ComposeBoard:
    """A board in containers, whose gateway takes commands in its container."""

    place = "in Docker Compose (make up)"

    def __init__(
        self,
        docker: Docker,
        gateway: str,
        sleep: Callable[[float], None] = time.sleep,
        file: Path = Path("docker-compose.yml"),
    ) -> None:
        """`gateway` is the name of the gateway's service in `file`."""
        self._file = file
        self._docker = docker
        self._gateway = gateway
        self._sleep = sleep

    def state(self) -> State:
        """The shares, and what runs."""
        return State(_shares(self._rules()), self._health())

    def shift(self, service: str, share: int, *, force: bool) -> State:
        """Change the weights at the gateway; the next request follows them."""
        with _one_at_a_time(self._file):
            return self._shift(service, share, force=force)

    def start(self, server: str) -> State:
        """Start the container and those that it calls, and register them at the gateway."""
        with _one_at_a_time(self._file):
            return self._start(server)

    def stop(self, server: str) -> State:
        """Deregister the container at the gateway, let it finish its requests, and stop it."""
        with _one_at_a_time(self._file):
            return self._stop(server)

    def _shift(self, service: str, share: int, *, force: bool) -> State:
        refused = None if force else why_not_shift(self._health(), service, share)
        if refused:
            raise CannotRollOutError(refused)
        group = target_group(service)
        for rule, weights in self._rules():
            if group in weights:
                self._ask(
                    "weights", rule, f"{group}={share}", f"{target_group(MONOLITH)}={100 - share}"
                )
        return self.state()

    def _start(self, server: str) -> State:
        health = self._health()
        if server in health:
            raise CannotRollOutError(f"{server} is running already")
        wanted = [one for one in with_called(server) if one not in health]
        self._run(
            *_EVERY_PROFILE, "up", "--detach", "--wait", "--no-deps", "--no-recreate", *wanted
        )
        for one in wanted:
            self._ask("register", target_group(one), _url(one))
        for _ in range(round(_HEALTHY_SECONDS)):
            health = self._health()
            if all(health.get(one) == HEALTHY for one in wanted):
                return self.state()
            self._sleep(1.0)
        raise CannotRollOutError(f"{', '.join(wanted)} started, but did not become healthy")

    def _stop(self, server: str) -> State:
        refused = why_not_stop(self._health(), _shares(self._rules()), server)
        if refused:
            raise CannotRollOutError(refused)
        self._ask("deregister", target_group(server), _url(server))
        self._run(*_EVERY_PROFILE, "stop", server)
        return self.state()

    def _health(self) -> dict[str, str]:
        described: Mapping[str, Any] = self._ask("health")
        return {
            server: target["TargetHealth"]["State"]
            for server in SERVERS
            for target in described[target_group(server)]["TargetHealthDescriptions"]
            if target["TargetHealth"]["State"] != "draining"
        }

    def _rules(self) -> list[tuple[str, Mapping[str, int]]]:
        return [
            (rule["LogicalId"], rule["Weights"])
            for listener in self._ask("rules")
            for rule in listener["Rules"]
            if "Weights" in rule
        ]

    def _ask(self, command: str, *arguments: str) -> Any:
        admin = ("python", "-m", "gateway", command, "--admin-socket", ADMIN_SOCKET)
        output = self._run(*_EVERY_PROFILE, "exec", "-T", self._gateway, *admin, *arguments)
        return json.loads(output)

    def _run(self, *arguments: str) -> str:
        done = self._docker(arguments)
        if done.status != 0:
            raise CannotRollOutError(f"docker {' '.join(arguments)}: {done.error.strip()}")
        return done.output


def find(docker: Docker) -> ComposeBoard | None:
    """The board that runs in containers of this project, or None.

    Raises CannotRollOutError if the gateways of several profiles run.
    """
    try:
        listed = docker((*_EVERY_PROFILE, "ps", "--status", "running", "--services"))
    except CannotStartError:
        # There is no docker command, so nothing runs in containers.
        return None
    running: Sequence[str] = listed.output.split() if listed.status == 0 else ()
    gateways = [name for name in running if name == GATEWAY or name.startswith(f"{GATEWAY}-")]
    if len(gateways) > 1:
        raise CannotRollOutError(
            f"{' and '.join(gateways)} run at the same time: make up starts one of them"
        )
    return ComposeBoard(docker, gateways[0]) if gateways else None


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """Refuse a command while another one changes the same project: a lock on Compose's file."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CannotRollOutError("another command is not finished yet") from None
    finally:
        os.close(descriptor)


def _shares(rules: Sequence[tuple[str, Mapping[str, int]]]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for _, weights in rules:
        for service in SERVICES:
            if target_group(service) in weights:
                own, rest = weights[target_group(service)], weights[target_group(MONOLITH)]
                shares[service] = round(100 * own / ((own + rest) or 1))
    return shares


def _url(server: str) -> str:
    return f"http://{server}:8000"
