"""Missing or wrong settings are named, and no value is shown."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pydantic_settings import BaseSettings

import board.settings
import monolith.main
import services.posts.main
import services.threads.main
import services.users.main
from kernel.process.settings import (
    DatabasePassword,
    DatabaseUrl,
    HttpUrl,
    ProcessSettings,
    ServiceTokens,
    load,
)


class Settings(ProcessSettings):
    """A process with one setting of each kind."""

    posts_database_password: DatabasePassword = None
    posts_database_url: DatabaseUrl
    users_url: HttpUrl
    users_service_token: ServiceTokens


RIGHT = {
    "PORT": "8000",
    "PUBLIC_ORIGIN": "https://Board.example/",
    "POSTS_DATABASE_URL": "postgresql://posts:hidden-password@db/posts",
    "USERS_URL": "http://users:8000/",
    "USERS_SERVICE_TOKEN": "a-new-secret-of-a-service, an-old-secret-of-a-service",
}


EVERY_KIND: list[type[BaseSettings]] = [
    services.users.main.Settings,
    services.threads.main.Settings,
    services.posts.main.Settings,
    monolith.main.Settings,
    board.settings.Bootstrap,
]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which everything is right."""
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TRUSTED_NETWORKS", "10.0.0.0/8, fd00::/8")
    settings = load(Settings)
    assert settings.port == 8000
    assert settings.public_origin == "https://board.example"
    assert settings.users_url == "http://users:8000"
    assert settings.users_service_token == (
        "a-new-secret-of-a-service",
        "an-old-secret-of-a-service",
    )
    assert [str(network) for network in settings.trusted_networks] == ["10.0.0.0/8", "fd00::/8"]
    assert "hidden-password" not in repr(settings)
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("name", RIGHT)
def test_missing_settings_are_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert name in str(ended.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PUBLIC_ORIGIN", "board.example"),
        ("PUBLIC_ORIGIN", "https://board.example/forum"),
        ("POSTS_DATABASE_URL", "mysql://posts:hidden-password@db/posts"),
        ("USERS_URL", "users:8000"),
        ("USERS_SERVICE_TOKEN", "hidden-short"),
        ("USERS_SERVICE_TOKEN", ",".join(["hidden-secret-of-a-service"] * 3)),
        ("USERS_SERVICE_TOKEN", ""),
        ("TRUSTED_NETWORKS", "everybody"),
        ("INSTANCE", "a b"),
        ("DRAIN_SECONDS", "-1"),
    ],
)
def test_invalid_settings_are_named_without_their_values(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert name in str(ended.value)
    assert "hidden" not in str(ended.value)


def test_secrets_may_come_from_files(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("POSTS_DATABASE_URL")
    (tmp_path / "posts_database_url").write_text("postgresql://posts:from-a-file@db/posts\n")
    environment.setenv("SETTINGS_DIR", str(tmp_path))
    assert load(Settings).posts_database_url == "postgresql://posts:from-a-file@db/posts"


def test_missing_folder_of_secrets_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SETTINGS_DIR", "/nowhere/at/all")
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert "/nowhere/at/all" in str(ended.value)


APART = "postgresql://posts@db:5432/posts?sslmode=verify-full"


def test_separate_password_is_put_into_the_url(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POSTS_DATABASE_URL", APART)
    environment.setenv("POSTS_DATABASE_PASSWORD", "hidden: p@ss/w?rd%#")
    settings = load(Settings)
    parts = urlsplit(settings.posts_database_url)
    assert parts.password is not None
    assert unquote(parts.password) == "hidden: p@ss/w?rd%#"
    assert (
        parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl() == APART
    )
    assert "hidden" not in repr(settings)


def test_separate_password_may_come_from_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("POSTS_DATABASE_URL", APART)
    (tmp_path / "posts_database_password").write_text("from-a-file\n")
    environment.setenv("SETTINGS_DIR", str(tmp_path))
    assert urlsplit(load(Settings).posts_database_url).password == "from-a-file"


@pytest.mark.parametrize(
    "url",
    [RIGHT["POSTS_DATABASE_URL"], "postgresql://posts:@db/posts", "postgresql://db/posts"],
)
def test_separate_password_needs_a_url_with_a_role_and_no_password(
    environment: pytest.MonkeyPatch, url: str
) -> None:
    environment.setenv("POSTS_DATABASE_URL", url)
    environment.setenv("POSTS_DATABASE_PASSWORD", "hidden-and-apart")
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert "POSTS_DATABASE_URL" in str(ended.value)
    assert "POSTS_DATABASE_PASSWORD" in str(ended.value)
    assert "hidden" not in str(ended.value)


def test_an_empty_password_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POSTS_DATABASE_URL", APART)
    environment.setenv("POSTS_DATABASE_PASSWORD", "")
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert "POSTS_DATABASE_PASSWORD" in str(ended.value)


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.__module__)
def test_every_process_accepts_separate_database_passwords(kind: type[BaseSettings]) -> None:
    names = list(kind.model_fields)
    databases = [name for name in names if name.endswith("_database_url")]
    for name in databases:
        password = name.removesuffix("_url") + "_password"
        # The URL's validator sees only the fields before it.
        assert names.index(password) < names.index(name)
    assert databases
