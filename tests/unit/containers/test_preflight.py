"""Before Compose starts anything, the checks report what would prevent a start."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from containers.engine import CommandResult, Docker, docker_command
from containers.errors import CannotStartError
from containers.preflight import check

ENGINE = {"ServerVersion": "29.0", "OSType": "linux", "Architecture": "x86_64"}
CONFIG = {
    "name": "board",
    "services": {"users": {}, "gateway": {"ports": [{"published": "8080", "target": 8080}]}},
}


def _docker(
    *,
    version: CommandResult | str = "2.40.3",
    info: CommandResult | Mapping[str, object] = ENGINE,
    config: CommandResult | Mapping[str, object] = CONFIG,
    ours: str = "",
) -> Docker:
    """A fake `docker` with these results."""

    def answer(what: CommandResult | str | Mapping[str, object]) -> CommandResult:
        if isinstance(what, CommandResult):
            return what
        return CommandResult(0, what if isinstance(what, str) else json.dumps(what), "")

    def run(arguments: Sequence[str]) -> CommandResult:
        match list(arguments):
            case ["compose", "version", *_]:
                return answer(version)
            case ["info", *_]:
                return answer(info)
            case ["compose", "config", *_]:
                return answer(config)
            case ["ps", *_]:
                return answer(ours)
        raise AssertionError(arguments)

    return run


def _refused(docker: Docker, *, free: bool = True) -> str:
    with pytest.raises(CannotStartError) as refused:
        check(docker, lambda port: free)  # noqa: ARG005 - every port is
    return str(refused.value)


def test_check_returns_the_project_if_nothing_prevents_a_start() -> None:
    project, notices = check(_docker(), lambda port: port == 8080)
    assert (project.name, project.port) == ("board", 8080)
    assert project.services == {"users", "gateway"}
    assert notices == []


def test_missing_docker_is_reported_with_how_to_install_it() -> None:
    assert "install Docker" in _refused(docker_command({"PATH": "/nowhere"}))


@pytest.mark.parametrize(
    "version",
    [
        CommandResult(1, "", "docker: 'compose' is not a docker command."),
        CommandResult(0, "", "docker: 'compose' is not a docker command."),
    ],
)
def test_docker_without_compose_v2_is_rejected(version: CommandResult) -> None:
    assert "no Compose v2" in _refused(_docker(version=version))


@pytest.mark.parametrize("version", ["1.29.2", "2.19.1", "v2.3.3"])
def test_old_compose_is_rejected_with_its_version(version: str) -> None:
    assert f"This is Compose {version}" in _refused(_docker(version=version))


@pytest.mark.parametrize("version", ["2.20.0", "v2.40.3", "5.0.1-desktop.1"])
def test_newer_compose_is_accepted(version: str) -> None:
    check(_docker(version=version), lambda port: True)  # noqa: ARG005 - every port is free


@pytest.mark.parametrize(
    "info",
    [
        CommandResult(1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."),
        {"ServerErrors": ["Cannot connect to the Docker daemon at unix:///var/run/docker.sock."]},
    ],
)
def test_stopped_engine_is_rejected(info: Any) -> None:
    said = _refused(_docker(info=info))
    assert "is not running" in said
    assert "Cannot connect to the Docker daemon" in said


def test_engine_without_permission_is_rejected() -> None:
    info = {"ServerErrors": ["permission denied while trying to connect to the Docker daemon"]}
    assert "join the group `docker`" in _refused(_docker(info=info))


def test_engine_with_windows_containers_is_rejected() -> None:
    assert "Linux containers" in _refused(_docker(info={**ENGINE, "OSType": "windows"}))


@pytest.mark.parametrize("architecture", ["aarch64", "arm64"])
def test_arm_machine_gets_a_notice_about_emulation(architecture: str) -> None:
    docker = _docker(info={**ENGINE, "Architecture": architecture})
    _, (notice,) = check(docker, lambda port: True)  # noqa: ARG005 - every port is free
    assert architecture in notice
    assert "emulation" in notice
    assert "--install amd64" in notice


def test_taken_port_is_rejected_and_another_suggested() -> None:
    said = _refused(_docker(), free=False)
    assert "Port 8080" in said
    assert "make up PORT=8081" in said


def test_port_of_the_projects_own_gateway_is_accepted() -> None:
    project, _ = check(_docker(ours="4f1c"), lambda port: False)  # noqa: ARG005 - no port is free
    assert project.port == 8080


def test_error_of_compose_for_an_invalid_setting_is_shown() -> None:
    said = _refused(_docker(config=CommandResult(15, "", "invalid hostPort: 8080x")))
    assert "invalid hostPort: 8080x" in said


def test_unknown_profile_is_rejected_with_the_valid_names() -> None:
    assert "must be one of" in _refused(_docker(config={"name": "board", "services": {}}))
