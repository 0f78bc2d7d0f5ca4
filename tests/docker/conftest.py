"""The images, built once, and the board of the tests in Compose."""

from collections.abc import Iterator

import docker
import pytest

from tests.docker.project import Project, engine, image, project
from topology.deployments import GATEWAY, IMAGES, SERVERS

_NAME = "board-tests"


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The client of the Docker engine."""
    found = engine()
    yield found
    found.close()


@pytest.fixture(scope="session")
def images() -> list[str]:
    """The tags of all images, built from the working tree."""
    with project("board-tests-build", "microservices") as builder:
        services = ("prepare", *SERVERS, GATEWAY)
        builder.compose("--profile", "*", "build", *services)
    return [image(name) for name in IMAGES]


@pytest.fixture(scope="module")
def services(images: list[str]) -> Iterator[Project]:  # noqa: ARG001 - they must have been built
    """The running board, as services."""
    with project(_NAME, "microservices") as found:
        found.up()
        yield found
