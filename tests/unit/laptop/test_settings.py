"""The settings of a run, and the values that it rejects."""

import re
from pathlib import Path

import pytest

from laptop import settings
from laptop.errors import CannotRunError
from topology.deployments import DEPLOYMENTS, SERVICES

URLS = {
    "USERS_DATABASE_URL": "postgresql://u",
    "THREADS_DATABASE_URL": "postgresql://t",
    "POSTS_DATABASE_URL": "postgresql://p",
    "CASES_DATABASE_URL": "postgresql://c",
}


def test_defaults_are_microservices_port_8080_and_a_local_data_folder() -> None:
    read = settings.read([], {"PORT": "", "DEPLOYMENT": ""})
    assert (read.deployment, read.port) == ("microservices", 8080)
    assert read.data_folder == Path.cwd() / ".data"
    assert read.shares == dict.fromkeys(SERVICES, 100)
    assert read.database_urls == {}


def test_the_command_line_wins_over_the_environment() -> None:
    environment = {"PORT": "1", "DEPLOYMENT": "monolith", "DATA_DIR": "/a"}
    arguments = ["--port", "81", "--deployment", "strangler", "--data-dir", "/b"]
    read = settings.read(arguments, environment)
    assert (read.port, read.deployment, read.data_folder) == (81, "strangler", Path("/b"))


def test_monolith_has_no_shares_and_the_strangler_reads_them() -> None:
    monolith = settings.read([], {"DEPLOYMENT": "monolith"})
    assert monolith.shares == dict.fromkeys(SERVICES, 0)
    shares = {"DEPLOYMENT": "strangler", "USERS_SHARE": "37", "POSTS_SHARE": "0"}
    strangler = settings.read([], shares)
    assert strangler.shares == dict.fromkeys(SERVICES, 50) | {"users": 37, "posts": 0}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("share", ["101", "-1", "ten", "1.5", "²"])
def test_share_that_is_no_percentage_is_rejected_in_every_deployment(
    deployment: str, share: str
) -> None:
    with pytest.raises(CannotRunError, match=r"WEB_SHARE=.*a whole number from 0 to 100"):
        settings.read([], {"DEPLOYMENT": deployment, "WEB_SHARE": share})


@pytest.mark.parametrize(
    ("deployment", "share"), [("microservices", "20"), ("microservices", "0"), ("monolith", "1")]
)
def test_share_of_a_server_that_does_not_start_is_rejected(deployment: str, share: str) -> None:
    with pytest.raises(CannotRunError, match=f"POSTS_SHARE={share}: DEPLOYMENT={deployment}"):
        settings.read([], {"DEPLOYMENT": deployment, "POSTS_SHARE": share})


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PORT": "0"}, "PORT=0: it must be a whole number from 1 to 65535"),
        ({"PORT": "65536"}, "PORT=65536"),
        ({"PORT": "80 80"}, "PORT=80 80"),
        ({"PORT": "²"}, "PORT=²"),
        ({"DEPLOYMENT": "both"}, "DEPLOYMENT=both: it must be one of microservices, monolith"),
        ({"DEPLOYMENT": "strangler", "USERS_SHARE": "101"}, "USERS_SHARE=101"),
        ({"USERS_DATABASE_URL": "x"}, "not set: THREADS_DATABASE_URL, POSTS_DATABASE_URL"),
        ({"ADMIN_DATABASE_URL": "x"}, "ADMIN_DATABASE_URL is set, but the databases' URLs are not"),
    ],
)
def test_invalid_setting_is_rejected_by_name(environment: dict[str, str], message: str) -> None:
    with pytest.raises(CannotRunError, match=re.escape(message)):
        settings.read([], environment)


def test_database_urls_are_used_and_not_in_the_representation() -> None:
    read = settings.read([], URLS | {"ADMIN_DATABASE_URL": "postgresql://a"})
    assert read.database_urls["threads"] == "postgresql://t"
    assert read.admin_database_url == "postgresql://a"
    assert "postgresql://" not in repr(read)
