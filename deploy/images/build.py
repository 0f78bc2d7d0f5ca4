"""Builds the images of the board, and checks their platform."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.errors import CannotDeployError
from deploy.images.docker import Docker

PLATFORM: Final = "linux/amd64"
_REVISION: Final = "org.opencontainers.image.revision"


@dataclass(frozen=True)
class Image:
    """An image on this machine: its stage of the Dockerfile, and its name."""

    stage: str
    tag: str


def local_tag(stage: str, revision: str) -> str:
    """The name of a stage's image on this machine."""
    return f"board/{stage}:{revision}"


def build(
    docker: Docker, stages: Sequence[str], revision: str, say: Callable[[str], None]
) -> list[Image]:
    """Build the stages for `PLATFORM`, whatever this machine's platform is, and check the result.
    Without attestations, the result is a plain image and not an index. Raises
    `CannotDeployError`."""
    wanted = [Image(stage, local_tag(stage, revision)) for stage in stages]
    if not wanted:
        return wanted
    say(f"Building {', '.join(image.tag for image in wanted)} ...")
    with_buildx = docker(["buildx", "version"], None).status == 0
    for command, stdin in (_with_buildx if with_buildx else _with_compose)(wanted, revision):
        result = docker(command, stdin)
        if result.status != 0:
            said = f"{result.output}\n{result.error}".strip()
            raise CannotDeployError(f"An image could not be built:\n{said}")
    for image in wanted:
        require_amd64(docker, image.tag)
    return wanted


def _with_buildx(wanted: Sequence[Image], revision: str) -> Iterator[tuple[list[str], str | None]]:
    command = ["buildx", "build", "--quiet", "--load", f"--platform={PLATFORM}"]
    command += ["--provenance=false", "--sbom=false", f"--label={_REVISION}={revision}"]
    for image in wanted:
        yield [*command, f"--target={image.stage}", f"--tag={image.tag}", "."], None


def _with_compose(wanted: Sequence[Image], revision: str) -> Iterator[tuple[list[str], str | None]]:
    """For engines without buildx: the builder of Compose, which adds no attestations."""
    build = {"context": ".", "platforms": [PLATFORM], "labels": {_REVISION: revision}}
    services = {
        image.stage: {"image": image.tag, "build": {**build, "target": image.stage}}
        for image in wanted
    }
    command = ["compose", "--file=-", "--project-directory=.", "--progress=quiet", "build"]
    yield command, json.dumps({"name": "board-images", "services": services})


def require_amd64(docker: Docker, tag: str) -> None:
    """Raise `CannotDeployError` unless the image is for `PLATFORM`."""
    result = docker(["image", "inspect", tag], None)
    if result.status != 0:
        raise CannotDeployError(f"There is no image {tag} here: make images")
    (facts,) = json.loads(result.output)
    found = f"{facts['Os']}/{facts['Architecture']}"
    if found != PLATFORM:
        raise CannotDeployError(
            f"{tag} is {found}, and is not pushed: the instances of infra/cluster.yml have AMD64 "
            "processors (the types t3, t3a, m7i, m7a), where it would fail with `exec format "
            f"error`. `make images` builds it for {PLATFORM}. An ARM laptop needs emulation for "
            "that, which Docker Desktop has; elsewhere, install it with: "
            "docker run --privileged --rm tonistiigi/binfmt --install amd64"
        )
