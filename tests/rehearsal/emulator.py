"""The emulated AWS: ministack, in an environment of its own, with real containers for tasks."""

import ipaddress
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import docker
import httpx

from deploy.aws import Aws
from tests.eventually import eventually_blocking

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "rehearsal" / "bin" / "python"
PROGRAM = Path(__file__).with_name("emulator_main.py")
REGION = "us-east-1"
TASKS = "ministack-ecs-"
"""The prefix of the names of tasks' containers."""

_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "rehearsal", "AWS_SECRET_ACCESS_KEY": "rehearsal"}


@dataclass(frozen=True)
class Emulator:
    """A running emulator. `gateway` is this machine's address as containers see it."""

    port: int
    gateway: str
    engine: docker.DockerClient

    @property
    def url(self) -> str:
        """The URL of all its services."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment with which a command calls the emulator instead of AWS."""
        return {**_CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION}

    def aws(self) -> Aws:
        """Clients of its services."""
        return services_at(self.url)


def services_at(url: str) -> Aws:
    """Clients of the emulator's services at this URL."""
    session = boto3.session.Session(
        aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return Aws(session, url)


@contextmanager
def emulator(log: Path, health: Sequence[Path]) -> Iterator[Emulator]:
    """An empty emulator; its containers are removed at the end. Its ECS reads the healthy targets
    from the files in `health`: the public load balancer's, then the internal one's."""
    assert PYTHON.exists(), "make rehearse installs the emulator"
    engine = docker.from_env()
    bridge = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]
    # A Docker engine that has just started for the first time does not name the bridge's gateway.
    # Unless configured otherwise, it is the first address of the bridge's network.
    gateway = bridge.get("Gateway") or str(ipaddress.ip_network(bridge["Subnet"])[1])
    found = Emulator(free_port("127.0.0.1"), gateway, engine)
    environment = {
        **os.environ,
        # Tasks do not call the emulator, so only this machine has to reach it.
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(found.port),
        "MINISTACK_REGION": REGION,
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(PYTHON), str(PROGRAM), *(str(file) for file in health)],
            env=environment,
            stdout=output,
            stderr=output,
            cwd=log.parent,
        )
        try:
            _wait_for(found, process, log)
            yield found
        finally:
            process.terminate()
            process.wait(timeout=30)
            for container in engine.containers.list(
                all=True, filters={"name": TASKS}, ignore_removed=True
            ):
                container.remove(force=True, v=True)
            engine.close()


def _wait_for(found: Emulator, process: subprocess.Popen[bytes], log: Path) -> None:
    def responds() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{found.url}/_ministack/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    eventually_blocking(responds, within=60, what="the emulator's start")


def free_port(address: str) -> int:
    """A free port of this address of this machine."""
    with socket.create_server((address, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
