"""Measures the board in containers: seconds to start and to stop, memory, and image sizes.

    python -m bench.containers [--rounds 3]

Builds all images. Each round then starts the deployment `microservices` twice, as a Compose project
of its own: first without data, with `--build` and every layer cached, and then with the data of the
first start. It measures the memory of the idle containers, and stops them. Needs Docker; other load
on the machine affects the results. Only the images are left behind.

The exit code is 1 if a figure is above its limit in any round.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docker
from docker.models.images import Image

from topology.deployments import GATEWAY, IMAGES, SERVERS, SERVICES

_ROOT: Final = Path(__file__).parents[1]
_BASE: Final = "python:3.13-slim-bookworm"
_BUILT_BY: Final = (*SERVERS, GATEWAY, "prepare")
_RUNNING: Final = frozenset({*SERVICES, GATEWAY, "postgres"})
_SETTLED: Final = 5.0
"""Seconds after which a started process is idle."""


@dataclass
class Figure:
    """A measured quantity: one value for each round, and the limit that all must be below."""

    what: str
    unit: str
    below: float
    values: list[float] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether there is a value, and all are below it."""
        return bool(self.values) and max(self.values) < self.below

    def __str__(self) -> str:
        values = " ".join(f"{value:.1f}" for value in self.values)
        verdict = "" if self.holds else "  TOO MUCH"
        return f"{self.what:<52} below {self.below:g} {self.unit}: {values}{verdict}"


class Compose:
    """A Compose project from this repository's docker-compose.yml, on a free port."""

    def __init__(self, name: str, client: docker.DockerClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self._name = name
        self._client = client
        self._environment = {
            **os.environ,
            "COMPOSE_PROFILES": "microservices",
            "PORT": str(port),
        }

    def run(self, *arguments: str) -> float:
        """Run `docker compose ARGUMENTS`. Returns the seconds it took; SystemExit if it fails."""
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            ["docker", "compose", "--project-name", self._name, *arguments],  # noqa: S607 - found on the PATH
            cwd=_ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit(f"docker compose {' '.join(arguments)}:\n{done.stdout}")
        return took

    def memory(self) -> int:
        """The memory of all containers in bytes, including cached files.

        SystemExit unless exactly the expected services run.
        """
        label = f"com.docker.compose.project={self._name}"
        running = self._client.containers.list(filters={"label": label})
        services = {container.labels["com.docker.compose.service"] for container in running}
        if services != _RUNNING:
            raise SystemExit(f"Only these run: {', '.join(sorted(services))}")
        total = 0
        for container in running:
            stats: Any = container.stats(stream=False)
            total += int(stats["memory_stats"]["usage"])
        return total


@contextmanager
def _compose() -> Iterator[Compose]:
    client = docker.from_env()
    found = Compose("board-bench", client)
    try:
        yield found
    finally:
        found.run("--profile", "*", "down", "--volumes", "--timeout", "1")
        client.close()


def _measure(rounds: int) -> list[Figure]:
    sizes = _sizes()
    first = Figure("docker compose up --build --wait, layers cached", "s", 40)
    start = Figure("docker compose up --wait, with data", "s", 20)
    memory = Figure("memory, idle, all containers", "MB", 700)
    stop = Figure("docker compose stop, idle", "s", 12)
    for _ in range(rounds):
        with _compose() as board:
            first.values.append(board.run("up", "--build", "--detach", "--wait"))
            board.run("down")
            start.values.append(board.run("up", "--detach", "--wait"))
            time.sleep(_SETTLED)
            memory.values.append(board.memory() / 1e6)
            stop.values.append(board.run("stop"))
    return [*sizes, first, start, memory, stop]


def _sizes() -> list[Figure]:
    with _compose() as board:
        board.run("--profile", "*", "build", *_BUILT_BY)
    client = docker.from_env()
    base = _uncompressed(client.images.get(_BASE))
    figures = []
    for name in IMAGES:
        size = _uncompressed(client.images.get(f"board/{name}:local")) - base
        figures.append(Figure(f"image {name}, beyond its base", "MB", 110, [size / 1e6]))
    client.close()
    return figures


def _uncompressed(image: Image) -> int:
    # Not its `Size`, which is the compressed size if the engine uses containerd's image store.
    return sum(int(layer["Size"]) for layer in image.history())


def main() -> int:
    """Measure, and print a line for each figure. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measures the board in containers.")
    parser.add_argument("--rounds", type=int, default=3)
    figures = _measure(parser.parse_args().rounds)
    for figure in figures:
        print(figure)  # noqa: T201 - a command's output
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
