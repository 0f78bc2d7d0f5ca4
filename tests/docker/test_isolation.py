"""What each container of a board in Compose can reach and read."""

import json
from typing import Any

import pytest
from docker.models.containers import Container

from tests.docker.project import SERVERS, Project
from topology.contexts import CONTEXT_NAMES
from topology.deployments import GATEWAY, SERVICES
from topology.secrets import SECRETS

pytestmark = pytest.mark.timeout(600)

TOKENS = {"posts_service_token", "threads_service_token", "users_service_token"}

SECRETS_OF = {
    "users": {"users_database_url", "users_service_token"},
    "threads": {"threads_database_url", "threads_service_token", "users_service_token"},
    "posts": {"posts_database_url", *TOKENS},
    "cases": {"cases_database_url", *TOKENS},
    "web": TOKENS,
    "gateway": set[str](),
}


def _python(container: Container, script: str) -> str:
    output: Any = container.exec_run(["python", "-c", script]).output
    return str(output.decode())


def _everything(project: Project) -> list[Container]:
    services = ("prepare", "postgres", "bootstrap", "migrate", "demo", *SERVERS[project.profile])
    return [container for service in services for container in project.containers(service)]


def test_only_the_gateway_publishes_a_port_on_the_loopback_address(services: Project) -> None:
    published: dict[str, Any] = {}
    for container in _everything(services):
        for bindings in container.ports.values():
            for binding in bindings or []:
                published[container.labels["com.docker.compose.service"]] = binding
    assert published == {"gateway": {"HostIp": "127.0.0.1", "HostPort": str(services.port)}}


def test_only_servers_and_commands_share_a_network_with_the_database(services: Project) -> None:
    inside = f"{services.name}_data"
    there = {
        container.labels["com.docker.compose.service"]
        for container in _everything(services)
        if inside in container.attrs["NetworkSettings"]["Networks"]
    }
    assert there == {"postgres", "bootstrap", "migrate", "demo", *CONTEXT_NAMES}


@pytest.mark.parametrize("service", ["gateway", "web"])
def test_processes_without_a_database_cannot_reach_it(services: Project, service: str) -> None:
    networks = services.container("postgres").attrs["NetworkSettings"]["Networks"]
    address = networks[f"{services.name}_data"]["IPAddress"]
    script = (
        "import socket\n"
        f"for host in ('postgres', '{address}'):\n"
        "    try: socket.create_connection((host, 5432), 2); print('reached')\n"
        "    except OSError as error: print('no')\n"
    )
    assert _python(services.container(service), script).split() == ["no", "no"]


@pytest.mark.parametrize("service", [*SERVICES, "postgres"])
def test_only_the_gateway_can_reach_the_internet(services: Project, service: str) -> None:
    assert all(
        services.engine.networks.get(name).attrs["Internal"]
        for name in services.container(service).attrs["NetworkSettings"]["Networks"]
    )


@pytest.mark.parametrize("service", SECRETS_OF)
def test_process_sees_only_its_own_secrets(services: Project, service: str) -> None:
    script = (
        "import json, pathlib\n"
        "folder = pathlib.Path('/run/secrets')\n"
        "print(json.dumps(sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []))"
    )
    seen = json.loads(_python(services.container(service), script))
    assert set(seen) == SECRETS_OF[service]


@pytest.mark.parametrize("service", CONTEXT_NAMES)
def test_role_can_connect_only_to_its_own_database(services: Project, service: str) -> None:
    script = (
        "import asyncio, asyncpg, pathlib\n"
        "url = next(pathlib.Path('/run/secrets').glob('*_database_url')).read_text()\n"
        "async def main():\n"
        f"    for name in {(*CONTEXT_NAMES, 'postgres')}:\n"
        "        try:\n"
        "            await (await asyncpg.connect(url, database=name)).close()\n"
        "            print(name)\n"
        "        except asyncpg.PostgresError: pass\n"
        "asyncio.run(main())"
    )
    assert _python(services.container(service), script).split() == [service]


def test_no_secret_is_in_an_environment_a_command_line_or_a_log(services: Project) -> None:
    secrets = services.secrets()
    assert len(secrets) == len(SECRETS)
    for container in _everything(services):
        shown = json.dumps(container.attrs) + container.logs().decode(errors="replace")
        for name, secret in secrets.items():
            assert secret not in shown, f"{container.name} shows {name}"


def test_no_secret_is_in_the_files_of_an_image(services: Project) -> None:
    secrets = services.secrets()
    for service in (*SERVICES, GATEWAY, "prepare"):
        container = services.container(service)
        changed = {str(change["Path"]) for change in container.diff() or []}
        # Only mount points may have been created.
        assert {
            path
            for path in changed
            if not path.startswith(("/run", "/rules", "/secrets", "/database"))
        } <= {"/tmp"}  # noqa: S108 - a path in the container
    assert secrets


def test_every_container_is_confined(services: Project) -> None:
    for container in _everything(services):
        host = container.attrs["HostConfig"]
        name = container.name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        if container.labels["com.docker.compose.service"] != "postgres":
            assert not host["CapAdd"], name
            assert container.attrs["Config"]["User"] == "10001:10001", name


def test_process_can_write_only_to_its_temporary_folder(services: Project) -> None:
    script = (
        "import os\n"
        "for folder in ('/', '/board', '/run/secrets', '/usr/local', '/tmp'):\n"
        "    try: open(os.path.join(folder, 'probe'), 'w').close(); print(folder)\n"
        "    except OSError: pass\n"
    )
    for service in ("users", "gateway"):
        assert _python(services.container(service), script).split() == ["/tmp"]  # noqa: S108 - see above


def test_health_of_a_process_is_not_public(services: Project) -> None:
    for path in ("/readyz", "/livez", "/metrics"):
        assert services.get(path).status_code == 404
