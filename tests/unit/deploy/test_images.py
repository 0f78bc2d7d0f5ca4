"""Images are built for AMD64 on any machine, pushed once each, and never for another processor."""

import json
from collections.abc import Sequence

import pytest

from deploy.commands.push import absent, push, require_images
from deploy.errors import CannotDeployError
from deploy.images.build import Image, build, local_tag
from deploy.images.docker import CommandResult, require_engine

REVISION = "0123456789ab"


class Engine:
    """A fake `docker` whose images have one architecture; it records its commands."""

    def __init__(self, architecture: str = "amd64", *, buildx: bool = True) -> None:
        self._facts = json.dumps([{"Os": "linux", "Architecture": architecture}])
        self._buildx = buildx
        self.asked: list[list[str]] = []
        self.read: list[str | None] = []
        self.fails: str | None = None

    def __call__(self, arguments: Sequence[str], stdin: str | None) -> CommandResult:
        self.asked.append(list(arguments))
        self.read.append(stdin)
        if self.fails is not None and arguments[0] == self.fails:
            return CommandResult(1, "", "it does not work")
        if list(arguments) == ["buildx", "version"]:
            return CommandResult(0 if self._buildx else 1, "", "")
        return CommandResult(0, self._facts if arguments[:2] == ["image", "inspect"] else "", "")

    def asked_to(self, verb: str) -> list[list[str]]:
        return [arguments for arguments in self.asked if arguments[0] == verb]


class Shelf:
    """A registry that has some images."""

    def __init__(self, *has: str) -> None:
        self._has = set(has)

    def sign_in(self, docker: object) -> None:
        del docker

    def repository(self, name: str) -> str:
        return f"registry.example/{name}"

    def has(self, name: str, tag: str) -> bool:
        return f"{name}:{tag}" in self._has


def test_images_are_built_for_one_platform_and_without_attestations() -> None:
    engine = Engine()
    assert build(engine, ["users"], REVISION, print) == [Image("users", f"board/users:{REVISION}")]
    (_, command) = engine.asked_to("buildx")
    assert {"--platform=linux/amd64", "--provenance=false", "--sbom=false"} <= set(command)
    assert f"--label=org.opencontainers.image.revision={REVISION}" in command


def test_without_buildx_compose_builds_them() -> None:
    engine = Engine(buildx=False)
    build(engine, ["users"], REVISION, print)
    (position,) = [at for at, asked in enumerate(engine.asked) if asked[0] == "compose"]
    service = json.loads(engine.read[position] or "")["services"]["users"]
    assert service["build"]["platforms"] == ["linux/amd64"]
    assert service["image"] == local_tag("users", REVISION)


def test_reports_the_output_of_a_failed_build() -> None:
    engine = Engine(buildx=False)
    engine.fails = "compose"
    with pytest.raises(CannotDeployError, match="it does not work"):
        build(engine, ["users"], REVISION, print)


@pytest.mark.parametrize("architecture", ["arm64", "386"])
def test_does_not_push_another_architecture(architecture: str) -> None:
    engine = Engine(architecture)
    image = Image("users", local_tag("users", REVISION))
    with pytest.raises(CannotDeployError, match=rf"linux/{architecture}.*exec format.*make images"):
        push(engine, Shelf(), "board", REVISION, [image], print)
    assert engine.asked_to("push") == []


def test_pushes_an_image_under_its_revision() -> None:
    engine = Engine()
    image = Image("users", local_tag("users", REVISION))
    push(engine, Shelf(), "board", REVISION, [image], print)
    assert engine.asked_to("push") == [
        ["push", "--quiet", f"registry.example/board/users:{REVISION}"]
    ]


def test_existing_image_is_neither_built_nor_pushed_again() -> None:
    engine, said = Engine("arm64"), list[str]()
    shelf = Shelf(f"board/users:{REVISION}")
    wanted = absent(shelf, "board", REVISION, ["users"], said.append)
    push(engine, shelf, "board", REVISION, build(engine, wanted, REVISION, print), print)
    assert engine.asked == []
    assert said == [f"registry.example/board/users:{REVISION}: exists already"]


def test_names_all_missing_images_at_once() -> None:
    shelf = Shelf(f"board/users:{REVISION}")
    with pytest.raises(CannotDeployError, match=f"no image of web, board at revision {REVISION}"):
        require_images(shelf, "board", REVISION, ["users", "web", "board"])
    require_images(shelf, "board", REVISION, ["users"])


def test_explains_an_engine_that_does_not_respond() -> None:
    engine = Engine()
    engine.fails = "info"
    with pytest.raises(CannotDeployError, match=r"engine does not respond.*it does not work"):
        require_engine(engine)
