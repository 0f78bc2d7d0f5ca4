"""Each image contains only the code and the libraries of its own process."""

import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import docker
import pytest
from docker.models.containers import Container
from docker.models.images import Image

from tests.docker.project import ROOT, image
from tests.repository import files
from topology.contexts import CONTEXT_NAMES
from topology.deployments import GATEWAY, IMAGES, SERVERS

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("images")]

BASE = "python:3.13-slim-bookworm"
LARGEST = 110 * 1000 * 1000


def _folders(package: str) -> set[str]:
    """A package's folder and its subfolders, if they have files."""
    return {str(path.parent) for path in files() if path.parts[0] == package}


def _context(name: str) -> set[str]:
    """A context's folders with code, without its migrations."""
    folders = {
        folder for folder in _folders("services") if f"{folder}/".startswith(f"services/{name}/")
    }
    return folders - {f"services/{name}/migrations"}


_CONTEXTS = {folder for name in CONTEXT_NAMES for folder in _context(name)}

# Cases run a state machine, whose definition is among the templates.
_WORKFLOW = {"workflow", "infra"}

CODE = {
    **{
        context: {"containers", *_folders("kernel"), "services", *_context(context)}
        for context in CONTEXT_NAMES
    },
    "cases": {
        *("containers", *_folders("kernel"), "services", *_context("cases")),
        *_WORKFLOW,
    },
    "web": {"containers", *_folders("kernel"), *_folders("web")},
    "monolith": {
        *("containers", *_folders("kernel"), "monolith", *_folders("web"), "services"),
        *_CONTEXTS,
        *_WORKFLOW,
    },
    "gateway": {"containers", *_folders("gateway"), "infra"},
    "board": {
        *("containers", *_folders("kernel"), "topology", *_folders("board"), "services"),
        *_CONTEXTS,
        *_WORKFLOW,
        *(f"services/{context}/migrations" for context in CONTEXT_NAMES),
    },
}
"""The folders with files in /board, by image."""

ABSENT = {
    "users": {"alembic", "sqlalchemy", "boto3", "nh3", "markdown_it", "yaml"},
    "threads": {"alembic", "boto3", "sqlalchemy", "nh3", "argon2", "yaml"},
    "posts": {"alembic", "boto3", "sqlalchemy", "argon2", "yaml"},
    "cases": {"alembic", "sqlalchemy", "nh3", "argon2", "yaml"},
    "web": {"alembic", "sqlalchemy", "argon2", "nh3", "yaml"},
    "monolith": {"alembic", "boto3", "sqlalchemy", "yaml"},
    "gateway": {"fastapi", "pydantic", "asyncpg", "alembic", "httpx"},
    "board": {"yaml", "boto3", "pytest"},
}
"""By image: libraries that only other images need."""


def _run(client: docker.DockerClient, name: str, *command: str) -> str:
    output: bytes = client.containers.run(
        image(name),
        entrypoint=[command[0]],
        command=list(command[1:]),
        read_only=True,
        network_mode="none",
        remove=True,
    )
    return output.decode()


@pytest.fixture(params=IMAGES)
def laid_out(request: pytest.FixtureRequest, client: docker.DockerClient) -> Iterator[Container]:
    """A container of each image, not started."""
    found = client.containers.create(image(request.param))
    found.attrs["board"] = request.param
    yield found
    found.remove()


def test_image_has_only_the_code_of_its_process(laid_out: Container) -> None:
    chunks, _ = laid_out.get_archive("/board")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        inside = [PurePosixPath(f.name).relative_to("board") for f in archive if f.isfile()]
    folders = {
        str(path.parent)
        for path in inside
        if "__pycache__" not in path.parts and path.parts[0] != "requirements"
    }
    assert folders == CODE[laid_out.attrs["board"]]


@pytest.mark.parametrize("name", IMAGES)
def test_image_has_only_libraries_that_its_process_needs(
    name: str, client: docker.DockerClient
) -> None:
    script = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    assert _run(client, name, "python", "-c", script, *sorted(ABSENT[name])).strip() == "[]"


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_has_no_compiler(name: str, client: docker.DockerClient) -> None:
    script = "import shutil; print([n for n in ('cc', 'gcc', 'clang', 'make') if shutil.which(n)])"
    assert _run(client, name, "python", "-c", script).strip() == "[]"


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_starts_on_its_own(name: str, client: docker.DockerClient) -> None:
    """Everything that it imports is in the image: it starts and reports its missing settings."""
    container = client.containers.run(
        image(name), detach=True, read_only=True, network_mode="none", cap_drop=["ALL"],
        environment={"PUBLIC_ORIGIN": "http://localhost"},
    )  # fmt: skip
    try:
        container.wait(timeout=60)
        said = container.logs().decode()
    finally:
        container.remove(force=True)
    expected = {
        "board": "usage: board",
        "gateway": "--template",
        "web": "USERS_URL: Field required",
    }
    assert expected.get(name, "_DATABASE_URL: Field required") in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_adds_less_than_110_mb_to_its_base(
    name: str,
    client: docker.DockerClient,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    base, whole = client.images.get(BASE), client.images.get(image(name))
    layers = base.attrs["RootFS"]["Layers"]
    assert whole.attrs["RootFS"]["Layers"][: len(layers)] == layers
    added = _uncompressed(whole) - _uncompressed(base)
    record_testsuite_property(f"bytes of {name} beyond its base", added)
    assert 0 < added < LARGEST


def _uncompressed(image: Image) -> int:
    # Not its `Size`, which is the compressed size if the engine uses containerd's image store.
    return sum(int(layer["Size"]) for layer in image.history())


@pytest.mark.parametrize("name", IMAGES)
def test_image_is_for_amd64_and_runs_as_an_unprivileged_user(
    name: str, client: docker.DockerClient
) -> None:
    attributes = client.images.get(image(name)).attrs
    config = attributes["Config"]
    assert (attributes["Os"], attributes["Architecture"]) == ("linux", "amd64")
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"][0] == "python"
    assert config["Labels"]["org.opencontainers.image.title"] == f"board/{name}"
    assert config["Labels"]["org.opencontainers.image.description"]
    check = config["Healthcheck"]["Test"]
    assert check[:2] == ["CMD", "python"] if name != "board" else check == ["NONE"]


@pytest.mark.parametrize("name", IMAGES)
def test_image_has_no_secret_in_its_environment(name: str, client: docker.DockerClient) -> None:
    found = client.images.get(image(name))
    told = "\n".join([*found.attrs["Config"]["Env"], *(h["CreatedBy"] for h in found.history())])
    for word in ("PASSWORD", "TOKEN", "DATABASE_URL", "postgresql://", "SECRET="):
        assert word not in told.upper().replace("POSTGRESQL://", "postgresql://")


def test_a_change_to_one_service_leaves_the_other_images_alone(
    client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Built from a copy with a change in threads only, all other images have the same ids."""
    copy = tmp_path_factory.mktemp("changed")
    packed = subprocess.run(
        ["tar", "--create", "--exclude-from=.gitignore", "--exclude=.git", "."],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    subprocess.run(["tar", "--extract"], cwd=copy, input=packed.stdout, check=True)
    changed = copy / "services" / "threads" / "model.py"
    changed.write_text(changed.read_text() + "\n# changed\n")
    before = {name: client.images.get(image(name)).attrs for name in IMAGES}
    services = ("prepare", *SERVERS, GATEWAY)
    try:
        for folder in (ROOT, copy):
            subprocess.run(
                ["docker", "compose", "--profile", "*", "build", "--quiet", *services],
                cwd=folder, check=True, capture_output=True, timeout=400,
            )  # fmt: skip
            if folder == ROOT:
                before = {name: client.images.get(image(name)).attrs for name in IMAGES}
        after = {name: client.images.get(image(name)).attrs for name in IMAGES}
    finally:
        subprocess.run(
            ["docker", "compose", "--profile", "*", "build", "--quiet", *services],
            cwd=ROOT, check=True, capture_output=True, timeout=400,
        )  # fmt: skip
    same = {n for n in IMAGES if before[n]["RootFS"]["Layers"] == after[n]["RootFS"]["Layers"]}
    assert same == set(IMAGES) - {"threads", "monolith", "board"}
    dependencies = before["threads"]["RootFS"]["Layers"][:-4]
    assert after["threads"]["RootFS"]["Layers"][: len(dependencies)] == dependencies
