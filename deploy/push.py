"""Images into the registry, each once."""

from collections.abc import Callable, Sequence

from deploy.docker import Docker
from deploy.errors import CannotDeployError
from deploy.images import Image, must_be_amd64
from deploy.registry import Registry


def push(
    docker: Docker,
    registry: Registry,
    project: str,
    revision: str,
    images: Sequence[Image],
    say: Callable[[str], None],
) -> None:
    """Push the images as this revision of the project; what the registry has already is left as
    it is, since a tag never comes to mean another image. Raises `CannotDeployError`."""
    for image in images:
        name = f"{project}/{image.stage}"
        reference = f"{registry.repository(name)}:{revision}"
        if registry.has(name, revision):
            say(f"{reference}: is there already")
            continue
        must_be_amd64(docker, image.tag)
        say(f"{reference}: pushing it ...")
        for command in (["tag", image.tag, reference], ["push", "--quiet", reference]):
            answer = docker(command, None)
            if answer.status != 0:
                raise CannotDeployError(f"docker {' '.join(command)}: {answer.error.strip()}")


def must_have(registry: Registry, project: str, revision: str, stages: Sequence[str]) -> None:
    """Raise `CannotDeployError` unless the registry has an image of each stage."""
    missing = [stage for stage in stages if not registry.has(f"{project}/{stage}", revision)]
    if missing:
        raise CannotDeployError(
            f"The registry has no image of {', '.join(missing)} at revision {revision}: "
            "make push-ecr, or name a revision that is there with REVISION=..."
        )
