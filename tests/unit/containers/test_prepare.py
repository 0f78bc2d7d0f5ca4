"""Secrets are generated once, and each process gets its own."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from containers.errors import CannotStartError
from containers.prepare import prepare
from topology.contexts import CONTEXT_NAMES
from topology.deployments import SERVICES
from topology.secrets import SECRETS

TOKENS = {"posts_service_token", "threads_service_token", "users_service_token"}
CONSUMERS = ("postgres", "bootstrap", "databases", *SERVICES)


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """A folder with the empty volumes `database` and `secrets`."""
    (tmp_path / "database").mkdir()
    for name in ("all", *CONSUMERS):
        (tmp_path / "secrets" / name).mkdir(parents=True)
    return tmp_path


def _prepare(volumes: Path) -> None:
    prepare(volumes / "database", volumes / "secrets", "board")


def _files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def _refused(volumes: Path) -> str:
    with pytest.raises(CannotStartError) as refused:
        _prepare(volumes)
    return str(refused.value)


def test_every_secret_is_generated_and_unique(volumes: Path) -> None:
    _prepare(volumes)
    kept = _files(volumes / "secrets" / "all")
    assert set(kept) == set(SECRETS)
    assert len(set(kept.values())) == len(SECRETS)
    assert all(len(secret) == 43 for secret in kept.values())  # 256 bits in base64


def test_preparing_again_changes_nothing(volumes: Path) -> None:
    _prepare(volumes)
    before = _files(volumes)
    _prepare(volumes)
    assert _files(volumes) == before


@pytest.mark.parametrize(
    ("consumer", "names"),
    [
        ("postgres", {"admin_password"}),
        ("users", {"users_database_url", "users_service_token"}),
        ("threads", {"threads_database_url", "threads_service_token", "users_service_token"}),
        ("posts", {"posts_database_url", *TOKENS}),
        ("cases", {"cases_database_url", *TOKENS}),
        ("web", TOKENS),
        ("databases", {f"{context}_database_url" for context in CONTEXT_NAMES}),
    ],
)
def test_consumer_gets_only_its_own_secrets(volumes: Path, consumer: str, names: set[str]) -> None:
    _prepare(volumes)
    assert set(_files(volumes / "secrets" / consumer)) == names


def test_a_url_names_the_contexts_own_role_password_and_database(volumes: Path) -> None:
    _prepare(volumes)
    url = urlsplit((volumes / "secrets" / "posts" / "posts_database_url").read_text())
    password = (volumes / "secrets" / "all" / "posts_password").read_text()
    assert (url.username, url.password, url.path) == ("posts", password, "/posts")
    assert (url.hostname, url.port) == ("postgres", 5432)


def test_only_the_owner_can_read_a_secret(volumes: Path) -> None:
    _prepare(volumes)
    for path in (volumes / "secrets").rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secret_that_a_consumer_no_longer_needs_is_removed(volumes: Path) -> None:
    (volumes / "secrets" / "users" / "threads_database_url").write_text("of an older version")
    _prepare(volumes)
    assert "threads_database_url" not in _files(volumes / "secrets" / "users")


@pytest.mark.parametrize("damaged", ["", "short", "with a space " * 4, "é" * 43, "A" * 129])
def test_damaged_secret_is_rejected_by_name_without_its_value(volumes: Path, damaged: str) -> None:
    _prepare(volumes)
    (volumes / "secrets" / "all" / "users_service_token").write_text(damaged)
    said = _refused(volumes)
    assert "users_service_token in the volume board_secrets is damaged" in said
    assert "remove it and a new one is generated" in said
    assert not damaged or damaged not in said


def test_message_never_suggests_removing_the_admin_password(volumes: Path) -> None:
    _prepare(volumes)
    (volumes / "database" / "18" / "docker").mkdir(parents=True)
    (volumes / "secrets" / "all" / "admin_password").write_text("short")
    said = _refused(volumes)
    assert "admin_password in the volume board_secrets is damaged" in said
    assert "remove it" not in said


def test_admin_password_is_not_generated_for_an_existing_cluster(volumes: Path) -> None:
    _prepare(volumes)
    (volumes / "database" / "18" / "docker").mkdir(parents=True)
    _prepare(volumes)
    (volumes / "secrets" / "all" / "admin_password").unlink()
    assert "board_secrets" in _refused(volumes)
    assert not (volumes / "secrets" / "all" / "admin_password").exists()


@pytest.mark.parametrize("major", [19, 23])
def test_data_of_a_newer_postgresql_is_refused(volumes: Path, major: int) -> None:
    (volumes / "database" / "18" / "docker").mkdir(parents=True)
    (volumes / "database" / str(major) / "docker").mkdir(parents=True)
    assert f"The volume board_database was written by PostgreSQL {major}" in _refused(volumes)


@pytest.mark.parametrize("place", ["17/docker/PG_VERSION", "PG_VERSION"])
def test_data_of_an_older_postgresql_is_refused(volumes: Path, place: str) -> None:
    path = volumes / "database" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("17\n")
    assert "was written by PostgreSQL 17" in _refused(volumes)


def test_old_cluster_beside_the_current_one_is_ignored(volumes: Path) -> None:
    for major in (17, 18):
        (volumes / "database" / str(major) / "docker").mkdir(parents=True)
    (volumes / "secrets" / "all" / "admin_password").write_text("A" * 43)
    _prepare(volumes)
