"""What docker-compose.yml and the Dockerfile result in: which containers reach each other, which
secrets each one sees, what it may write, and how long it may take to stop."""

import re
from typing import Any, Final

import pytest
import yaml

from gateway.template.reader import load_routing
from kernel.process.serve import LONGEST_REQUEST_SECONDS
from tests.cloudformation import ROOT
from topology.deployments import DEPLOYMENTS, IMAGES, SERVERS, SERVICES, databases_of
from topology.routing import STAND_INS

Service = dict[str, Any]

COMPOSE: Final = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: Final[dict[str, Service]] = COMPOSE["services"]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
GATEWAYS: Final = {"gateway", "gateway-monolith", "gateway-strangler"}
TO_BECOME_POSTGRES: Final = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
COMMANDS: Final = {"bootstrap", "migrate", "demo"}
WITH_DATABASE: Final = {server for server in SERVERS if databases_of(server)}


def networks(name: str) -> set[str]:
    """The networks of a container: `default` if it names none."""
    service = CONTAINERS[name]
    if "network_mode" in service:
        assert service["network_mode"] == "none"
        return set()
    return set(service.get("networks", ["default"]))


def reached_by(name: str) -> set[str]:
    """The containers that share a network with this one."""
    return {other for other in CONTAINERS if other != name and networks(other) & networks(name)}


def seconds(text: str) -> float:
    """A duration as Compose writes it."""
    found = re.fullmatch(r"([0-9.]+)s", text)
    assert found, text
    return float(found[1])


def secret_folders(name: str) -> set[str]:
    """The volumes of secrets that a container sees."""
    return {
        volume.partition(":")[0]
        for volume in CONTAINERS[name].get("volumes", ())
        if isinstance(volume, str) and volume.startswith("secrets")
    }


def test_only_servers_with_data_and_commands_reach_the_database() -> None:
    assert reached_by("postgres") == WITH_DATABASE | COMMANDS


def test_a_gateway_reaches_the_servers_and_no_other_container_does() -> None:
    for gateway in GATEWAYS:
        assert reached_by(gateway) & {*SERVERS, "postgres", *COMMANDS} == set(SERVERS)
    for server in SERVERS:
        assert reached_by(server) - GATEWAYS - set(SERVERS) <= {"postgres", *COMMANDS}


def test_prepare_reaches_nothing() -> None:
    assert networks("prepare") == set()


def test_only_gateways_are_published_and_only_on_this_machine() -> None:
    published = {name for name, service in CONTAINERS.items() if service.get("ports")}
    assert published == GATEWAYS
    for name in GATEWAYS:
        for port in CONTAINERS[name]["ports"]:
            assert port.startswith("127.0.0.1:"), port


def test_every_network_but_the_gateways_own_is_internal() -> None:
    outside = {
        network
        for network, settings in COMPOSE["networks"].items()
        if not (settings or {}).get("internal")
    }
    assert {name for name in CONTAINERS if networks(name) & outside} == GATEWAYS


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = CONTAINERS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("privileged", False) is False
    assert service.get("user") is None  # the image's user, which is not root
    needed = (
        {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"} if name == "postgres" else set()
    )
    assert set(service.get("cap_add", ())) == needed
    assert service["pids_limit"] <= 256
    assert {"mem_limit", "logging"} <= set(service)


SECRETS: Final = {
    "prepare": {
        "secrets", "secrets-postgres", "secrets-bootstrap", "secrets-databases",
        *(f"secrets-{server}" for server in SERVICES),
    },
    "postgres": {"secrets-postgres"},
    "bootstrap": {"secrets-bootstrap"},
    "migrate": {"secrets-databases"},
    "demo": {"secrets-databases"},
    "monolith": {"secrets-databases"},
    **{server: {f"secrets-{server}"} for server in SERVICES},
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_sees_its_own_secrets_only_and_cannot_change_them(name: str) -> None:
    assert secret_folders(name) == SECRETS.get(name, set())
    if name != "prepare":
        for volume in CONTAINERS[name].get("volumes", ()):
            if volume.startswith("secrets"):
                assert volume.endswith(":ro"), volume
            if volume.startswith("rules") and name not in GATEWAYS:
                assert volume.endswith(":ro"), volume
    assert not any("PASSWORD" in key for key in CONTAINERS[name].get("environment") or {})


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_profile_has_every_process_of_its_deployment_and_waits_for_each(deployment: str) -> None:
    running = {
        name
        for name, service in CONTAINERS.items()
        if deployment in service.get("profiles", [deployment])
    }
    servers = set(DEPLOYMENTS[deployment])
    [gateway] = running & GATEWAYS
    assert running == {*servers, gateway, "postgres", "prepare", *COMMANDS}
    command = " ".join(CONTAINERS[gateway]["command"])
    assert set(re.findall(r"--target=\w+=http://([a-z]+):8000", command)) == servers
    waits = CONTAINERS[gateway]["depends_on"]
    assert {name for name, how in waits.items() if how["condition"] == "service_healthy"} == servers


@pytest.mark.parametrize("name", SERVERS)
def test_servers_in_containers_log_json(name: str) -> None:
    assert CONTAINERS[name]["environment"]["LOG_FORMAT"] == "${LOG_FORMAT:-json}"


@pytest.mark.parametrize("name", SERVERS)
def test_stopping_server_serves_until_the_gateway_stops_using_it(name: str) -> None:
    routing = load_routing(ROOT / "infra" / "routing.yml", STAND_INS)
    checks = [group.health_check for group in routing.target_groups.values()]
    noticed = max(check.interval * check.unhealthy_threshold for check in checks)
    environment = CONTAINERS[name]["environment"]
    drain, silence = (float(environment[key]) for key in ("DRAIN_SECONDS", "DRAIN_SILENCE_SECONDS"))
    assert drain > noticed
    assert silence > max(check.interval for check in checks)
    stop = seconds(CONTAINERS[name]["stop_grace_period"])
    assert stop >= drain + LONGEST_REQUEST_SECONDS


@pytest.mark.parametrize("name", sorted(GATEWAYS))
def test_a_gateway_that_stops_may_finish_its_requests(name: str) -> None:
    [drain] = [
        float(option.partition("=")[2])
        for option in CONTAINERS[name]["entrypoint"]
        if option.startswith("--drain-seconds=")
    ]
    assert seconds(CONTAINERS[name]["stop_grace_period"]) > drain


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_a_user_who_is_not_root_and_receives_signals_itself(image: str) -> None:
    [stage] = re.findall(
        rf"^FROM \S+ AS {image}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL
    )
    assert re.findall(r"^USER (.+)$", stage, re.MULTILINE) == ["10001:10001"]
    assert not re.search(r"^(COPY|RUN|ADD) .*", stage.partition("USER ")[2], re.MULTILINE)
    [entrypoint] = re.findall(r"^ENTRYPOINT (.+)$", stage, re.MULTILINE)
    assert entrypoint.startswith('["python", "-m", "')
