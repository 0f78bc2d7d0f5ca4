"""Pushes images to the registry, each only once."""

from collections.abc import Callable, Sequence

from deploy.errors import CannotDeployError
from deploy.images.build import Image, require_amd64
from deploy.images.docker import Docker
from deploy.images.registry import Registry


def absent(
    registry: Registry,
    project: str,
    revision: str,
    stages: Sequence[str],
    say: Callable[[str], None],
) -> list[str]:
    """The stages for which the registry has no image at this revision. An existing image is never
    replaced: a tag always means the same image."""
    found = []
    for stage in stages:
        name = f"{project}/{stage}"
        if registry.has(name, revision):
            say(f"{registry.repository(name)}:{revision}: exists already")
        else:
            found.append(stage)
    return found


def push(
    docker: Docker,
    registry: Registry,
    project: str,
    revision: str,
    images: Sequence[Image],
    say: Callable[[str], None],
) -> None:
    """Push the images as this revision of the project. Raises `CannotDeployError`, also for an
    image of another architecture."""
    for image in images:
        reference = f"{registry.repository(f'{project}/{image.stage}')}:{revision}"
        require_amd64(docker, image.tag)
        say(f"{reference}: pushing it ...")
        for command in (["tag", image.tag, reference], ["push", "--quiet", reference]):
            result = docker(command, None)
            if result.status != 0:
                raise CannotDeployError(f"docker {' '.join(command)}: {result.error.strip()}")


def require_images(registry: Registry, project: str, revision: str, stages: Sequence[str]) -> None:
    """Raise `CannotDeployError` unless the registry has an image of each stage."""
    missing = [stage for stage in stages if not registry.has(f"{project}/{stage}", revision)]
    if missing:
        raise CannotDeployError(
            f"The registry has no image of {', '.join(missing)} at revision {revision}: "
            "make push-ecr, or choose an existing revision with REVISION=..."
        )
