"""The command line and the environment of each process of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from laptop import programs, settings
from laptop.credentials import Credentials
from laptop.programs import Server
from laptop.settings import Settings
from topology.deployments import DEPLOYMENTS, SERVERS

NAMES = ("Users", "Threads", "Posts", "Cases", "Web")
CREDENTIALS = Credentials.generate()
URLS = {
    "users": "postgresql://users",
    "threads": "postgresql://threads",
    "posts": "postgresql://posts",
    "cases": "postgresql://cases",
}
PORTS = {
    "users": [1001], "threads": [1002], "posts": [1003], "cases": [1004], "web": [1005],
    "monolith": [1006],
}  # fmt: skip


def asked(deployment: str, **environment: str) -> Settings:
    return settings.read(["--deployment", deployment], environment)


def told(deployment: str, **environment: str) -> dict[str, dict[str, str]]:
    return {
        server.program.name: {**server.program.environment}
        for server in servers(deployment, environment)
    }


def servers(deployment: str, environment: Mapping[str, str]) -> list[Server]:
    run = asked(deployment)
    return [
        programs.server(name, run, URLS, CREDENTIALS, PORTS, RULES, environment)
        for name in DEPLOYMENTS[deployment]
    ]


def gateway(deployment: str, ports: Mapping[str, Sequence[int]]) -> Server:
    run = asked(deployment)
    return programs.gateway(run, ports, run.shares, Path("/sockets/gateway"), RULES, {})


RULES = Path("/sockets/rules.json")
SECRET_OR_ADDRESS = ("_DATABASE_URL", "_SERVICE_TOKEN", "_URL")


def knows(environment: dict[str, str]) -> set[str]:
    return {name for name in environment if name.endswith(SECRET_OR_ADDRESS)}


def test_each_process_knows_its_own_database_and_the_services_it_calls() -> None:
    services = told("microservices")
    assert knows(services["users"]) == {"USERS_DATABASE_URL", "USERS_SERVICE_TOKEN"}
    assert knows(services["threads"]) == {
        *("THREADS_DATABASE_URL", "THREADS_SERVICE_TOKEN"),
        *("USERS_URL", "USERS_SERVICE_TOKEN"),
    }
    assert knows(services["posts"]) == {
        *("POSTS_DATABASE_URL", "POSTS_SERVICE_TOKEN"),
        *("USERS_URL", "USERS_SERVICE_TOKEN"),
        *("THREADS_URL", "THREADS_SERVICE_TOKEN"),
    }
    assert knows(services["cases"]) == {
        "CASES_DATABASE_URL",
        *("USERS_URL", "USERS_SERVICE_TOKEN"),
        *("THREADS_URL", "THREADS_SERVICE_TOKEN"),
        *("POSTS_URL", "POSTS_SERVICE_TOKEN"),
    }
    assert services["posts"]["THREADS_URL"] == "http://127.0.0.1:1002"
    assert services["posts"]["USERS_SERVICE_TOKEN"] == CREDENTIALS.service_token("users")


def test_the_monolith_knows_all_databases_and_needs_no_token() -> None:
    assert knows(told("monolith")["monolith"]) == {
        "USERS_DATABASE_URL",
        "THREADS_DATABASE_URL",
        "POSTS_DATABASE_URL",
        "CASES_DATABASE_URL",
    }


def test_the_strangler_runs_both() -> None:
    assert [*told("strangler")] == ["users", "threads", "posts", "cases", "web", "monolith"]


def test_process_ignores_the_runs_host_port_and_instance() -> None:
    users = told("microservices", HOST="0.0.0.0", PORT="8080", INSTANCE="mine")["users"]  # noqa: S104 - it must not be used
    assert (users["HOST"], users["PORT"], users["INSTANCE"]) == ("127.0.0.1", "1001", "users-1")


def test_settings_of_the_board_are_inherited_from_the_runs_environment() -> None:
    users = told("microservices", LOG_FORMAT="json", SOME_LIMIT="3")["users"]
    assert (users["LOG_FORMAT"], users["SOME_LIMIT"]) == ("json", "3")
    assert told("microservices")["users"]["LOG_FORMAT"] == "text"


def test_secrets_and_postgres_variables_are_not_inherited() -> None:
    environment = {
        "ADMIN_DATABASE_URL": "postgresql://admin",
        "POSTS_DATABASE_URL": "postgresql://other",
        "POSTS_SERVICE_TOKEN": "token",
        "PGHOST": "elsewhere",
    }
    inherited = {*told("microservices", **environment)["users"]}
    assert not inherited & {*environment}


def test_no_secret_is_on_a_command_line() -> None:
    values = {*CREDENTIALS.by_name.values()} | {*URLS.values()}
    steps = [
        programs.board_command("bootstrap", URLS, {}, admin_url="postgresql://admin"),
        gateway("strangler", PORTS).program,
    ]
    for program in [*(server.program for server in servers("strangler", {})), *steps]:
        assert not values & {*program.command}
        assert "postgresql" not in " ".join(program.command)


def test_only_bootstrap_knows_the_superuser() -> None:
    bootstrap = programs.board_command("bootstrap", URLS, {}, admin_url="postgresql://admin")
    assert bootstrap.environment["ADMIN_DATABASE_URL"] == "postgresql://admin"
    migrate = programs.board_command("migrate", URLS, {"ADMIN_DATABASE_URL": "postgresql://admin"})
    assert "ADMIN_DATABASE_URL" not in migrate.environment


@pytest.mark.parametrize(
    ("deployment", "shares", "groups"),
    [
        (
            "microservices",
            {"100"},
            [f"{name}Targets" for name in NAMES],
        ),
        ("monolith", {"0"}, ["MonolithTargets"]),
        (
            "strangler",
            {"50"},
            [*(f"{name}Targets" for name in NAMES), "MonolithTargets"],
        ),
    ],
)
def test_gateway_gets_the_shares_and_the_targets(
    deployment: str, shares: set[str], groups: list[str]
) -> None:
    ports = {name: PORTS[name] for name in DEPLOYMENTS[deployment]}
    command = [*gateway(deployment, ports).program.command]
    assert command[command.index("--admin-socket") + 1] == "/sockets/gateway"
    words = dict(
        command[at + 1].split("=", 1)
        for at, word in enumerate(command)
        if word in ("--parameter", "--target")
    )
    assert (words["ListenerPort"], words["ShowInstance"]) == ("8080", "0")
    assert {words[f"{name}Share"] for name in NAMES} == shares
    assert [name for name in words if name.endswith("Targets")] == groups
    assert command[command.index("--rules-file") + 1] == str(RULES)
    assert words[groups[-1]] == f"http://127.0.0.1:{ports[[*ports][-1]][0]}"


def test_every_process_has_a_name_in_the_log() -> None:
    assert {*SERVERS, "gateway", "board"} <= {*programs.names(1)}
    assert {f"{name}-2" for name in SERVERS} == {*programs.names(2)} - {*programs.names(1)}


def test_copies_are_called_and_reached_at_ports_of_their_own() -> None:
    ports = {name: [*one, one[0] + 1000] for name, one in PORTS.items()}
    run = asked("microservices", COPIES="2")
    copies = [
        programs.server("threads", run, URLS, CREDENTIALS, ports, RULES, {}, copy)
        for copy in (1, 2)
    ]
    assert [copy.program.name for copy in copies] == ["threads", "threads-2"]
    assert [copy.port for copy in copies] == ports["threads"]
    for copy in copies:
        environment = copy.program.environment
        assert environment["PORT"] == str(copy.port)
        assert environment["INSTANCE"] == f"threads-{copies.index(copy) + 1}"
        assert environment["USERS_URL"] == "http://127.0.0.1:1001,http://127.0.0.1:2001"
    command = [*gateway("microservices", ports).program.command]
    targets = {command[at + 1] for at, word in enumerate(command) if word == "--target"}
    assert {"PostsTargets=http://127.0.0.1:1003", "PostsTargets=http://127.0.0.1:2003"} <= targets


@pytest.mark.parametrize("deployment", ["monolith", "microservices"])
def test_only_servers_of_the_page_know_the_file_of_rules(deployment: str) -> None:
    knowing = {
        server.program.name
        for server in servers(deployment, {})
        if server.program.environment.get("RULES_FILE") == str(RULES)
    }
    assert knowing == {"monolith" if deployment == "monolith" else "web"}
